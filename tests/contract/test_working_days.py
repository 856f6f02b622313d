"""Due dates in working days: counted by the practice's week and holidays, recorded in the step, the same for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from conftest import Clock, alice
from playing import node, process, row
from usher_engine import SYSTEM, Actor, Engine
from usher_engine.bpmn import compile_diagram
from usher_engine.core.canonical import canonical
from usher_engine.core.errors import Conflict, InvalidSubmission, NotAllowed, NotFound
from usher_engine.definitions import Package
from usher_engine.reexecution.rerun import Difference, Rerun
from usher_engine.services import Services
from usher_engine.settings import Settings
from usher_engine.store import Database, instance_rows

ADMIN = Actor(name="adam", role="admin")


def due_in(text: str) -> Package:
    task = (
        '<userTask id="Ask" name="Ask"><extensionElements><spiffworkflow:properties><spiffworkflow:property '
        f'name="dueIn" value="{text}"/></spiffworkflow:properties></extensionElements></userTask>'
    )
    return process(node("startEvent", "S"), task, node("endEvent", "E"), row("S", "Ask", "E"))


@pytest.fixture
def practice(settings: Settings, services: Services, clock: Clock, database: Database) -> Callable[[str, str], Engine]:
    def make(zone: str, now: str) -> Engine:
        clock.time = datetime.fromisoformat(now)
        return Engine(replace(settings, time_zone=zone), services, clock, database)

    return make


def started(engine: Engine, text: str) -> Any:
    engine.deploy(due_in(text), actor=SYSTEM)
    return engine.start("p", {}, actor=alice)


def zone_of(engine: Engine, case: str) -> Any:
    with engine.database.read() as tx:
        return instance_rows.steps(tx, case)[0].body.get("zone")


@pytest.mark.parametrize(
    ("zone", "now", "text", "due"),
    [
        ("UTC", "2026-05-04T09:00:00+00:00", "3 working days", "2026-05-07T23:59:59.999999+00:00"),
        ("UTC", "2026-05-08T09:00:00+00:00", "1 working day", "2026-05-11T23:59:59.999999+00:00"),  # a Friday
        ("UTC", "2026-05-09T09:00:00+00:00", "1 working day", "2026-05-11T23:59:59.999999+00:00"),  # a Saturday
        # Thursday evening in New York is Friday in UTC; clocks go back on Sunday 1 November
        ("America/New_York", "2026-10-30T02:00:00+00:00", "2 working days", "2026-11-03T04:59:59.999999+00:00"),
        ("Pacific/Kiritimati", "2026-05-08T11:00:00+00:00", "1 working day", "2026-05-11T09:59:59.999999+00:00"),
        ("Asia/Kolkata", "2026-05-08T19:00:00+00:00", "1 working day", "2026-05-11T18:29:59.999999+00:00"),
    ],
)
def test_working_days_end_with_the_last_of_them_where_the_practice_is(
    practice: Any, zone: str, now: str, text: str, due: str
) -> None:
    engine = practice(zone, now)
    case = started(engine, text)
    assert case.tasks[0].due == datetime.fromisoformat(due)
    assert engine.verify(case.id) == []


def test_holidays_are_left_out_and_the_step_records_what_it_counted(practice: Any) -> None:
    engine = practice("America/New_York", "2026-11-25T15:00:00+00:00")  # the day before Thanksgiving
    engine.working_calendar.add_us_federal(2026, actor=ADMIN)
    engine.working_calendar.add_holiday(date(2026, 11, 27), "The day after", actor=ADMIN)
    case = started(engine, "2 working days")
    assert case.tasks[0].due == datetime.fromisoformat("2026-12-02T04:59:59.999999+00:00")
    off, on = ("2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29"), ("2026-11-30", "2026-12-01")
    assert zone_of(engine, case.id)["working"] == {**dict.fromkeys(off, False), **dict.fromkeys(on, True)}

    engine.working_calendar.remove_holiday(date(2026, 11, 26), actor=ADMIN)
    engine.working_calendar.set_weekdays({5, 6}, actor=ADMIN)
    elsewhere = practice("Asia/Kolkata", "2026-11-25T15:00:00+00:00")
    assert engine.verify(case.id) == elsewhere.verify(case.id) == []
    assert engine.inbox.task(case.tasks[0].id).due == case.tasks[0].due


def test_a_practice_in_utc_records_its_working_days_and_nothing_else(practice: Any) -> None:
    engine = practice("UTC", "2026-05-08T09:00:00+00:00")
    case = started(engine, "1 working day")
    working = {"2026-05-09": False, "2026-05-10": False, "2026-05-11": True}
    assert zone_of(engine, case.id) == {"name": "UTC", "working": working}
    engine.working_calendar.add_holiday(date(2026, 5, 11), "Closed", actor=ADMIN)
    assert engine.verify(case.id) == []


@pytest.mark.parametrize(
    "working", [None, {"2026-05-09": 0}, {"2026-05-09": True}, {"2026-05-09": False, "2026-05-10": False}, "none"]
)
def test_a_step_whose_working_days_were_altered_disagrees(practice: Any, working: Any) -> None:
    engine = practice("UTC", "2026-05-08T09:00:00+00:00")
    case = started(engine, "1 working day")
    with engine.database.read() as tx:
        body, found = dict(instance_rows.steps(tx, case.id)[0].body), instance_rows.find(tx, case.id)
    altered = {**body, "zone": {"name": "UTC", "working": working} if working is not None else None}
    with pytest.raises(Difference):
        Rerun(compile_diagram(due_in("1 working day")), found, engine.services).step(1, altered, canonical(altered))


def test_a_repair_counts_again_by_what_the_step_recorded(practice: Any, database: Database) -> None:
    engine = practice("America/New_York", "2026-05-08T15:00:00+00:00")
    case = started(engine, "1 working day")
    engine.working_calendar.add_holiday(date(2026, 5, 11), "Closed", actor=ADMIN)
    with database.begin() as tx:
        tx.exec_driver_sql(f"UPDATE instance_state SET content = '{{' WHERE instance = '{case.id}'")
    repaired = engine.repairs.repair(case.id, actor=ADMIN).instance
    assert repaired.tasks[0].due == case.tasks[0].due
    assert engine.verify(case.id) == []


def test_only_administrators_say_when_the_practice_works_and_each_change_is_recorded(engine: Engine) -> None:
    keeper = engine.working_calendar
    with pytest.raises(NotAllowed):
        keeper.set_weekdays({0}, actor=alice)
    with pytest.raises(InvalidSubmission, match="at least one"):
        keeper.set_weekdays(set(), actor=ADMIN)
    with pytest.raises(InvalidSubmission, match="Name the holiday"):
        keeper.add_holiday(date(2026, 5, 1), "  ", actor=ADMIN)
    with pytest.raises(InvalidSubmission, match="2000"):
        keeper.add_holiday(date(1026, 5, 1), "A slip", actor=ADMIN)
    with pytest.raises(NotFound):
        keeper.remove_holiday(date(2026, 5, 1), actor=ADMIN)
    keeper.set_weekdays({0, 1, 2, 3, 5}, actor=ADMIN)
    keeper.add_holiday(date(2026, 5, 1), "May Day", actor=ADMIN)
    with pytest.raises(Conflict, match="May Day"):
        keeper.add_holiday(date(2026, 5, 1), "Again", actor=ADMIN)
    assert keeper.add_us_federal(2026, actor=ADMIN) == 12
    assert keeper.add_us_federal(2026, actor=ADMIN) == 0
    keeper.remove_holiday(date(2026, 5, 1), actor=ADMIN)
    found = keeper.working_days()
    assert (sorted(found.weekdays), found.why_off(date(2026, 7, 4))) == ([0, 1, 2, 3, 5], "Independence Day")
    told = [event.details for event in engine.audit.events(kind="SettingChanged")]
    assert [sorted(set(one) - {"setting", "rows"}) for one in reversed(told)] == [
        ["weekdays"],
        ["added"],
        ["added"],
        ["removed"],
    ]
