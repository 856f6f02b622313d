"""A package of several diagrams in a real browser: chosen by name, entered by a call, each call with its own way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from browser.clinic import Clinic
from called_packages import CONTACT, LETTER, MAIN, ask, call, chain, package
from playwright.sync_api import Locator, Page, expect
from usher_engine import SYSTEM, Actor
from usher_engine.cases import CaseSelection
from usher_engine.definitions import Package

Desk = Callable[..., Page]
ANA = Actor(name="ana", role="analyst")
ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
NESTED = package(a_contact=CONTACT, m_middle=MAIN, z_letter=LETTER)
EACH = chain("each", call("Everyone", "contact", each="people"), name="Reach everyone")


@dataclass(frozen=True)
class Cases:
    """Two cases: one has called twice and rests in the second letter; in the other three calls run at once."""

    twice: str
    at_once: str


@pytest.fixture(scope="module")
def cases(clinic: Clinic) -> Cases:
    engine = clinic.enrollment.engine
    engine.deploy(NESTED, actor=SYSTEM)
    engine.deploy(package(a=CONTACT, m=EACH, z=LETTER), actor=SYSTEM)
    twice = engine.starts.start("middle", {}, actor=SYSTEM).id
    for _ in range(4):  # Phone, Write, Between, Phone
        complete_first(clinic, twice)
    at_once = engine.starts.start("each", {"people": [1, 2, 3]}, actor=SYSTEM).id
    complete_first(clinic, at_once, -1)
    return Cases(twice, at_once)


def complete_first(clinic: Clinic, case: str, place: int = 0) -> None:
    engine = clinic.enrollment.engine
    task = engine.instance(case).tasks[place].id
    engine.cases.claim(task, actor=ALICE)
    engine.complete(task, {}, actor=ALICE)


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    page.wait_for_selector("body[data-ready]")
    return page


def shown(page: Page, key: str) -> None:
    expect(page.locator(f'.dia .canvas[data-shown="{key}"]')).to_be_visible()


def one(page: Page) -> Locator:
    """The bar above the canvas."""
    return page.locator(".drawings")


def name(page: Page, words: str) -> Locator:
    return one(page).get_by_role("group", name="Diagrams").get_by_role("button", name=words)


def trail(page: Page) -> Locator:
    return page.get_by_role("group", name="Called from").locator("li")


def into(page: Page, activity: str) -> Locator:
    return page.locator(f'[data-call="{activity}"]')


def visits(page: Page, element: str) -> Locator:
    """The number on an element that was visited more than once."""
    return page.locator(f'[data-container-id="{element}"] .way-visits-mark')


def taken(page: Page, element: str) -> Locator:
    return page.locator(f'.djs-element.way-taken[data-element-id="{element}"]')


LOOKS = {
    "replay": ("audrey", "/cases/{twice}/replay"),
    "case": ("alice", "/cases/{twice}"),
    "process": ("ana", "/processes/middle"),
    "tryout": ("ana", "/processes/middle/try"),
    "reports": ("audrey", "/reports?process=middle"),
}


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("looked_at", LOOKS)
def test_a_page_of_several_diagrams_looks_right(
    cases: Cases, desk: Desk, day_and_night: Callable[[Page, str], None], looked_at: str, width: int
) -> None:
    who, path = LOOKS[looked_at]
    page = desk(who, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    opened(page, path.format(twice=cases.twice))
    shown(page, "z_letter.bpmn" if looked_at == "replay" else "m_middle.bpmn")
    day_and_night(page, f"diagrams-{looked_at}-{width}")
    name(page, "Reach the patient").click()
    shown(page, "a_contact.bpmn")
    expect(name(page, "Reach the patient")).to_have_attribute("aria-current", "true")
    expect(trail(page)).to_have_text(["Look after somebody", "Reach the patient"])
    expect(page).to_have_url(re.compile(r"#diagram=a_contact\.bpmn$"))
    day_and_night(page, f"diagrams-{looked_at}-called-{width}")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    shown(page, "a_contact.bpmn")


def test_a_call_leads_into_the_called_diagram_and_back_by_keyboard_alone(cases: Cases, desk: Desk) -> None:
    page = opened(desk("alice", viewport={"width": 1440, "height": 900}), f"/cases/{cases.twice}")
    into(page, "Second").focus()
    expect(into(page, "Second")).to_have_accessible_name("Open the diagram “Reach the patient”")
    page.keyboard.press("Enter")
    shown(page, "a_contact.bpmn")
    expect(page.get_by_role("status").filter(has_text="Diagram: Reach the patient")).to_be_attached()
    expect(one(page).get_by_role("combobox", name="Call")).to_have_value("Second:1")
    into(page, "Post").press("Enter")
    shown(page, "z_letter.bpmn")
    expect(trail(page)).to_have_text(["Look after somebody", "Reach the patient", "Send a letter"])
    expect(one(page).get_by_role("combobox", name="Call")).to_have_value("Post:2")
    back = page.get_by_role("group", name="Called from").get_by_role("button", name="Reach the patient")
    expect(back).to_be_focused()
    page.keyboard.press("Enter")
    shown(page, "a_contact.bpmn")
    expect(into(page, "Post")).to_be_focused()
    page.get_by_role("group", name="Called from").get_by_role("button", name="Look after somebody").press("Enter")
    shown(page, "m_middle.bpmn")
    expect(into(page, "Second")).to_be_focused()


def test_each_call_of_a_process_has_its_own_way(cases: Cases, desk: Desk) -> None:
    page = opened(desk("audrey", viewport={"width": 1440, "height": 900}), f"/cases/{cases.twice}")
    name(page, "Reach the patient").click()
    shown(page, "a_contact.bpmn")
    calls = one(page).get_by_role("combobox", name="Call")
    expect(calls.locator("option")).to_have_text(
        ["All calls together", "1 of 2: Call contact at First, step 1", "2 of 2: Call contact at Second, step 7"]
    )
    expect(visits(page, "Phone")).to_have_text("2")
    expect(page.locator(".way-here[data-element-id=Post]")).to_be_attached()
    calls.select_option("First:1")
    expect(visits(page, "Phone")).to_have_count(0)
    expect(taken(page, "contact_end")).to_be_attached()
    expect(page.locator(".way-here[data-element-id=Post]")).to_have_count(0)
    calls.select_option("Second:1")
    expect(taken(page, "contact_end")).to_have_count(0)
    expect(page.locator(".way-here[data-element-id=Post]")).to_be_attached()


def test_calls_that_run_at_once_are_apart(cases: Cases, desk: Desk) -> None:
    page = opened(desk("audrey", viewport={"width": 1440, "height": 900}), f"/cases/{cases.at_once}")
    expect(name(page, "Reach the patient")).to_contain_text("3")
    name(page, "Reach the patient").click()
    shown(page, "a.bpmn")
    calls = one(page).get_by_role("combobox", name="Call")
    here = page.locator(".djs-element.way-here")
    for call_visit, element in (("Everyone:1", "Phone"), ("Everyone:2", "Phone"), ("Everyone:3", "Post")):
        calls.select_option(call_visit)
        expect(here).to_have_count(1)
        expect(here).to_have_attribute("data-element-id", element)


def test_a_double_click_opens_a_call(cases: Cases, desk: Desk) -> None:
    page = opened(desk("ana", viewport={"width": 1440, "height": 900}), "/processes/middle")
    page.locator("[data-element-id=First] .djs-hit").dblclick()
    shown(page, "a_contact.bpmn")


def replayed(page: Page, case: str, step: int) -> Page:
    opened(page, f"/cases/{case}/replay?step={step}")
    expect(page.locator("[data-replay][data-ready]")).to_be_attached()
    return page


def test_the_slider_goes_into_called_diagrams_and_out_of_them(cases: Cases, desk: Desk) -> None:
    page = replayed(desk("audrey", viewport={"width": 1440, "height": 900}), cases.twice, 1)
    places = [
        ("a_contact.bpmn", "First:1"), ("a_contact.bpmn", "First:1"), ("z_letter.bpmn", "Post:1"),
        ("z_letter.bpmn", "Post:1"), ("m_middle.bpmn", ""), ("m_middle.bpmn", ""), ("a_contact.bpmn", "Second:1"),
    ]  # fmt: skip
    for key, place in places:
        shown(page, key)
        if place and page.url.endswith("step=7"):
            expect(one(page).get_by_role("combobox", name="Call")).to_have_value(place)
        page.keyboard.press("ArrowRight")
    shown(page, "a_contact.bpmn")
    expect(page.locator(".way-here[data-element-id=Phone]")).to_be_attached()
    expect(taken(page, "contact_end")).to_have_count(0)
    for key, _ in reversed(places):
        page.keyboard.press("ArrowLeft")
        shown(page, key)


def test_a_diagram_can_be_held_while_the_steps_go_on(cases: Cases, desk: Desk) -> None:
    page = replayed(desk("audrey", viewport={"width": 1440, "height": 900}), cases.twice, 1)
    follow = one(page).get_by_label("Follow the steps")
    expect(follow).to_be_checked()
    name(page, "Look after somebody").click()
    shown(page, "m_middle.bpmn")
    expect(follow).not_to_be_checked()
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-panel]")).to_contain_text("Step 3 of")
    shown(page, "m_middle.bpmn")
    expect(page.locator(".way-here[data-element-id=First]")).to_be_attached()
    page.keyboard.press("f")
    shown(page, "z_letter.bpmn")
    expect(follow).to_be_checked()
    page.keyboard.press("f")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-panel]")).to_contain_text("Step 2 of")
    shown(page, "z_letter.bpmn")
    expect(page.locator(".djs-element.way-taken")).to_have_count(0)  # that call has not begun


def test_the_evidence_bundle_holds_every_diagram_with_its_way(
    cases: Cases, desk: Desk, tmp_path: Path, day_and_night: Callable[[Page, str], None], shot: Callable
) -> None:
    page = replayed(desk("audrey", reduced_motion="reduce"), cases.twice, 1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Evidence bundle").click()
    file = tmp_path / "bundle.html"
    download.value.save_as(file)
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(file.as_uri())
        page.wait_for_selector("body[data-ready]")
        shown(page, "z_letter.bpmn")
        expect(one(page).get_by_role("combobox", name="Call")).to_have_value("Post:2")
        day_and_night(page, f"diagrams-evidence-{width}")
    page.set_viewport_size({"width": 1000, "height": 900})
    page.emulate_media(media="print", color_scheme="light")
    sheets = page.locator(".on-paper figure")
    expect(sheets.locator("figcaption")).to_have_text(["Look after somebody", "Reach the patient", "Send a letter"])
    for number, element in enumerate(("Between", "Phone", "Write")):
        expect(sheets.nth(number).locator(f".way-taken[data-element-id={element}]")).to_be_visible()
    expect(one(page)).to_be_hidden()
    shot(page, "diagrams-evidence-paper")
    page.emulate_media(media="screen")
    page.keyboard.press("Home")
    shown(page, "a_contact.bpmn")
    expect(page.locator(".way-here[data-element-id=Phone]")).to_be_attached()
    name(page, "Look after somebody").click()
    shown(page, "m_middle.bpmn")
    expect(page.locator(".way-here[data-element-id=First]")).to_be_attached()


def test_a_case_that_was_moved_shows_the_diagrams_of_the_version_of_each_step(clinic: Clinic, desk: Desk) -> None:
    engine = clinic.enrollment.engine
    before = package(m=chain("moved", call("In", "inner"), name="Before"), z=chain("inner", ask("Wait"), name="Inside"))
    after = package(m=chain("moved", call("In", "inner"), name="After"), a=chain("inner", ask("Wait"), name="Within"))
    engine.deploy(before, actor=SYSTEM)
    case = engine.starts.start("moved", {}, actor=SYSTEM).id
    engine.deploy(after, actor=SYSTEM)
    engine.migrations.migrate(case, 2, {}, reason="a test", actor=ANA)
    page = replayed(desk("audrey", viewport={"width": 1440, "height": 900}), case, 1)
    expect(name(page, "Before")).to_be_visible()
    shown(page, "z.bpmn")
    page.keyboard.press("ArrowRight")
    expect(name(page, "After")).to_be_visible()
    expect(name(page, "Inside")).to_have_count(0)
    complete_first(clinic, case)
    page = replayed(page, case, 2)
    name(page, "Within").click()
    shown(page, "a.bpmn")
    expect(page.locator(".way-here[data-element-id=Wait]")).to_be_attached()


def test_a_broken_diagram_of_a_draft_is_excused_and_hides_no_other(clinic: Clinic, cases: Cases, desk: Desk) -> None:
    engine = clinic.enrollment.engine
    files = {**NESTED.files, "b_broken.bpmn": b"<definitions"}
    engine.drafts.start("middle", actor=ANA, package=Package(files))
    page = opened(desk("ana", viewport={"width": 1440, "height": 900}), "/processes/middle/compare?from=1&to=draft")
    which = page.get_by_role("navigation", name="Which diagram")
    names = ["Look after somebody", "Reach the patient", "Send a letter", re.compile(r"b_broken\.bpmn")]
    expect(which.get_by_role("link")).to_have_text(names)
    expect(page.locator("[data-side=after] [data-element-id=First]")).to_be_visible()
    page.locator("[data-side=after] .call-into").first.click()
    expect(which.locator("[aria-current]")).to_have_text("Reach the patient")
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("[data-side=before] [data-element-id=Phone]")).to_be_visible()


def test_a_backtest_shows_in_which_diagram_the_ways_part(
    clinic: Clinic, cases: Cases, desk: Desk, day_and_night: Callable[[Page, str], None]
) -> None:
    engine = clinic.enrollment.engine
    contact = chain("contact", ask("Phone"), ask("Visit", "Visit the patient"), name="Reach the patient")
    changed = package(a_contact=contact, m_middle=MAIN)
    batch = engine.batches.ask_backtest(changed, CaseSelection(process="middle"), label="the draft", actor=ANA)
    clinic.until(lambda: engine.batches.find(batch.id).status == "done")
    page = desk("ana", viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    for path in ("", f"/cases/{cases.twice}"):
        opened(page, f"/processes/middle/backtest/{batch.id}{path}")
        bars = page.locator(".drawings")
        expect(bars).to_have_count(2)
        for bar in bars.all():
            button = bar.get_by_role("button", name=re.compile("Reach the patient ?1 case goes another way here"))
            expect(button).to_have_attribute("aria-current", "true")  # here they part first
        expect(page.locator("#draft .parts[data-element-id=Visit]")).to_be_visible()
        expect(page.locator("#recorded .parts[data-element-id=Post]")).to_be_visible()
    day_and_night(page, "diagrams-backtest")


@pytest.mark.parametrize("width", [1440, 360])
def test_a_comparison_goes_from_call_to_call(
    clinic: Clinic, cases: Cases, desk: Desk, day_and_night: Callable[[Page, str], None], width: int
) -> None:
    engine = clinic.enrollment.engine
    if len(engine.versions.all("each")) == 1:
        engine.deploy(package(a=CONTACT.replace(b"Call the", b"Ring the"), m=EACH, z=LETTER), actor=SYSTEM)
    page = desk("audrey", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    opened(page, "/processes/each/compare?from=1&to=2&diagram=m.bpmn")
    page.locator("[data-side=before] .call-into").press("Enter")
    page.wait_for_url(re.compile("diagram=a.bpmn"))
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("[data-side=after] [data-element-id=Phone]")).to_be_visible()
    day_and_night(page, f"diagrams-compare-{width}")
