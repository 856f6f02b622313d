"""The line of due jobs on both databases: fair to every case and kind, and no job in two hands at once."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from itertools import count

import pytest
from conftest import Clock, alice, package
from drawn_timers import drawn
from sqlalchemy import insert, select
from usher_engine import Actor, Engine
from usher_engine.store import Database, Job, job_rows, to_text
from usher_engine.store.tables import engine_tables as t

ANA = Actor(name="ana", role="analyst")
_VISITS = count(1)


@pytest.fixture
def cases(engine: Engine) -> list[str]:
    """Three cases without jobs; the tests put theirs in."""
    engine.deploy(package("message_catch"), actor=ANA)
    return [engine.start("message_catch", {}, actor=alice).id for _ in range(3)]


def line_up(database: Database, case: str, at: datetime, *, number: int = 1, kind: str = "mail/send") -> None:
    rest = {"parameters": "{}", "actor": "system", "attempts": 0, "reason": "", "operator": kind}
    rest |= {"instance": case, "created_at": to_text(at), "due_at": to_text(at)}
    with database.begin() as tx:
        tx.execute(insert(t.job), [{**rest, "element": kind, "visit": next(_VISITS)} for _ in range(number)])


def take(database: Database, clock: Clock, kinds: list[str] | None = None) -> Job | None:
    clock.forward(seconds=1)
    with database.begin() as tx:
        return job_rows.take(tx, clock(), clock() + timedelta(hours=1), kinds)


def test_a_case_with_many_jobs_holds_up_each_other_for_one_of_them(
    database: Database, clock: Clock, cases: list[str]
) -> None:
    many, one, late = cases
    line_up(database, many, clock(), number=50)
    clock.forward(seconds=1)
    line_up(database, one, clock())
    served = [take(database, clock) for _ in range(2)]
    line_up(database, late, clock())
    served += [take(database, clock) for _ in range(3)]
    assert [job and job.instance for job in served] == [many, one, many, late, many]


def test_kinds_are_asked_for_in_the_order_given(database: Database, clock: Clock, cases: list[str]) -> None:
    line_up(database, cases[0], clock(), number=3, kind=job_rows.TIMER)
    line_up(database, cases[1], clock() + timedelta(seconds=1))
    line_up(database, cases[2], clock() + timedelta(days=1), kind=job_rows.MESSAGE)
    clock.forward(seconds=2)
    with database.read() as tx:
        assert job_rows.due_kinds(tx, clock()) == [job_rows.TIMER, "mail/send"]
    taken = take(database, clock, ["mail/send", job_rows.TIMER])
    assert taken is not None and taken.operator == "mail/send"
    assert take(database, clock, ["mail/send"]) is None
    taken = take(database, clock)
    assert taken is not None and taken.operator == job_rows.TIMER


def test_what_was_due_long_ago_stands_where_it_was_put(database: Database, clock: Clock, engine: Engine) -> None:
    """A timer set for a past date does not go before what waits already."""
    engine.deploy(drawn("past", Past="2020-01-01"), actor=ANA)
    case = engine.start("past", {}, actor=alice)
    assert [wait.due.year for wait in case.waits if wait.due] == [2020]
    with database.read() as tx:
        due = tx.execute(select(t.job.c.due_at).where(t.job.c.instance == case.id)).scalar_one()
    assert due == to_text(clock())


def test_a_renewed_lease_holds_and_one_that_has_passed_on_does_not(
    database: Database, clock: Clock, cases: list[str]
) -> None:
    line_up(database, cases[0], clock())
    first = take(database, clock)
    assert first is not None
    with database.begin() as tx:
        job_rows.renew(tx, [first], clock() + timedelta(hours=3))
    clock.forward(hours=2)
    assert take(database, clock) is None
    clock.forward(hours=2)
    second = take(database, clock)
    with database.begin() as tx:
        job_rows.renew(tx, [first], clock() + timedelta(days=30))
    clock.forward(hours=1)
    third = take(database, clock)
    assert second is not None and third is not None
    assert first.id == second.id == third.id


@pytest.mark.parametrize("takers", [8])
def test_threads_take_every_job_once(database: Database, clock: Clock, cases: list[str], takers: int) -> None:
    for case in cases:
        line_up(database, case, clock(), number=40)
        line_up(database, case, clock(), number=20, kind=job_rows.TIMER)
    clock.forward(seconds=1)
    taken: list[Job] = []
    failures: list[Exception] = []

    def empty_the_line() -> None:
        try:
            while True:
                with database.begin() as tx:
                    job = job_rows.take(tx, clock(), clock() + timedelta(hours=1))
                if job is None:
                    return
                taken.append(job)
        except Exception as error:  # noqa: BLE001 - asserted below
            failures.append(error)

    threads = [threading.Thread(target=empty_the_line) for _ in range(takers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert Counter(Counter(job.id for job in taken).values()) == {1: 180}
