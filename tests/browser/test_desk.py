"""The desk: fifty tasks between two patients, by keyboard, with lists that say the truth."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser import axe
from browser.clinic import Clinic
from playwright.sync_api import Page, Request, Route, expect
from usher_engine import SYSTEM

MANY = 25
SMALL = {"width": 360, "height": 740}
WIDE = {"width": 1440, "height": 900}


def waiting(clinic: Clinic, count: int, **fields: str | None) -> list[str]:
    """New patients who each have an Update Now."""
    asked = {"zip_code": None, **fields}
    names = (f"Quill{chr(ord('a') + number // 26)}{chr(ord('a') + number % 26)}" for number in range(count))
    patients = [clinic.add(last_name=name, **asked) for name in names]
    for patient in patients:
        clinic.trigger(patient)
    return patients


@pytest.fixture
def alice(desk: Callable[..., Page], clinic: Clinic) -> Page:
    for task in clinic.enrollment.engine.inbox.tasks(limit=500):
        clinic.enrollment.engine.cases.cancel(task.instance, "the test before", actor=SYSTEM)
    page = desk("alice")
    page.set_viewport_size(WIDE)
    return page


def test_twenty_five_in_a_row_by_keyboard(alice: Page, clinic: Clinic) -> None:
    """At most two keys beside the typing, and one page load, for each."""
    patients = waiting(clinic, MANY)
    alice.goto("/inbox?kind=enrollment%2FUpdateNow")
    alice.wait_for_selector("body[data-ready]")
    alice.keyboard.press("j")
    with alice.expect_navigation():  # the preview has the same button
        alice.keyboard.press("Enter")
    expect(alice.get_by_role("button", name="Update Now")).to_be_visible()
    alice.wait_for_selector("body[data-ready]")
    with alice.expect_navigation():
        alice.keyboard.press("c")
    alice.wait_for_selector("body[data-ready]")
    expect(alice.get_by_label("ZIP code", exact=False).first).to_be_focused()
    loads: list[Request] = []

    def note(asked: Request) -> None:
        if asked.is_navigation_request() and not asked.redirected_from:
            loads.append(asked)

    alice.on("request", note)
    for left in range(MANY, 0, -1):
        field = alice.get_by_label("ZIP code", exact=False).first
        expect(field).to_be_focused()
        before = alice.url
        alice.keyboard.type("97201")
        alice.keyboard.press("Control+Enter")
        if left > 1:
            alice.wait_for_url(lambda url, before=before: url != before and "/inbox/" in url)
            alice.wait_for_selector("body[data-ready]")
    expect(alice.locator(".flash")).to_contain_text("Nothing more is free in this list")
    assert len(loads) == MANY, "one page load each"
    for patient in patients:
        assert clinic.fields(patient)["zip_code"] == "97201"


def test_ctrl_enter_works_wherever_the_focus_is(alice: Page, clinic: Clinic) -> None:
    patient = clinic.add("Pending")
    clinic.trigger(patient)
    alice.goto("/inbox")
    alice.wait_for_selector("body[data-ready]")
    alice.keyboard.press("j")
    with alice.expect_navigation():
        alice.keyboard.press("Enter")
    expect(alice.get_by_role("heading", name="Resend Invitation", level=2)).to_be_visible()
    alice.wait_for_selector("body[data-ready]")
    alice.keyboard.press("Control+Enter")
    expect(alice.locator(".strip").filter(has_text="Resend Invitation is done")).to_be_visible()


def test_the_preview_follows_the_reader_and_keeps_the_place(alice: Page, clinic: Clinic) -> None:
    waiting(clinic, 3)
    alice.goto("/inbox")
    alice.wait_for_selector("body[data-ready]")
    pane = alice.locator("[data-preview]")
    alice.keyboard.press("j")
    expect(pane).to_contain_text("Quillaa")
    alice.keyboard.press("j")
    expect(pane).to_contain_text("Quillab")
    alice.keyboard.press("Enter")
    expect(alice.locator("tr[aria-current]")).to_contain_text("Quillab")
    assert axe.broken(alice) == []


def test_a_preview_that_comes_late_does_not_take_the_place_of_the_next(alice: Page, clinic: Clinic) -> None:
    waiting(clinic, 2)
    alice.goto("/inbox")
    alice.wait_for_selector("body[data-ready]")
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    alice.route("**/preview*", hold_the_first)
    with alice.expect_request("**/preview*"):
        alice.keyboard.press("j")
    alice.keyboard.press("j")
    pane = alice.locator("[data-preview]")
    expect(pane).to_contain_text("Quillab")
    with alice.expect_response("**/preview*") as late:
        held[0].continue_()
    late.value.finished()
    alice.evaluate("new Promise(done => setTimeout(done, 100))")  # whatever the page does with it
    expect(pane).to_contain_text("Quillab")


def test_filters_combine_and_the_address_holds_them(alice: Page, clinic: Clinic) -> None:
    waiting(clinic, 4)
    declined = clinic.add("Declined", last_name="Fern")
    clinic.trigger(declined)
    alice.goto("/inbox")
    expect(alice.locator("[data-matching]")).to_contain_text("5 tasks")
    alice.locator("summary", has_text="Kind").click()
    alice.get_by_role("checkbox", name="Update Now 4").check()
    alice.get_by_role("button", name="Show").first.click()
    expect(alice.locator("[data-matching]")).to_contain_text("4 of 5 match")
    expect(alice).to_have_url(re.compile("kind=enrollment%2FUpdateNow"))
    alice.wait_for_selector("body[data-ready]")
    alice.get_by_placeholder("Patient in this list").fill("Quillac")
    expect(alice.locator("[data-matching]")).to_contain_text("1 of 5 match")
    expect(alice.get_by_placeholder("Patient in this list")).to_be_focused()
    alice.reload()
    expect(alice.locator("[data-matching]")).to_contain_text("1 of 5 match")
    alice.get_by_role("link", name="Remove the filter Kind: Update Now").click()
    alice.get_by_role("link", name="Clear filters").click()
    expect(alice.locator("[data-matching]")).to_contain_text("5 tasks")
    assert axe.broken(alice) == []


def test_pages_go_both_ways_and_an_opened_task_keeps_its_page(alice: Page, clinic: Clinic) -> None:
    waiting(clinic, 55)
    alice.goto("/inbox")
    expect(alice.locator("tr[data-task]")).to_have_count(50)
    first = alice.locator("tr[data-task]").first.get_attribute("data-task")
    alice.get_by_role("link", name="Further down the list").click()
    expect(alice.locator("tr[data-task]")).to_have_count(5)
    alice.locator("a.task").nth(2).click()
    expect(alice.locator("tr[aria-current]")).to_have_count(1)
    expect(alice.locator("tr[data-task]")).to_have_count(5)
    alice.go_back()
    alice.get_by_role("link", name="Earlier in the list").click()
    expect(alice.locator("tr[data-task]")).to_have_count(50)
    assert alice.locator("tr[data-task]").first.get_attribute("data-task") == first


def test_a_view_is_saved_ordered_and_deleted(alice: Page, clinic: Clinic, desk: Callable[..., Page]) -> None:
    waiting(clinic, 2)
    alice.goto("/inbox?due=friday&sort=newest")
    alice.locator("summary", has_text="Save as view").click()
    alice.get_by_label("Name").fill("To Friday, newest")
    alice.get_by_label("All staff see it").check()
    alice.get_by_role("button", name="Save the view").click()
    tab = alice.get_by_role("navigation", name="Views").get_by_role("link", name="To Friday, newest")
    expect(tab).to_have_attribute("aria-current", "true")
    bob = desk("bob")
    bob.goto("/inbox")
    bob.get_by_role("navigation", name="Views").get_by_role("link", name="To Friday, newest").click()
    expect(bob).to_have_url(re.compile("due=friday.*sort=newest|sort=newest.*due=friday"))
    expect(bob.get_by_role("button", name="Delete this view")).to_have_count(0)
    assert axe.broken(alice) == []
    alice.locator("summary", has_text="View “To Friday, newest”").click()
    alice.get_by_role("button", name="Delete this view").click()
    expect(alice.locator(".flash")).to_contain_text("deleted")


def test_many_at_once_with_a_result_for_each(alice: Page, clinic: Clinic) -> None:
    for number in range(4):
        clinic.trigger(clinic.add("Declined", last_name=f"Fern {number}"))
    alice.goto("/inbox")
    alice.wait_for_selector("body[data-ready]")
    alice.keyboard.press("j")
    alice.keyboard.press("x")
    expect(alice.locator("[data-bulk]")).to_contain_text("1 selected")
    alice.get_by_role("checkbox", name="Select the 4 tasks shown").check()
    expect(alice.locator("[data-bulk]")).to_contain_text("4 selected")
    alice.get_by_role("button", name="Complete…").click()
    expect(alice.get_by_role("heading", level=1)).to_have_text("Complete 4 × Enroll Now?")
    alice.get_by_role("button", name="Complete 4 × Enroll Now").click()
    expect(alice.get_by_role("alert")).to_be_visible()  # a reason is needed
    alice.get_by_role("textbox").last.fill("asked on the phone")
    assert axe.broken(alice) == []
    alice.get_by_role("button", name="Complete 4 × Enroll Now").click()
    expect(alice).to_have_url(re.compile(r"/inbox/bulk/[0-9A-Z]{12}$"))
    expect(alice.locator("#sum")).to_contain_text("4 of 4 are through")
    expect(alice.get_by_role("table", name="Tasks that were completed").get_by_role("row")).to_have_count(5)
    assert axe.broken(alice) == []


def test_a_task_is_given_away_and_put_off(alice: Page, clinic: Clinic, desk: Callable[..., Page]) -> None:
    waiting(clinic, 1)
    alice.goto("/inbox")
    alice.locator("a.task").first.click()
    alice.locator("summary", has_text="Assign, due date").click()
    assert axe.broken(alice) == []
    alice.get_by_label("Give it to").select_option("bob")
    alice.get_by_label("Note for them").fill("you know her")
    alice.get_by_role("button", name="Assign").click()
    expect(alice.locator(".flash")).to_contain_text("bob has the task now")
    bob = desk("bob")
    bob.goto("/inbox?view=mine")
    bob.locator("a.task").first.click()
    expect(bob.locator(".log")).to_contain_text("alice gave Update Now to bob. “you know her”")
    bob.locator("summary", has_text="Assign, due date").click()
    day = f"{clinic.clock().date().replace(year=clinic.clock().year + 1)}"
    bob.get_by_label("Not before").fill(day)
    bob.get_by_role("button", name="Put it off", exact=True).click()
    expect(bob.locator(".flash")).to_contain_text("comes back on")
    bob.goto("/inbox?view=later")
    expect(bob.locator("tr[data-task]")).to_have_count(1)


def test_the_palette_goes_to_patients_tasks_and_pages(alice: Page, clinic: Clinic) -> None:
    waiting(clinic, 3, first_name="Palina")
    alice.goto("/patients")
    alice.wait_for_selector("body[data-ready]")
    alice.keyboard.press("Control+k")
    expect(alice.get_by_role("combobox", name="Patient, case, task or action")).to_be_focused()
    alice.keyboard.type("Palina Quillab")
    expect(alice.get_by_role("option", name="Update Now")).to_be_visible()
    assert axe.broken(alice) == []
    alice.keyboard.press("ArrowDown")
    alice.keyboard.press("ArrowDown")
    alice.keyboard.press("Enter")
    expect(alice).to_have_url(re.compile(r"/inbox/[0-9A-Z]{12}"))
    alice.wait_for_selector("body[data-ready]")
    alice.keyboard.press("Control+k")
    alice.keyboard.type("put off")
    alice.keyboard.press("Enter")
    expect(alice).to_have_url(re.compile("view=later"))


def test_letters_can_be_switched_off(alice: Page, clinic: Clinic) -> None:
    waiting(clinic, 1)
    alice.goto("/inbox")
    alice.wait_for_selector("body[data-ready]")
    alice.keyboard.press("?")
    alice.get_by_label("Letters work as keys").uncheck()
    alice.keyboard.press("Escape")
    alice.keyboard.press("j")
    expect(alice.locator("a.task:focus")).to_have_count(0)
    alice.evaluate("localStorage.clear()")


def test_the_desk_on_a_phone(alice: Page, clinic: Clinic) -> None:
    waiting(clinic, 3)
    alice.set_viewport_size(SMALL)
    for address in ("/inbox", "/inbox?kind=enrollment%2FUpdateNow&due=friday&cols=why,due,with,priority,since,process"):
        alice.goto(address)
        alice.wait_for_selector("body[data-ready]")
        assert alice.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
        assert axe.broken(alice) == []
