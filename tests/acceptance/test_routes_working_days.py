"""The practice's working days over HTTP: who keeps them, what is refused, and what the desk says of a holiday."""

from __future__ import annotations

from datetime import date

from acceptance.conftest import House
from usher_engine import SYSTEM

PAGE = "/admin/working-days"


def test_an_administrator_keeps_week_and_holidays_and_the_audit_page_says_so(house: House) -> None:
    adam, keeper = house.visitor("adam"), house.enrollment.engine.working_calendar
    assert "No holidays yet" in adam.get(PAGE).text
    assert "The working days of the week are set." in adam.post(f"{PAGE}/week", {"weekday": ["0", "1", "5"]}).text
    assert "1 May is a holiday." in adam.post(f"{PAGE}/holidays", {"day": "2026-05-01", "name": "May Day"}).text
    assert "12 days of 2026 were added." in adam.post(f"{PAGE}/us-federal", {"year": "2026"}).text
    page = adam.get(PAGE).text
    assert "2026, 13 days" in page and "Independence Day, observed" in page
    assert "no holiday any more" in adam.post(f"{PAGE}/holidays/remove", {"day": "2026-05-01"}).text
    assert keeper.working_days().weekdays == {0, 1, 5}
    told = house.visitor("audrey").get("/audit?kind=SettingChanged").text
    for words in (
        "Set the working days of the week to Monday, Tuesday and Saturday.",
        "Added a holiday: May Day (2026-05-01).",
        "Added 12 holidays: New Year",
        "Took off a holiday: May Day (2026-05-01).",
    ):
        assert words in told


def test_what_cannot_be_is_refused_at_its_field(house: House) -> None:
    adam = house.visitor("adam")
    adam.get(PAGE)
    for where, sent, status, words in (
        ("week", {}, 422, "Choose at least one day of the week."),
        ("week", {"weekday": "9"}, 422, "Choose at least one day of the week."),
        ("holidays", {"day": "", "name": "x"}, 422, "Choose a day."),
        ("holidays", {"day": "soon", "name": "x"}, 422, "This is not a date."),
        ("holidays", {"day": "2026-05-01", "name": "  "}, 422, "Name the holiday"),
        ("us-federal", {"year": "99999"}, 422, "Choose a year from 2000"),
    ):
        answer = adam.post(f"{PAGE}/{where}", sent)
        assert answer.status_code == status and words in answer.text, (where, sent)
    adam.post(f"{PAGE}/holidays", {"day": "2026-05-01", "name": "<b>May</b>"})
    assert "&lt;b&gt;May&lt;/b&gt;" in adam.get(PAGE).text
    assert adam.post(f"{PAGE}/holidays", {"day": "2026-05-01", "name": "Again"}).status_code == 409
    assert "is no holiday" in adam.post(f"{PAGE}/holidays/remove", {"day": "2026-05-02"}).text


def test_nobody_else_reads_or_changes_them(house: House) -> None:
    for name in ("alice", "ana", "audrey"):
        visitor = house.visitor(name)
        assert visitor.get(PAGE).status_code == 403
        assert visitor.post(f"{PAGE}/us-federal", {"year": "2026"}).status_code == 403
    assert not house.enrollment.engine.working_calendar.working_days().holidays


def test_the_desk_says_that_a_day_is_off_and_offers_the_next_working_day(house: House) -> None:
    alice, engine = house.visitor("alice"), house.enrollment.engine
    today = engine.settings.calendar.day_of(house.clock())
    assert today == date(2026, 5, 4)  # a Monday
    engine.working_calendar.add_holiday(date(2026, 5, 5), "Spring Day", actor=SYSTEM)
    house.select("sample-pending", alice)
    task = house.newest_task()
    alice.get(f"/inbox/{task}")
    page = alice.post(f"/inbox/{task}/due", {"day": "2026-05-05"}).text
    assert "It is due on 5 May. The practice does not work on that day (Spring Day); nothing is moved." in page
    assert "It is due on 6 May." in alice.post(f"/inbox/{task}/due", {"day": "", "next": "yes"}).text
    assert engine.inbox.task(task).due == engine.settings.calendar.end_of(date(2026, 5, 6))
    page = alice.post(f"/inbox/{task}/later", {"until": "2026-05-09"}).text
    assert "comes back on 9 May" in page and "(a Saturday); nothing is moved." in page
    assert engine.inbox.task(task).until == "2026-05-09"
    assert "comes back on 6 May; until then" in alice.post(f"/inbox/{task}/later", {"until": "", "next": "yes"}).text


def test_many_tasks_are_due_on_the_next_working_day(house: House) -> None:
    alice, engine = house.visitor("alice"), house.enrollment.engine
    engine.working_calendar.add_holiday(date(2026, 5, 5), "Spring Day", actor=SYSTEM)
    for patient in ("sample-pending", "sample-declined"):
        house.select(patient, alice)
    tasks = [task.id for task in engine.inbox.tasks(limit=10)]
    assert "to the next working day" in alice.post("/inbox/bulk", {"act": "set_due", "task": tasks}).text
    off = {"bulk.act": "set_due", "bulk.task": tasks, "bulk.day": "2026-05-05"}
    page = alice.post("/inbox/bulk/run", off).text
    assert "5 May was chosen. The practice does not work on that day (Spring Day); nothing is moved." in page
    while engine.batches.work():
        pass
    assert {engine.inbox.task(task).due for task in tasks} == {engine.settings.calendar.end_of(date(2026, 5, 5))}
    sent = {"bulk.act": "set_due", "bulk.task": tasks, "bulk.day": "", "bulk.next": "yes"}
    alice.post("/inbox/bulk/run", sent)
    while engine.batches.work():
        pass
    assert {engine.inbox.task(task).due for task in tasks} == {engine.settings.calendar.end_of(date(2026, 5, 6))}
