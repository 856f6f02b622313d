"""What people arrange about a task: who does it, when it is due, when it comes back; who may do so."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from conftest import Clock, Outside, alice, bob, charlie, package
from usher_engine import Actor, Conflict, Engine, InvalidSubmission, NotAllowed, NotFound
from usher_engine.cases import TaskFilter
from usher_engine.core.events import from_json
from usher_engine.core.state import InstanceState, fold

lead = Actor(name="lena", role="staff", groups=frozenset({"Front desk", "Leads"}))
elsewhere = Actor(name="lars", role="staff", groups=frozenset({"Billing", "Leads"}))
anne = Actor(name="anne", role="auditor")


@pytest.fixture
def small(engine: Engine) -> Engine:
    engine.deploy(package("small"), actor=alice)
    return engine


@pytest.fixture
def task(small: Engine, outside: Outside) -> str:
    outside.answers.append({"n": 2})
    small.start("small", {"q": 2}, actor=alice, business_key="p1")
    return small.inbox.tasks(alice)[0].id


def events_of(engine: Engine, task: str) -> list[str]:
    return [event["kind"] for step in engine.queries.history(task.partition(":")[0]) for event in step.events]


def check(engine: Engine, task: str) -> None:
    """The history folds into what is stored, and verify finds nothing."""
    case = task.partition(":")[0]
    events = [from_json(event) for step in engine.queries.history(case) for event in step.events]
    assert fold(InstanceState(), events) == engine.queries.rebuild(case)
    assert engine.verify(case) == []


def test_a_free_task_is_given_to_a_colleague(small: Engine, task: str) -> None:
    small.desk.assign(task, bob, actor=alice, note="you know her")
    assert small.inbox.task(task, bob).assignee == "bob"
    assert [one.id for one in small.inbox.tasks(bob, mine=True)] == [task]
    with pytest.raises(NotAllowed, match="bob has claimed this task"):
        small.complete(task, {"word": "yes"}, actor=alice)
    with pytest.raises(NotAllowed, match="bob has claimed this task"):
        small.desk.assign(task, alice, actor=alice)
    small.desk.assign(task, alice, actor=bob)
    small.complete(task, {"word": "yes"}, actor=alice)
    assert events_of(small, task).count("UserTaskAssigned") == 2
    check(small, task)


def test_a_lead_may_release_and_reassign_what_others_claimed(small: Engine, task: str) -> None:
    small.cases.claim(task, actor=alice)
    with pytest.raises(NotAllowed):
        small.desk.free(task, actor=bob)
    with pytest.raises(NotFound):
        small.desk.free(task, actor=elsewhere)
    small.desk.assign(task, bob, actor=lead)
    assert small.inbox.task(task).assignee == "bob"
    small.desk.free(task, actor=lead)
    assert small.inbox.task(task).assignee == ""
    with pytest.raises(Conflict, match="Nobody has claimed"):
        small.desk.free(task, actor=lead)
    check(small, task)


def test_nobody_gets_what_they_could_not_see(small: Engine, task: str) -> None:
    for to in (charlie, anne):
        with pytest.raises(InvalidSubmission, match="could not see it"):
            small.desk.assign(task, to, actor=alice)
    small.desk.assign(task, bob, actor=alice)
    with pytest.raises(InvalidSubmission, match="has this task already"):
        small.desk.assign(task, bob, actor=bob)
    for outsider in (charlie, elsewhere):
        with pytest.raises(NotFound):
            small.desk.assign(task, outsider, actor=outsider)
    with pytest.raises(NotAllowed):
        small.desk.put_off(task, date(2026, 6, 1), actor=anne)


def test_a_task_put_off_leaves_the_inbox_until_its_day(small: Engine, task: str, clock: Clock) -> None:
    today = small.settings.calendar.day_of(clock())
    small.desk.put_off(task, today + timedelta(days=3), actor=alice, note="she is on holiday")
    assert small.inbox.tasks(alice) == []
    counts = small.inbox.count_each(alice)
    assert (counts.all, counts.put_off) == (0, 1)
    assert small.inbox.count(alice, TaskFilter(put_off=True)) == 1
    assert small.inbox.task(task, alice).until == (today + timedelta(days=3)).isoformat(), "it can still be opened"
    check(small, task)
    clock.forward(hours=24 * 3)
    assert [one.id for one in small.inbox.tasks(alice)] == [task], "it is back by itself"
    assert small.inbox.count_each(alice).put_off == 0
    small.desk.put_off(task, today + timedelta(days=9), actor=alice)
    small.desk.put_off(task, None, actor=alice)
    assert [one.id for one in small.inbox.tasks(alice)] == [task]
    with pytest.raises(Conflict, match="in the inbox already"):
        small.desk.put_off(task, None, actor=alice)
    check(small, task)


def test_a_due_date_is_the_last_moment_of_a_day_of_the_practice(small: Engine, task: str, clock: Clock) -> None:
    day = small.settings.calendar.day_of(clock()) + timedelta(days=5)
    small.desk.set_due(task, day, actor=alice)
    due = small.inbox.task(task).due
    assert due == small.settings.calendar.end_of(day)
    assert [one.id for one in small.inbox.tasks(alice)] == [task]
    check(small, task)
    small.desk.set_due(task, None, actor=alice)
    assert small.inbox.task(task).due is None
    check(small, task)


@pytest.mark.parametrize("days", [-1, 800])
def test_days_that_cannot_be_are_refused_unwritten(small: Engine, task: str, clock: Clock, days: int) -> None:
    day = small.settings.calendar.day_of(clock()) + timedelta(days=days)
    before = small.inbox.task(task).revision
    for arrange in (small.desk.set_due, small.desk.put_off):
        with pytest.raises(InvalidSubmission, match="at most two years"):
            arrange(task, day, actor=alice)
    with pytest.raises(InvalidSubmission, match="500 characters"):
        small.desk.assign(task, bob, actor=alice, note="x" * 501)
    assert small.inbox.task(task).revision == before


def test_what_was_arranged_survives_a_move_to_another_version(small: Engine, task: str, clock: Clock) -> None:
    day = small.settings.calendar.day_of(clock()) + timedelta(days=4)
    small.desk.assign(task, bob, actor=alice)
    small.desk.set_due(task, day, actor=bob)
    small.desk.put_off(task, day - timedelta(days=1), actor=bob)
    changed = package("small")
    small.deploy(type(changed)({**changed.files, "README.md": b"another"}), actor=alice)
    ana = Actor(name="ana", role="analyst")
    small.migrations.migrate(task.partition(":")[0], 2, {}, reason="newer", actor=ana)
    moved = small.inbox.task(task)
    assert moved.assignee == "bob"
    assert moved.due == small.settings.calendar.end_of(day)
    assert moved.until == (day - timedelta(days=1)).isoformat()
    check(small, task)
