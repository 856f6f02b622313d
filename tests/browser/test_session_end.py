"""The end of a session: a quiet line before it, an empty page after it, and the same place after signing in again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from browser.analyst import opened, select
from browser.clinic import PASSWORD, Clinic
from browser.people import KEPT, Staff
from playwright.sync_api import Page, expect
from usher_engine import Engine
from usher_web.auth import acting

IDLE = timedelta(minutes=15)


@pytest.fixture
def short(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that end after a quarter of an hour without work."""
    monkeypatch.setattr(clinic.accounts, "idle", IDLE)


@pytest.fixture
def alice(short: None, desk: Callable[..., Page], clinic: Clinic) -> Staff:
    page = desk("alice")
    page.clock.install()
    return Staff(page, clinic)


def ready(page: Page) -> Page:
    page.wait_for_selector("body[data-ready]")
    return page


def pass_by(clinic: Clinic, *pages: Page, minutes: float) -> None:
    """Let time pass, for the server and for the windows."""
    clinic.clock.forward(minutes=minutes)
    for page in pages:
        page.clock.run_for(round(minutes * 60_000) + 1000)


def in_update_now(clinic: Clinic, alice: Staff) -> str:
    """Alice is typing into Update Now; answers the address."""
    of_their_own = "abcdefghijklmnop"[clinic.patients]  # for patients who look alike, pages ask which is meant
    alice.trigger(clinic.add(last_name=f"Quillington{of_their_own}", email=None, zip_code=None))
    alice.claim("Update Now")
    ready(alice.page)
    return alice.page.url


def expect_door(page: Page) -> None:
    """Nothing of a patient is left: not in the text, the title or the address."""
    expect(page.get_by_role("dialog", name="Your session has ended")).to_be_visible()
    expect(page).to_have_title("Signed out · Usher")
    assert "Quillington" not in page.content()
    assert page.url.endswith("/sign-in")


def sign_in(page: Page) -> None:
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in and go on").click()


def test_two_minutes_before_a_line_offers_to_stay(
    clinic: Clinic, alice: Staff, accessible: Callable[[Page], None]
) -> None:
    in_update_now(clinic, alice)
    pass_by(clinic, alice.page, minutes=13.1)
    line = alice.page.get_by_text("You will be signed out in two minutes")
    expect(line).to_be_visible()
    accessible(alice.page)
    alice.page.get_by_role("button", name="Stay signed in").click()
    expect(line).to_have_count(0)
    pass_by(clinic, alice.page, minutes=12)
    expect(line).to_have_count(0)
    assert clinic.accounts.live_sessions("alice") > 0


def test_the_page_is_emptied_and_signing_in_goes_on_in_the_same_place(
    clinic: Clinic, alice: Staff, accessible: Callable[[Page], None], shot: Callable[[Page, str], None]
) -> None:
    page, address = alice.page, in_update_now(clinic, alice)
    page.route(re.compile("/draft$"), lambda route: route.abort())
    page.get_by_label("ZIP code").fill("97201")
    page.get_by_label("ZIP code").evaluate("(field) => field.setSelectionRange(2, 2)")
    expect(page.locator(KEPT)).to_contain_text("Kept on this computer")
    pass_by(clinic, page, minutes=16)
    expect_door(page)
    expect(page.get_by_role("dialog")).to_contain_text("What you typed in Update Now is kept.")
    expect(page.get_by_label("Password")).to_be_focused()
    accessible(page)
    shot(page, "session-over")
    page.keyboard.press("Escape")
    expect_door(page)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    sign_in(page)
    zip_code = ready(page).get_by_label("ZIP code")
    expect(page).to_have_url(address.partition("#")[0])
    expect(zip_code).to_have_value("97201")
    expect(zip_code).to_be_focused()
    assert zip_code.evaluate("(field) => field.selectionStart") == 2
    page.unroute_all()


def test_every_tab_is_emptied_and_goes_on(clinic: Clinic, alice: Staff) -> None:
    address = in_update_now(clinic, alice)
    second = alice.page.context.new_page()
    second.clock.install()
    second.goto(f"/cases/{clinic.enrollment.engine.inbox.tasks(limit=1)[-1].instance}")
    ready(second)
    pass_by(clinic, alice.page, second, minutes=16)
    expect_door(alice.page)
    expect_door(second)
    sign_in(alice.page)
    expect(alice.page).to_have_url(address.partition("#")[0])
    expect(second).to_have_url(re.compile("/cases/"))
    second.close()


def test_work_in_one_tab_keeps_the_others_open(clinic: Clinic, alice: Staff) -> None:
    in_update_now(clinic, alice)
    second = alice.page.context.new_page()
    second.clock.install()
    second.goto("/inbox")
    for _ in range(3):
        clinic.clock.forward(minutes=8)
        second.goto("/inbox")
        ready(second)
        alice.page.clock.run_for(8 * 60_000)
    expect(alice.page.get_by_role("heading", name="Update Now", level=2)).to_be_visible()
    second.close()


def test_somebody_else_gets_their_own_inbox(clinic: Clinic, alice: Staff) -> None:
    page, address = alice.page, in_update_now(clinic, alice)
    page.get_by_label("ZIP code").fill("97201")
    page.clock.run_for(1500)
    expect(page.locator(KEPT)).to_contain_text("Draft saved")
    pass_by(clinic, page, minutes=16)
    expect_door(page)
    page.get_by_role("link", name="I am somebody else").click()
    page.get_by_label("Name").fill("bob")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/inbox$"))
    expect(page.locator(".bar .who-name")).to_have_text("bob")
    page.goto(address)
    expect(page.get_by_text("claimed by alice")).to_be_visible()
    assert "97201" not in page.content()
    task = clinic.enrollment.engine.inbox.tasks(limit=200)[-1].id
    found = clinic.enrollment.engine.task_drafts.find(task, acting(clinic.accounts.user("alice")))
    assert found is not None and found.typed["zip_code"] == "97201"


def test_without_script_the_sign_in_page_says_why_and_leads_back(
    clinic: Clinic, short: None, desk: Callable[..., Page]
) -> None:
    alice = Staff(desk("alice", java_script_enabled=False), clinic)
    alice.trigger(clinic.add(email=None))
    alice.page.get_by_role("button", name="Update Now", exact=True).click()
    address = alice.page.url.partition("#")[0].partition("?")[0]
    clinic.clock.forward(minutes=20)
    alice.page.get_by_label("E-mail").fill("vera@example.org")
    alice.page.get_by_role("button", name="Save and send invitation").click()
    expect(alice.page.get_by_text("Your session has ended.")).to_be_visible()
    alice.page.get_by_label("Name").fill("alice")
    alice.page.get_by_label("Password").fill(PASSWORD)
    alice.page.get_by_role("button", name="Sign in").click()
    expect(alice.page).to_have_url(re.compile(re.escape(address)))


def test_an_editor_goes_on_with_what_was_not_saved(
    clinic: Clinic, engine: Engine, short: None, desk: Callable[..., Page]
) -> None:
    page = desk("ana")
    page.clock.install()
    opened(page)
    page.route(re.compile("/draft/file/"), lambda route: route.abort())
    select(page, "UpdateNow").get_by_label("Name").first.fill("Update them now")
    address = page.url
    pass_by(clinic, page, minutes=16)
    expect(page.get_by_role("dialog", name="Your session has ended")).to_be_visible()
    assert page.evaluate("document.elementFromPoint(400, 300)?.closest('[data-modeler]') == null"), "behind the door"
    sign_in(page)
    expect(page.get_by_role("dialog", name="Your session has ended")).to_have_count(0)
    expect(page.locator("[data-modeler] svg").first).to_be_visible()
    expect(page.get_by_label("Name").first).to_have_value("Update them now")
    assert page.url == address
    page.unroute_all()
