"""Comments in the browser: names by keyboard, live for the other, nothing typed is lost."""

from __future__ import annotations

from collections.abc import Callable

from browser.clinic import Clinic
from browser.test_live import listening, staff
from playwright.sync_api import Page, expect

Desk = Callable[..., Page]


def test_a_colleague_is_mentioned_by_keyboard_and_sees_it_at_once(clinic: Clinic, desk: Desk) -> None:
    task = clinic.trigger(clinic.add(email=None)).tasks[0].id
    alice, bob = desk("alice"), desk("bob")
    listening(bob, "/inbox")
    alice.goto(f"/inbox/{task}")
    alice.wait_for_selector("body[data-ready]")
    words = alice.get_by_role("textbox", name="Add a comment")
    words.click()
    alice.keyboard.type("Please ask @bo")
    expect(alice.get_by_role("option", name="@bob")).to_have_attribute("aria-selected", "true")
    alice.keyboard.press("Enter")
    alice.keyboard.type("today.")
    expect(words).to_have_value("Please ask @bob today.")
    with alice.expect_navigation():
        alice.keyboard.press("Control+Enter")
    alice.wait_for_selector("body[data-ready]")
    expect(alice.locator("[data-mine] .words")).to_have_text("Please ask @bob today.")
    expect(words).to_have_value("")
    expect(bob.locator(".fresh")).to_contain_text("Somebody mentioned you")
    bob.get_by_role("link", name="Show").click()
    with bob.expect_navigation():
        bob.get_by_role("link", name="alice mentioned you").click()
    expect(bob.locator(".to-me .words")).to_have_text("Please ask @bob today.")
    clinic.enrollment.engine.comments.add(task.partition(":")[0], "I did.", actor=staff("bob"))
    expect(alice.locator("[data-comment-list]")).to_contain_text("I did.")


def test_a_comment_that_is_being_typed_survives_a_reload(clinic: Clinic, desk: Desk) -> None:
    case = clinic.trigger(clinic.add(email=None))
    alice = desk("alice")
    for page in (f"/cases/{case.id}", f"/inbox/{case.tasks[0].id}"):
        alice.goto(page)
        alice.wait_for_selector("body[data-ready]")
        words = alice.get_by_role("textbox", name="Add a comment")
        words.fill(f"Half a sentence on {page}")
        expect(alice.locator("form[data-people][data-draft-url] [data-saved]")).to_contain_text("Draft saved")
        alice.reload()
        expect(words).to_have_value(f"Half a sentence on {page}")
