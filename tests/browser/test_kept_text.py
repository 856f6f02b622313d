"""Nothing typed is lost: reload, no network, an ended session, another person, a colleague who was faster."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser.clinic import Clinic
from browser.people import KEPT, Staff
from playwright.sync_api import Page, Route, expect

HERE = "Kept on this computer"
WHY = "Why is the response removed?"

#: The rows of the browser's store, as somebody finds them who looks at the disk.
STORED = """() => new Promise((done) => {
  const asked = indexedDB.open("usher-kept", 1);
  asked.onsuccess = () => {
    const all = asked.result.transaction("texts").objectStore("texts").getAll();
    all.onsuccess = () => {
      asked.result.close();
      done(all.result.map((row) => row.id + " " + new TextDecoder().decode(row.sealed)));
    };
  };
})"""


@pytest.fixture
def alice(desk: Callable[..., Page], clinic: Clinic) -> Staff:
    return Staff(desk("alice"), clinic)


@pytest.fixture
def typing(clinic: Clinic, alice: Staff) -> Page:
    """Alice's window with the form of Update Now, e-mail and ZIP code missing."""
    alice.trigger(clinic.add(email=None, zip_code=None))
    alice.claim("Update Now")
    ready(alice.page)
    return alice.page


def ready(page: Page) -> Page:
    page.wait_for_selector("body[data-ready]")
    return page


def drafts(page: Page, answer: str = "abort") -> list[str]:
    """From now on no draft reaches the server; the list is filled with what was tried."""
    tried: list[str] = []

    def stop(route: Route) -> None:
        if route.request.method == "POST":
            tried.append(route.request.post_data or "")
        route.abort()

    page.route(re.compile("/inbox/[^/]+/draft$"), stop)
    return tried


def test_a_reload_right_after_a_key_loses_nothing(typing: Page) -> None:
    drafts(typing)
    typing.get_by_label("ZIP code").press_sequentially("97201")
    expect(typing.locator(KEPT)).to_have_attribute("data-state", "kept")
    ready(typing).reload()
    expect(typing.get_by_label("ZIP code")).to_have_value("97201")


def test_draft_saved_is_the_servers_word(typing: Page) -> None:
    tried = drafts(typing)
    typing.get_by_label("ZIP code").fill("97201")
    saved = typing.locator(KEPT)
    expect(saved).to_contain_text(HERE)
    expect(typing.get_by_text("No network.")).to_be_visible()
    assert tried
    expect(saved).not_to_contain_text("Draft saved")
    typing.unroute_all()
    typing.evaluate("document.querySelector('[data-try-network]')?.click()")  # unless the page has just tried by itself
    expect(saved).to_contain_text("Your text is saved")


def test_without_network_nothing_is_sent_and_nothing_lost(typing: Page) -> None:
    typing.context.set_offline(True)
    try:
        expect(typing.get_by_text("No network.")).to_be_visible()
        typing.get_by_label("ZIP code").fill("97201")
        typing.get_by_label("E-mail").fill("vera@example.org")
        save = typing.get_by_role("button", name="Save and send invitation")
        expect(save).to_have_attribute("aria-disabled", "true")
        expect(save).to_have_accessible_description(re.compile("waits for the network"))
        typing.get_by_label("ZIP code").press("Control+Enter")
        expect(typing.locator(KEPT)).to_contain_text(re.compile("kept on this computer", re.IGNORECASE))
        expect(typing.get_by_label("ZIP code")).to_have_value("97201")
    finally:
        typing.context.set_offline(False)
    expect(typing.get_by_text("No network.")).to_have_count(0)
    expect(typing.locator(KEPT)).to_contain_text("saved")
    typing.reload()
    expect(typing.get_by_label("E-mail")).to_have_value("vera@example.org")


def test_the_store_of_the_browser_is_unreadable_and_ends_with_signing_out(typing: Page, clinic: Clinic) -> None:
    address = typing.url
    drafts(typing)
    typing.get_by_label("ZIP code").fill("97201")
    expect(typing.locator(KEPT)).to_contain_text(HERE)
    (row,) = typing.evaluate(STORED)
    assert row.startswith("alice\n") and "97201" not in row
    before = {cookie["name"] for cookie in typing.context.cookies() if cookie["name"].startswith("usher-kept")}
    assert len(before) == 1
    typing.context.clear_cookies(name="usher")
    typing.context.add_cookies([clinic.cookie("bob")])
    typing.goto("/inbox")
    typing.goto(address)
    expect(typing.get_by_text("alice is working on this task")).to_be_visible()
    assert "97201" not in ready(typing).content()
    typing.context.clear_cookies(name="usher")
    typing.context.add_cookies([clinic.cookie("alice")])
    typing.goto("/inbox")
    typing.goto(address)
    expect(typing.get_by_label("ZIP code")).to_have_value("97201")
    typing.unroute_all()
    typing.locator("details.who summary").click()
    typing.get_by_role("button", name="Sign out").click()
    expect(typing.get_by_role("heading", name="Sign in")).to_be_visible()
    assert typing.evaluate(STORED) == []
    names = {cookie["name"] for cookie in typing.context.cookies()}
    assert before.isdisjoint(names)


def test_two_people_type_into_one_task_and_keep_their_own_words(
    clinic: Clinic, alice: Staff, desk: Callable[..., Page]
) -> None:
    bob = Staff(desk("bob"), clinic)
    alice.trigger(clinic.add("Declined"))
    bob.page.goto(alice.page.url)
    for who in (alice, bob):
        ready(who.page).get_by_label(WHY).fill(f"Words of {'alice' if who is alice else 'bob'}.")
        expect(who.page.locator(KEPT)).to_contain_text("Draft saved")
    for who, words in ((alice, "Words of alice."), (bob, "Words of bob.")):
        who.page.reload()
        expect(who.page.get_by_label(WHY)).to_have_value(words)
        expect(who.page.get_by_text("typing in this task too")).to_be_visible()


def test_the_record_can_be_taken_instead_of_the_draft(typing: Page) -> None:
    typing.get_by_label("ZIP code").fill("97201")
    expect(typing.locator(KEPT)).to_contain_text("Draft saved")
    typing.reload()
    ready(typing).get_by_role("button", name="Start from the record instead").click()
    expect(typing.get_by_label("ZIP code")).to_have_value("")
    expect(typing.get_by_text("You typed here")).to_have_count(0)


def test_back_after_ones_own_answer_shows_it(clinic: Clinic, alice: Staff) -> None:
    alice.trigger(clinic.add("Declined"))
    ready(alice.page).get_by_label(WHY).fill("Asked at the desk.")
    alice.save("Enroll Now")
    alice.expect_done("Enroll Now is done.")
    alice.page.go_back()
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("You completed this")
    expect(alice.page.locator("main")).to_contain_text("Asked at the desk.")
    expect(alice.page.get_by_text("Somebody was faster")).to_have_count(0)


def test_what_was_sent_is_not_kept_in_the_browser(clinic: Clinic, alice: Staff) -> None:
    alice.trigger(clinic.add("Declined"))
    ready(alice.page).get_by_label(WHY).press_sequentially("Asked.")
    alice.page.keyboard.press("Control+Enter")
    alice.expect_done("Enroll Now is done.")
    alice.page.wait_for_function(f"async () => (await ({STORED})()).length === 0")


def test_the_loser_sees_both_corrects_the_record_and_is_not_led_back(
    clinic: Clinic, alice: Staff, desk: Callable[..., Page], shot: Callable[[Page, str], None]
) -> None:
    bob = Staff(desk("bob"), clinic)
    alice.trigger(clinic.add(email=None))
    alice.claim("Update Now")
    address = alice.page.url
    bob.page.goto(address)
    expect(bob.page.get_by_text("alice is working")).to_be_visible()
    ready(alice.page).get_by_label("E-mail").fill("quill@example.org")
    second = desk("alice")
    second.goto(address)
    ready(second).get_by_label("E-mail").fill("quill@example.com")
    expect(second.locator(KEPT)).to_contain_text("Draft saved")
    Staff(second, clinic).save("Release")
    bob.page.reload()
    bob.claim("Update Now")
    ready(bob.page).get_by_label("E-mail").fill("quill@example.net")
    bob.save("Save and send invitation")
    bob.expect_done("Update Now is done.")
    ready(alice.page).get_by_role("button", name="Save and send invitation").click()
    kept = alice.page.get_by_role("region", name="What you typed")
    expect(kept.get_by_role("row", name="E-mail")).to_contain_text("quill@example.net")
    expect(kept.get_by_role("row", name="E-mail")).to_contain_text("quill@example.org")
    expect(kept.get_by_role("row")).to_have_count(2)
    expect(kept.locator("mark").first).to_have_text("net")
    alice.page.reload()
    expect(kept).to_contain_text("quill@example.org")
    shot(alice.page, "somebody-was-faster")
    alice.page.get_by_role("radio").last.check()
    alice.page.get_by_role("button", name=re.compile("Go on with these")).click()
    expect(alice.page.locator(".flash")).to_have_text("The record was corrected: e-mail.")
    expect(alice.page).not_to_have_url(re.compile(re.escape(address.partition("?")[0])))
    alice.page.goto("/inbox")
    alice.page.goto(address)
    expect(kept).to_have_count(0)
