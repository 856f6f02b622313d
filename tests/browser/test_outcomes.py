"""What I did comes back: a line above the next task follows the case by itself, on every page, until it is over."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser import axe
from browser.clinic import Clinic
from browser.people import Staff
from playwright.sync_api import Locator, Page, expect
from usher_engine.accounts import FollowedActs

Desk = Callable[..., Page]
REFUSED = "550 5.1.1 no such mailbox"


@pytest.fixture
def alice(desk: Desk, clinic: Clinic) -> Staff:
    forget_all(clinic)
    return Staff(desk("alice"), clinic)


def forget_all(clinic: Clinic) -> None:
    """Take away the lines of earlier tests."""
    for act in clinic.accounts.user("alice").followed:
        FollowedActs(clinic.accounts.database).forget("alice", act.instance)


def line(page: Page, words: str) -> Locator:
    """The line with these *words*, which may be about any Vera Quill…."""
    pattern = re.escape(words).replace("Vera\\ Quill", r"Vera Quill\w*")
    return page.locator(".strip").filter(has_text=re.compile(pattern))


def updated(alice: Staff, clinic: Clinic, email: str) -> str:
    """Fill in a missing address in Update Now and save; return the patient."""
    who = clinic.add(email=None)
    alice.trigger(who)
    alice.claim("Update Now")
    alice.page.get_by_label("E-mail").fill(email)
    alice.save("Save and send invitation")
    return who


def test_the_line_follows_the_mail_by_itself(clinic: Clinic, alice: Staff) -> None:
    with clinic.worker.gate:
        who = updated(alice, clinic, "vera@example.org")
        expect(line(alice.page, "The invitation to Vera Quill is on its way.")).to_contain_text("Update Now is done.")
    done = line(alice.page, "Vera Quill is invited.")
    expect(done).to_contain_text("mail accepted today")
    expect(done).to_contain_text("Pending")
    expect(done).to_contain_text(who)
    assert axe.broken(alice.page) == []
    alice.page.get_by_role("link", name="Patients", exact=True).click()
    expect(line(alice.page, "Vera Quill is invited.")).to_be_visible()
    line(alice.page, "Vera Quill is invited.").get_by_role("button", name="Take this line away").click()
    expect(alice.page).to_have_url(f"{clinic.url}/patients")
    expect(alice.page.locator(".strip")).to_have_count(0)


def test_a_failure_says_what_to_do_and_one_field_puts_it_right(clinic: Clinic, alice: Staff) -> None:
    clinic.postbox.refusal = REFUSED
    who = updated(alice, clinic, "vera@old.example.org")
    bad = line(alice.page, "Vera Quill was not invited.")
    expect(bad.get_by_role("alert")).to_be_visible()
    expect(bad).to_contain_text("Not Enrolled")
    assert axe.broken(alice.page) == []
    clinic.clock.forward(hours=3)
    alice.page.goto("/patients")
    expect(bad).to_be_visible()
    clinic.postbox.refusal = ""
    bad.get_by_text("Change the e-mail…").click()
    field = bad.get_by_label("New address for Vera Quill")
    expect(field).to_have_value("vera@old.example.org")
    field.fill("vera@")
    bad.get_by_role("button", name="Save and send again").click()
    expect(alice.page.get_by_label("New address for Vera Quill")).to_have_value("vera@")
    expect(alice.page.get_by_label("New address for Vera Quill")).to_have_attribute("aria-invalid", "true")
    assert axe.broken(alice.page) == []
    alice.page.get_by_label("New address for Vera Quill").fill("quill@example.org")
    alice.page.get_by_role("button", name="Save and send again").click()
    expect(line(alice.page, "Vera Quill is invited.")).to_contain_text("Pending")
    assert clinic.fields(who)["email"] == "quill@example.org"
    assert len(clinic.mails(who)) == 1
    case = clinic.cases(who)[0]
    assert clinic.enrollment.engine.verify(case.id) == []
    alice.open_case(who)
    alice.expect_story("The patient's record was corrected: e-mail.")


def test_what_came_of_it_is_there_without_a_script(clinic: Clinic, desk: Desk) -> None:
    forget_all(clinic)
    page = desk("alice", java_script_enabled=False)
    alice = Staff(page, clinic)
    who = clinic.add("Pending")
    clinic.trigger(who)
    page.goto(f"/inbox/{clinic.cases(who)[0].tasks[0].id}")
    alice.save("Resend Invitation")
    clinic.until(lambda: clinic.cases(who)[0].ended_at)
    page.reload()
    expect(line(page, "Vera Quill is invited.")).to_contain_text("Resend Invitation is done.")
    page.goto("/outcomes")
    expect(line(page, "Vera Quill is invited.")).to_be_visible()


def test_a_cancelled_task_says_that_nothing_was_sent(clinic: Clinic, alice: Staff) -> None:
    who = clinic.add("Pending")
    alice.trigger(who)
    alice.page.get_by_text("Cancel task…").click()
    alice.page.get_by_label("Why is it cancelled?").fill("Wrong patient.")
    alice.save("Cancel this task")
    expect(line(alice.page, "Resend Invitation was cancelled.")).to_contain_text("Vera Quill")


def test_three_lines_at_most_and_every_failure(clinic: Clinic, alice: Staff) -> None:
    clinic.postbox.refusal = REFUSED
    for failures in (1, 2):
        updated(alice, clinic, "vera@old.example.org")
        expect(line(alice.page, "was not invited")).to_have_count(failures)
    with clinic.worker.gate:
        clinic.postbox.refusal = ""
        for _ in range(3):
            updated(alice, clinic, "vera@example.org")
        expect(line(alice.page, "was not invited")).to_have_count(2)
        expect(alice.page.locator(".strip")).to_have_count(3)
        expect(alice.page.get_by_role("link", name="2 on their way")).to_be_visible()
