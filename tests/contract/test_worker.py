"""The threads of both queues, by the real clock: hanging or looping work delays no other, and nothing runs twice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from conftest import alice
from drawn_timers import drawn
from sqlalchemy import insert
from usher_engine import Actor, Engine, Mode, Operator, Services, Settings, open_queue
from usher_engine.services import Call
from usher_engine.store import Database, job_rows, to_text
from usher_engine.store.tables import engine_tables as t

ANA = Actor(name="ana", role="analyst")
PATIENCE_S = 60.0


class Outside:
    """Two services: one answers at once, the other when it is let go. Notes who was in at the same time."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.let_go = threading.Event()
        self.most, self._inside, self._lock = Counter[str](), Counter[str](), threading.Lock()

    def quick(self, _given: object, call: Call) -> str:
        return self._did(call)

    def slow(self, _given: object, call: Call) -> str:
        key = f"{call.instance}:{call.element}:{call.visit}"
        with self._lock:
            self._inside[key] += 1
            self.most[key] = max(self.most[key], self._inside[key])
        assert self.let_go.wait(PATIENCE_S)
        with self._lock:
            self._inside[key] -= 1
        return self._did(call)

    def _did(self, call: Call) -> str:
        with self._lock:
            self.done[call.instance] += 1
        return "done"


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def services(outside: Outside) -> Services:  # type: ignore[override]
    calls: dict[str, Callable[..., Any]] = {"mail/send": outside.quick, "paper/send": outside.slow}
    return Services(
        tuple(Operator(name=name, title=name, mode=Mode.EFFECT, call=call) for name, call in calls.items())
    )


@pytest.fixture
def working(settings: Settings, services: Services, database: Database, outside: Outside) -> Iterator[Engine]:
    """An engine whose worker is at work; it keeps a job for a second unless it renews it."""
    engine = Engine(replace(settings, job_lease_s=1), services, database=database)
    engine.deploy(drawn("mail", Send="mail/send"), actor=ANA)
    engine.deploy(drawn("paper", Post="paper/send"), actor=ANA)
    engine.deploy(drawn("nap", Nap="PT0S"), actor=ANA)
    engine.deploy(drawn("round", again=True, Past="2020-01-01T00:00:00Z"), actor=ANA)
    others = set(threading.enumerate())  # a suite that ran before may have left some
    worker = open_queue(engine)
    worker.start()
    yield engine
    outside.let_go.set()
    worker.stop()
    assert set(threading.enumerate()) <= others, "its threads end with it"


def until(fact: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < end, "it did not come true"
        threading.Event().wait(0.01)


def begin(engine: Engine, process: str, number: int = 1) -> list[str]:
    return [engine.start(process, {}, actor=alice).id for _ in range(number)]


def finished(engine: Engine, cases: list[str]) -> bool:
    return all(engine.instance(case).status == "finished" for case in cases)


def test_a_case_that_goes_round_in_the_past_holds_up_no_mail(working: Engine) -> None:
    begin(working, "round", 3)
    mails = begin(working, "mail", 5)
    until(lambda: finished(working, mails))


def test_a_service_that_hangs_holds_up_neither_timers_nor_other_services(working: Engine, outside: Outside) -> None:
    """A job longer than its lease: no other worker does it a second time meanwhile."""
    papers = begin(working, "paper", 6)
    until(lambda: len(outside.most) >= 2)
    others = begin(working, "mail", 3) + begin(working, "nap", 3)
    until(lambda: finished(working, others))
    threading.Event().wait(1.5)
    assert not outside.done.keys() & set(papers)
    outside.let_go.set()
    until(lambda: finished(working, papers))
    assert set(outside.most.values()) == {1}
    assert {outside.done[case] for case in papers} == {1}


def test_fifty_ordinary_cases_finish_among_hostile_ones(working: Engine, database: Database) -> None:
    """Loops in the past, a service that hangs, and a case with a thousand jobs that are due at once."""
    begin(working, "round", 3)
    begin(working, "paper", 3)
    [crowded] = begin(working, "nap")
    at = to_text(working.clock())
    rest = {"parameters": "{}", "actor": "system", "attempts": 0, "reason": "", "operator": job_rows.TIMER}
    rest |= {"instance": crowded, "element": "Gone", "created_at": at, "due_at": at}
    with database.begin() as tx:
        tx.execute(insert(t.job), [{**rest, "visit": number} for number in range(1_000)])
    mails = begin(working, "mail", 50)
    until(lambda: finished(working, mails))


def test_two_workers_share_the_work_and_do_nothing_twice(
    working: Engine, outside: Outside, settings: Settings, services: Services
) -> None:
    database = Database(settings.database_url)
    other = open_queue(Engine(settings, services, database=database))
    other.start()
    try:
        mails = begin(working, "mail", 40)
        until(lambda: finished(working, mails))
    finally:
        other.stop()
        database.close()
    assert {outside.done[case] for case in mails} == {1}
