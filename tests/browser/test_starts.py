"""A process from nothing, in a real browser: drawn, deployed, started and worked."""

from __future__ import annotations

from collections.abc import Callable

from browser.analyst import opened, saved, select
from browser.by_keyboard import append_step, choose, follow, keep, press, show, tab_to, write
from browser.clinic import Clinic
from conftest import package
from playwright.sync_api import Page, expect
from usher_engine import Actor
from usher_engine.definitions import read_start

ANA = Actor(name="ana", role="analyst")


def test_the_panel_of_a_start_event_says_how_a_case_begins(clinic: Clinic, ana: Page) -> None:
    engine = clinic.enrollment.engine
    files = {path: content for path, content in package("room_booking").files.items() if path.endswith(".form")}
    before = package("parallel")
    process = before.key
    engine.drafts.start(process, package=before, actor=ANA)
    engine.drafts.save_file(process, "ask.form", files["ask.form"], etag="", actor=ANA)
    opened(ana, f"/processes/{process}/edit")
    start = read_start(before).element
    props = select(ana, start)
    props.get_by_label("Start form").select_option("ask.form")
    props.get_by_label("Groups that may start it").fill("Front desk, Billing")
    props.get_by_label("Roles that may start it").fill("analyst")
    props.get_by_label("What the case is about").fill("room")
    saved(ana)
    declared = read_start(engine.drafts.package(process))
    assert (declared.form, declared.groups, declared.roles) == ("ask.form", ("Front desk", "Billing"), ("analyst",))
    assert declared.business_key == "room"
    props.get_by_label("Roles that may start it").fill("auditor")
    expect(ana.locator("[data-findings] li", has_text="“auditor” can start no case")).not_to_have_count(0)


FORM = """{"type": "default", "components": [
{"type": "textfield", "key": "thing", "label": "What was found", "validate": {"required": true}},
{"type": "button", "label": "Hand it in", "action": "submit"}]}"""


def draw(ana: Page, process: str) -> str:
    """Draw a process with a start form, one task and an end; answers the id of the task."""
    ana.goto("/processes")
    follow(ana, ana.get_by_role("link", name="New process"))
    write(ana, ana.get_by_label("Id", exact=True), process)
    write(ana, ana.get_by_label("Name", exact=True), "Lost property")
    with ana.expect_navigation():
        ana.keyboard.press("Enter")
    ana.wait_for_selector("body[data-ready]")
    follow(ana, ana.get_by_role("link", name="Forms, tables, mails"))
    write(ana, ana.get_by_label("Name", exact=True), "found.form")
    ana.keyboard.press("Enter")
    ana.wait_for_url("**/files/**found.form")
    opened(ana, f"/processes/{process}/files/found.form?as=text")
    tab_to(ana, ana.get_by_role("textbox", name="found.form"))
    ana.keyboard.press("Control+a")
    ana.keyboard.insert_text(FORM)
    keep(ana)
    opened(ana, f"/processes/{process}/edit")
    show(ana, "Start")
    choose(ana, ana.get_by_label("Start form"), "found.form")
    write(ana, ana.get_by_label("Groups that may start it"), "Front desk")
    write(ana, ana.get_by_label("What the case is about"), "thing")
    task = append_step(ana, "User task")
    write(ana, ana.get_by_label("Name", exact=True), "Find the owner")
    write(ana, ana.get_by_label("Group", exact=True), "Front desk")
    append_step(ana, "End event")
    write(ana, ana.get_by_label("Name", exact=True), "Given back")
    keep(ana)
    expect(ana.locator("[data-counts]")).to_contain_text("Nothing stands against a deployment")
    return task


def deploy(ana: Page) -> None:
    follow(ana, ana.get_by_role("navigation", name="Workbench").get_by_role("link", name="Deploy"))
    write(ana, ana.get_by_label("What changed, and why"), "Things are found in the waiting room.")
    press(ana, ana.get_by_role("button", name="Deploy v1"))
    expect(ana.get_by_role("status").first).to_contain_text("v1 is in force")


def test_a_process_from_nothing_is_drawn_deployed_started_and_worked_by_keyboard(
    clinic: Clinic, ana: Page, desk: Callable[..., Page], day_and_night: Callable
) -> None:
    engine, process = clinic.enrollment.engine, "lost_property"
    task = draw(ana, process)
    deploy(ana)
    alice = desk("alice", reduced_motion="reduce")
    alice.goto("/inbox")
    follow(alice, alice.get_by_role("navigation", name="Main").get_by_role("link", name="Start"))
    follow(alice, alice.get_by_role("region", name="Processes").get_by_role("link", name="Lost property"))
    write(alice, alice.get_by_label("What was found"), "A green umbrella")
    alice.keyboard.press("Control+Enter")
    expect(alice.locator("#started")).to_contain_text("was started. It waits at Find the owner.")
    expect(alice.locator("#started")).to_be_focused()
    day_and_night(alice, "lost-property-started")
    follow(alice, alice.locator("#started").get_by_role("link"))
    expect(alice.get_by_text("Waiting at Find the owner.")).to_be_visible()
    follow(alice, alice.get_by_role("link", name="Find the owner"))
    press(alice, alice.get_by_role("button", name="Find the owner"))
    expect(alice.get_by_text("Find the owner is done.")).to_be_visible()
    [case] = engine.queries.instances(process=process)
    assert (case.status, case.business_key) == ("finished", "A green umbrella")
    assert engine.verify(case.id) == []
    assert task in {event.get("element") for step in engine.queries.history(case.id) for event in step.events}
