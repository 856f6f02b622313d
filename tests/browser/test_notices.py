"""Notices of the browser: turned on by the person, shown only while no page is in view, without names of patients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from browser.clinic import Clinic
from browser.test_live import listening, staff, with_task
from playwright.sync_api import Page, expect

#: A browser without a desktop refuses notices whatever it was granted: this one asks, and shows them on the console.
SHOWING = """
window.Notification = class extends EventTarget {
  static get permission() { return localStorage.getItem("permission of the test") ?? "default"; }
  static async requestPermission() { localStorage.setItem("permission of the test", "granted"); return "granted"; }
  constructor(title, more) { super(); console.log(`notice: ${more.body}`); }
};
"""
HIDDEN = "Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });"


@pytest.fixture
def page(clinic: Clinic, desk: Callable[..., Page]) -> Iterator[Page]:
    """A window of alice's that later tests do not get: scripts of this test stay in it."""
    window = desk("alice").context.new_page()
    yield window
    window.close()


def turned_on(clinic: Clinic, page: Page) -> None:
    page.add_init_script(SHOWING)
    page.goto(f"{clinic.url}/profile")
    expect(page.get_by_text("They are off in this browser.")).to_be_visible()
    page.get_by_role("button", name="Turn them on").click()
    expect(page.get_by_text("They are on in this browser.")).to_be_visible()


def test_a_task_given_to_the_person_is_told_while_no_page_is_in_view(clinic: Clinic, page: Page) -> None:
    turned_on(clinic, page)
    page.add_init_script(HIDDEN)
    _, task = with_task(clinic)
    listening(page, f"{clinic.url}/inbox")
    with page.expect_event("console", lambda said: said.text.startswith("notice:")) as heard:
        clinic.enrollment.engine.desk.assign(task, staff("alice"), actor=staff("bob"), note="Ada asked for you")
    assert heard.value.text == "notice: A task was given to you."


def test_nothing_is_told_while_a_page_is_in_view_or_the_person_turned_them_off(clinic: Clinic, page: Page) -> None:
    said = list[str]()
    turned_on(clinic, page)
    page.on("console", lambda message: said.append(message.text))
    _, task = with_task(clinic)
    listening(page, f"{clinic.url}/inbox")
    clinic.enrollment.engine.desk.assign(task, staff("alice"), actor=staff("bob"))
    expect(page.locator(f'tr[data-task="{task}"]')).to_contain_text("you")
    page.wait_for_function("localStorage.getItem('usher-notices-shown')?.includes('given')")
    page.goto(f"{clinic.url}/profile")
    page.get_by_role("button", name="Turn them off").click()
    expect(page.get_by_text("They are off in this browser.")).to_be_visible()
    assert not [one for one in said if one.startswith("notice:")]
