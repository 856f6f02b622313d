"""Exports from the pages: the evidence bundle opened from a disk without network, and the form auditors choose with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from browser.clinic import Clinic
from playwright.sync_api import Page, expect
from usher_engine import Actor
from usher_engine.checkpoints.merkle import SigningKey
from usher_engine.enrollment import Answer
from usher_engine.exports import verify_export, verify_file
from usher_engine.forms import parse_form

Desk = Callable[..., Page]
ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))


@pytest.fixture(scope="module")
def case(clinic: Clinic) -> str:
    """A declined answer removed, fields filled, a mail refused and sent again, an answer."""
    engine, clock = clinic.enrollment.engine, clinic.clock
    patient = clinic.add("Declined", zip_code=None)
    case = clinic.trigger(patient)
    clock.forward(minutes=5)
    engine.complete(case.tasks[0].id, {"reason": "Asked at the desk <b>again</b>."}, actor=ALICE)
    clock.forward(days=20)
    update = engine.inbox.task(engine.instance(case.id).tasks[0].id)
    clinic.postbox.refusal = "550 No such mailbox"
    keys = [field.key for field in parse_form(engine.queries.package_of(case.id).text(update.form)).fields]
    filled = {**{key: update.initial[key] for key in keys}, "zip_code": "97201"}
    engine.complete(update.id, filled, actor=ALICE)
    clinic.until(lambda: engine.instance(case.id).status == "incident")
    clinic.postbox.refusal = ""
    clock.forward(hours=26)
    engine.cases.retry(case.id, actor=ALICE)
    clinic.until(lambda: engine.instance(case.id).status == "finished")
    clock.forward(days=3)
    token = clinic.link(patient).rpartition("/")[2]
    clinic.enrollment.respond(token, clinic.enrollment.identify(token, "97201", "1981-05-04"), Answer.DECLINE)
    return case.id


@pytest.fixture
def saved(desk: Desk, case: str, tmp_path: Path) -> Path:
    """The bundle as an auditor saves it from the replay page."""
    page = desk("audrey")
    page.goto(f"/cases/{case}/replay")
    with page.expect_download() as download:
        page.get_by_role("button", name="Evidence bundle").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == f"usher-evidence-{case}.html"
    return file


def opened(page: Page, file: Path) -> Page:
    """Opened from the disk; whatever asks for a network fails the test."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    return page


def test_a_bundle_opens_from_a_disk_and_moves_over_the_steps(
    page: Page, saved: Path, accessible: Callable[[Page], None], shot: Callable[[Page, str], None]
) -> None:
    opened(page, saved)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Case")
    expect(page.locator(".bjs-powered-by")).to_be_visible()
    expect(page.locator(".step.cur")).to_have_count(1)
    expect(page.locator(".step.cur")).to_contain_text("declined")
    page.keyboard.press("Home")
    expect(page.locator(".step.cur")).to_contain_text("Step 1 of")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".step.cur")).to_contain_text("Asked at the desk <b>again</b>.")
    expect(page.locator("[data-said]")).to_contain_text("Step 2 of")
    expect(page.locator(".djs-element.way-step")).not_to_have_count(0)
    accessible(page)
    shot(page, "evidence")
    page.set_viewport_size({"width": 360, "height": 800})
    accessible(page)
    shot(page, "evidence-360")


def test_a_bundle_in_the_dark_and_on_paper(
    page: Page, saved: Path, accessible: Callable[[Page], None], shot: Callable[[Page, str], None]
) -> None:
    page.emulate_media(color_scheme="dark")
    opened(page, saved)
    accessible(page)
    shot(page, "evidence-dark")
    page.emulate_media(media="print", color_scheme="light")
    steps = page.locator(".step")
    expect(steps.locator("visible=true")).to_have_count(steps.count())
    expect(page.locator(".time")).to_be_hidden()
    shot(page, "evidence-print")


def test_a_bundle_carries_its_record_and_verifies(page: Page, saved: Path, clinic: Clinic, tmp_path: Path) -> None:
    key = SigningKey.at(Path(clinic.settings.signing_key_file)).public_text
    assert verify_file(saved, key=key).findings == []
    opened(page, saved)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the record").click()
    record = tmp_path / download.value.suggested_filename
    download.value.save_as(record)
    result = verify_export(record.read_bytes().splitlines(keepends=True), key=key)
    assert (result.checked, result.findings) == (1, [])
    altered = tmp_path / "altered.html"
    altered.write_bytes(saved.read_bytes().replace(b"The case in words", b"The case in verse"))
    assert [finding.kind for finding in verify_file(altered, key=key).findings] == ["page"]


def test_an_auditor_chooses_and_gets_a_file(
    desk: Desk, case: str, accessible: Callable[[Page], None], shot: Callable[[Page, str], None]
) -> None:
    page = desk("audrey")
    page.goto("/cases")
    page.get_by_role("link", name="Exports").click()
    expect(page.get_by_label("Cases started from")).to_be_visible()
    page.wait_for_selector("body[data-ready]")
    accessible(page)
    shot(page, "exports")
    page.get_by_label("Cases started from").fill("2026-06-02")
    page.get_by_label("to", exact=True).fill("2026-06-01")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("alert")).to_contain_text("Exchange the two days.")
    accessible(page)
    shot(page, "exports-refused")
    for name in ("Cases started from", "to"):
        page.get_by_label(name, exact=True).fill("")
    page.get_by_role("radio", name="CSV for a spreadsheet").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert case in Path(download.value.path()).read_text()
    page.set_viewport_size({"width": 360, "height": 800})
    page.reload()
    accessible(page)
    shot(page, "exports-360")


def test_the_case_in_words_has_a_space_between_its_sentences(page: Page, saved: Path) -> None:
    opened(page, saved)
    expect(page.locator("section p.say").first).to_have_text(re.compile(r"\S\. The case ended \S"))


def test_the_data_in_the_page_is_no_markup(saved: Path) -> None:
    whole = saved.read_text()
    assert "<b>again</b>" not in whole
    ways = whole.partition('id="ways">')[2].partition("</script>")[0]
    assert len(json.loads(ways)) > 4
