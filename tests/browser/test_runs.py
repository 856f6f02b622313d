"""An analyst tries a draft on real cases, deploys it, and moves the cases that are under way; all of them verify."""

import re
from collections.abc import Callable

from browser.clinic import Clinic
from conftest import ROOT
from playwright.sync_api import Page, expect
from usher_engine import SYSTEM, Actor, Package
from usher_engine.definitions import read_folder

ANA = Actor(name="ana", role="analyst")
CASES, RUNNING = 200, 50


def changed() -> Package:
    """The enrolment where patients who deferred are left alone, and Resend Invitation has another id."""
    files = dict(read_folder(ROOT / "processes" / "enrollment").files)
    text = files["enrollment.bpmn"].decode()
    for before, after in (
        ('in ["Declined", "Deferred"]', 'in ["Declined"]'),
        ('"ResendInvitation"', '"SendAgain"'),
        (">ResendInvitation<", ">SendAgain<"),
    ):
        assert before in text
        text = text.replace(before, after)
    return Package({**files, "enrollment.bpmn": text.encode()})


def test_backtest_deploy_and_move(clinic: Clinic, desk: Callable[..., Page], accessible: Callable) -> None:
    engine = clinic.enrollment.engine
    for number in range(CASES):
        status = "Pending" if number < RUNNING else ("Deferred" if number % 30 == 0 else "Completed")
        clinic.trigger(clinic.add(status))
    engine.start_draft("enrollment", actor=SYSTEM)
    draft = engine.draft("enrollment")
    engine.save_draft_files("enrollment", changed().files, etag=draft.etag, actor=SYSTEM)
    page = desk("ana")

    page.goto(f"{clinic.url}/processes/enrollment")
    page.get_by_role("link", name="Backtest").click()
    expect(page.get_by_label("Draft or version")).to_have_value("draft")
    page.get_by_role("button", name="Run the cases").click()
    said = page.get_by_role("heading", name=re.compile("recorded cases take the same way"))
    rest = "5 would end in Nothing to do and 50 need an answer nobody gave."
    expect(said).to_have_text(f"145 of 200 recorded cases take the same way; {rest}", timeout=120_000)
    accessible(page)
    page.get_by_role("navigation", name="Which cases").get_by_role("link", name="Another way").click()
    page.get_by_role("link", name=re.compile("Both ways")).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Case")
    expect(page.locator("[data-drawn] .djs-element.parts").first).to_be_attached()

    version = engine.deploy(changed(), actor=ANA, note="Who deferred is left alone.").number
    fresh = clinic.trigger(clinic.add("Pending"))
    assert (fresh.version, fresh.at) == (version, ("SendAgain",))
    page.goto(f"{clinic.url}/processes/enrollment")
    page.get_by_role("link", name="Move running cases").click()
    page.get_by_label("On version").select_option("1")
    page.get_by_label("Waiting at").select_option("ResendInvitation")
    page.get_by_role("button", name="Show what takes whose place").click()
    expect(page.get_by_label("Resend Invitation")).to_have_value("SendAgain")
    page.get_by_role("button", name="Try it; nothing is moved yet").click()
    expect(page.get_by_role("heading", name="50 of 50 cases would go over.")).to_be_visible(timeout=60_000)
    page.get_by_label("Why are they moved?").fill("The task has another id.")
    page.get_by_role("button", name="Move 50 cases to version 2").click()
    expect(page.get_by_role("heading", name="50 of 50 cases were moved.")).to_be_visible(timeout=60_000)
    accessible(page)
    assert engine.live_versions("enrollment")[version] == RUNNING + 1
    result = engine.verify_all()
    assert (result.findings, result.equal) == ([], result.checked)

    case = next(one for one in engine.instances(limit=300) if one.at == ("SendAgain",) and one.id != fresh.id)
    page = desk("audrey")
    page.goto(f"{clinic.url}/cases/{case.id}/replay")
    expect(page.locator("[data-replay][data-ready]")).to_be_visible()
    expect(page.locator('[data-element-id="SendAgain"]').first).to_be_attached()
    page.keyboard.press("Home")  # the step before the move is shown on the version it was made on
    expect(page.locator('[data-element-id="ResendInvitation"].way-here').first).to_be_attached()
    expect(page.locator('[data-element-id="SendAgain"]')).to_have_count(0)
    page.keyboard.press("End")
    expect(page.locator('[data-element-id="SendAgain"].way-here').first).to_be_attached()
