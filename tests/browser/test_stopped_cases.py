"""A case that has stopped stands in the inbox of the people who can do something about it, with its way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from browser import axe
from browser.clinic import Clinic
from browser.windows import listening
from playwright.sync_api import Page, expect
from usher_engine import Actor
from usher_engine.accounts import Role

Desk = Callable[..., Page]
EHR = Actor(name="ehr", role="system")


@pytest.fixture(autouse=True)
def refusing(clinic: Clinic) -> Iterator[None]:
    clinic.postbox.refusal = "550 5.1.1 no such mailbox"
    yield
    clinic.postbox.refusal = ""


def stopped(clinic: Clinic) -> str:
    """A case that the EHR began and that stopped before it had a task for anybody; return its number."""
    who = clinic.add()
    case = clinic.enrollment.trigger(who, "Office Visit", "Patient Portal", "Enrollment", actor=EHR)
    clinic.until(lambda: clinic.cases(who)[0].status == "incident")
    return case.id


def test_who_works_on_the_process_sees_it_and_tries_again(clinic: Clinic, desk: Desk) -> None:
    case = stopped(clinic)
    page = desk("alice")
    page.goto("/inbox")
    row = page.locator(f'li[data-stopped][data-case="{case}"]')
    expect(row).to_contain_text("Vera Quill")
    expect(row).to_contain_text("refused the mail for good")
    expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Inbox")).to_contain_text("1")
    assert axe.broken(page) == []
    clinic.postbox.refusal = ""
    row.get_by_role("button", name="Try again").click()
    expect(page.locator(".strip")).to_contain_text(re.compile(r"Vera Quill\w+ is invited\."))
    page.reload()
    expect(row).to_have_count(0)


def test_another_that_stops_is_announced_while_the_list_is_open(clinic: Clinic, desk: Desk) -> None:
    page = desk("alice")
    listening(page, "/inbox")
    case = stopped(clinic)
    expect(page.locator(".fresh")).to_contain_text("Another case has stopped")
    page.locator(".fresh").get_by_role("link", name="Show").click()
    expect(page.locator(f'li[data-case="{case}"]')).to_be_visible()


def test_who_works_elsewhere_does_not_see_it(clinic: Clinic, desk: Desk) -> None:
    clinic.accounts.add_user("charlie", "a password for tests", role=Role.STAFF, groups=["Billing"], by="test")
    case = stopped(clinic)
    page = desk("charlie")
    page.goto("/inbox")
    expect(page.locator("[data-stopped]")).to_have_count(0)
    answer = page.goto(f"/cases/{case}")
    assert answer is not None and answer.status == 404
