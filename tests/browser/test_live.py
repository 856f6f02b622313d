"""Pages follow by themselves: rows, the open task and the case page change while nobody touches them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser.clinic import Clinic
from browser.people import Staff
from browser.windows import listening
from playwright.sync_api import APIResponse, Page, Route, expect
from usher_engine import Actor

Desk = Callable[..., Page]


@pytest.fixture
def alice(desk: Desk, clinic: Clinic) -> Staff:
    return Staff(desk("alice"), clinic)


def staff(name: str) -> Actor:
    return Actor(name=name, role="staff", groups=frozenset({"Front desk"}))


def with_task(clinic: Clinic) -> tuple[str, str]:
    """A patient with an open Update Now, as (patient, task)."""
    who = clinic.add(email=None)
    return who, clinic.trigger(who).tasks[0].id


def row(page: Page, task: str):
    return page.locator(f'tr[data-task="{task}"]')


def test_a_row_changes_in_place_and_is_struck_when_its_task_is_gone(clinic: Clinic, alice: Staff) -> None:
    engine, (_, task) = clinic.enrollment.engine, with_task(clinic)
    listening(alice.page, "/inbox")
    link = row(alice.page, task).get_by_role("link")
    link.focus()
    asked: list[str] = []
    alice.page.on("request", lambda request: asked.append(request.url) if "/inbox/rows" in request.url else None)
    engine.cases.claim(task, actor=staff("bob"))
    expect(row(alice.page, task)).to_contain_text("bob")
    assert asked == [], "it was told, and did not ask"
    expect(link).to_be_focused()
    engine.cases.cancel_task(task, "Wrong patient.", actor=staff("bob"))
    expect(row(alice.page, task)).to_have_class(re.compile("gone"))
    expect(row(alice.page, task)).to_contain_text("bob cancelled Update Now")
    expect(alice.page.locator("#announcer")).to_contain_text("has closed")


def test_new_tasks_wait_until_somebody_wants_to_see_them(clinic: Clinic, alice: Staff) -> None:
    listening(alice.page, "/inbox")
    before = alice.page.locator("tr[data-task]").count()
    _, task = with_task(clinic)
    bar = alice.page.locator(".fresh")
    expect(bar).to_contain_text("1 new task")
    expect(alice.page.locator("tr[data-task]")).to_have_count(before)
    bar.get_by_role("link", name="Show").click()
    expect(row(alice.page, task)).to_be_visible()


def test_the_open_task_says_that_it_has_closed_and_keeps_what_was_typed(clinic: Clinic, alice: Staff) -> None:
    engine, (_, task) = clinic.enrollment.engine, with_task(clinic)
    engine.cases.claim(task, actor=staff("alice"))
    listening(alice.page, f"/inbox/{task}")
    alice.page.get_by_label("E-mail").fill("typed@example.org")
    engine.cases.cancel(task.partition(":")[0], "The patient asked at the desk.", actor=staff("bob"))
    said = alice.page.get_by_role("alert").filter(has_text="This task has closed")
    expect(said).to_contain_text("bob cancelled the case")
    expect(said).to_contain_text("What you typed is still here")
    expect(alice.page.get_by_label("E-mail")).to_have_value("typed@example.org")


def test_the_page_of_a_case_follows_it(clinic: Clinic, alice: Staff) -> None:
    who = clinic.add()
    with clinic.worker.gate:
        case = clinic.trigger(who).id
        listening(alice.page, f"/cases/{case}")
        alice.expect_case("queued to be sent")
    alice.expect_case("The invitation e-mail was sent")
    expect(alice.page.get_by_role("complementary", name="Facts")).to_contain_text("Pending")
    expect(alice.page.locator("svg [data-element-id=InvitationSent].djs-element")).to_be_visible()


def test_what_changes_while_the_page_is_fetched_is_shown_too(clinic: Clinic, alice: Staff) -> None:
    page, engine, (_, task) = alice.page, clinic.enrollment.engine, with_task(clinic)
    case = task.partition(":")[0]
    listening(page, f"/cases/{case}")
    late: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if late:
            route.continue_()
        else:
            late.append((route, route.fetch()))

    page.route(f"**/cases/{case}", hold_the_first)
    page.evaluate("document.addEventListener('usher:live', e => console.log(e.detail.kind))")
    with page.expect_console_message(lambda said: said.text == "cases"):
        engine.cases.claim(task, actor=staff("bob"))
    while not late:
        page.wait_for_timeout(20)
    with page.expect_console_message(lambda said: said.text == "cases"):
        engine.cases.release(task, actor=staff("bob"))
    [(route, answer)] = late
    route.fulfill(response=answer)
    alice.expect_story("bob released")


def test_the_windows_of_a_browser_share_one_stream(clinic: Clinic, alice: Staff) -> None:
    _, task = with_task(clinic)
    listening(alice.page, "/inbox")
    other = alice.page.context.new_page()
    other.goto(f"{clinic.url}/inbox/{task}")
    expect(other.get_by_role("article")).to_be_visible()
    clinic.enrollment.engine.cases.claim(task, actor=staff("bob"))
    expect(row(alice.page, task)).to_contain_text("bob")
    expect(other.get_by_role("alert")).to_contain_text("bob is working on this task now")
    other.close()
