"""Reports in a real browser: the choice, the pictures, the tables with the same figures, and their downloads."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from browser.clinic import Clinic
from playwright.sync_api import Page, expect
from usher_engine import Actor
from usher_engine.enrollment import Answer

Desk = Callable[..., Page]
ALICE = Actor(name="alice", role="staff", groups=frozenset({"Front desk"}))
SPEAKING = {"communication": [{"language": {"coding": [{"code": "es"}]}, "preferred": True}]}
MONTHS = "from=2026-05-01&to=2026-07-31"


@pytest.fixture(scope="module")
def reported(clinic: Clinic) -> None:
    """Six patients in two months: three answer, one is asked for what is missing, one task waits, one is cancelled."""
    engine, clock = clinic.enrollment.engine, clinic.clock
    for answer, days in ((Answer.ACCEPT, 2), (Answer.DECLINE, 10), (Answer.ACCEPT, 0.1)):
        patient = clinic.add(resource=SPEAKING if days == 10 else {})
        link = clinic.invited(patient)
        clock.forward(days=days)
        proof = clinic.enrollment.identify(link.rpartition("/")[2], "97201", "1981-05-04")
        clinic.enrollment.respond(link.rpartition("/")[2], proof, answer)
        clock.forward(days=10)
    clinic.trigger(clinic.add("Pending"))
    case = clinic.trigger(clinic.add(email=None))
    clock.forward(hours=30)
    engine.cases.cancel_task(case.tasks[0].id, "not today", actor=ALICE)
    clinic.trigger(clinic.add("Completed"))


def opened(page: Page, query: str = MONTHS) -> Page:
    page.goto(f"/reports?{query}")
    page.wait_for_selector("body[data-ready]")
    return page


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("heat", ["visits", "waits"])
def test_it_reads_and_looks_right(
    reported: None, desk: Desk, day_and_night: Callable[[Page, str], None], width: int, heat: str
) -> None:
    page = desk("audrey", viewport={"width": width, "height": 900}, reduced_motion="reduce")
    opened(page, f"{MONTHS}&heat={heat}")
    expect(page.get_by_role("heading", name="Reports", exact=True)).to_be_visible()
    expect(page.locator(".djs-shape.heat-5")).not_to_have_count(0)
    expect(page.locator(".bjs-powered-by")).to_be_visible()
    day_and_night(page, f"reports-{width}-{heat}")


def test_the_numbers_are_those_of_the_cases(reported: None, desk: Desk) -> None:
    page = opened(desk("ana"))
    expect(page.locator("main")).to_contain_text("6 cases started 1 May 2026 to 31 July 2026")
    expect(page.locator("main")).to_contain_text("Few cases: a single one moves these numbers a lot.")
    months = page.get_by_role("table", name="From trigger to answer by month")
    expect(months.locator("tbody tr").first).to_contain_text(re.compile("May 2026"))
    languages = page.get_by_role("table", name="From trigger to answer by language")
    expect(languages.get_by_role("row", name=re.compile("Spanish"))).to_have_text("Spanish (es) 1 1 1 0 1 0")
    expect(languages.get_by_role("row", name=re.compile("Unknown"))).to_have_text("Unknown 5 2 2 2 0 0")
    elements = page.get_by_role("table", name="Elements")
    expect(elements.get_by_role("row", name=re.compile("Resend Invitation"))).to_have_text("Resend Invitation 1 1")
    expect(elements.get_by_role("row", name=re.compile("Update Now"))).to_contain_text("1.2 days 1.2 days")
    ways = page.get_by_role("table", name="Ways of ended cases")
    expect(ways.locator("tbody tr").first).to_contain_text("Trigger selected → Load patient")
    expect(ways.get_by_role("link")).to_have_count(0)


def test_an_example_leads_an_auditor_to_the_replay(reported: None, desk: Desk) -> None:
    page = opened(desk("audrey"))
    page.get_by_role("table", name="Ways of ended cases").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("/cases/.*/replay"))


def test_a_table_comes_as_csv(reported: None, desk: Desk) -> None:
    page = opened(desk("adam"))
    links = page.get_by_role("link", name="Download as CSV")
    assert links.count() == 6
    for place in range(6):
        answer = page.request.get(links.nth(place).get_attribute("href") or "")
        assert answer.status == 200 and answer.headers["content-type"].startswith("text/csv")
        rows = list(csv.reader(io.StringIO(answer.text())))
        assert len({len(row) for row in rows}) == 1 and len(rows) > 1
    assert page.request.get("/reports/none.csv").status == 404


def test_the_wrong_order_of_dates_is_reported_at_the_field(
    reported: None, desk: Desk, accessible: Callable[[Page], None], shot: Callable[[Page, str], None]
) -> None:
    page = opened(desk("audrey"), "from=2026-07-01&to=2026-06-01")
    field = page.get_by_label("Started from")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#f-from-m")).to_contain_text("This is after the last day, 1 June 2026.")
    accessible(page)
    shot(page, "reports-wrong")
    field.fill("2026-05-01")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("main")).to_contain_text("started 1 May 2026")
    opened(page, "from=soon")
    expect(page.locator("#f-from-m")).to_contain_text("This is not a date.")
    assert page.request.get("/reports/elements.csv?from=soon").status == 422


def test_an_empty_time_says_what_to_do(reported: None, desk: Desk, accessible: Callable[[Page], None]) -> None:
    page = opened(desk("audrey"), "from=2020-01-01&to=2020-02-01&process=unknown&version=77&heat=x")
    expect(page.get_by_role("heading", name="No case was started in this time")).to_be_visible()
    accessible(page)


def test_reports_by_keyboard_alone(reported: None, desk: Desk) -> None:
    page = opened(desk("audrey"))
    page.get_by_label("Colour the diagram by").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("heat=waits"))
    expect(page.get_by_role("heading", name="Reports", exact=True)).to_be_visible()


def test_without_javascript_the_tables_say_it_all(reported: None, desk: Desk) -> None:
    page = desk("audrey", java_script_enabled=False)
    page.goto(f"/reports?{MONTHS}")
    expect(page.get_by_role("table", name="Elements")).to_be_visible()
    expect(page.locator("svg.bars")).to_have_count(3)
