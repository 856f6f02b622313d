"""Both queues behind their port, by the real clock: what a step asks for is done, once, in time, or not at all."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import alice
from drawn_timers import drawn
from sqlalchemy import event, insert, text, update
from usher_engine import Actor, Engine, Mode, Operator, Services, Settings, open_queue
from usher_engine.cases import CaseSelection
from usher_engine.core.errors import Misconfigured, ServiceError
from usher_engine.jobs import procrastinate_worker, worker
from usher_engine.jobs.job_queue import JobQueue
from usher_engine.services import Call
from usher_engine.store import Database, job_rows, to_text
from usher_engine.store.batch_rows import BatchStatus
from usher_engine.store.tables import engine_tables as t

ANA, ADAM = Actor(name="ana", role="analyst"), Actor(name="adam", role="admin")
PATIENCE_S = 60.0
only_postgres = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Outside:
    """A mail server that may refuse at first; notes when each case reached it."""

    refusals: int = 0
    reached: list[tuple[str, float]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, _given: object, call: Call) -> str:
        with self.lock:
            self.reached.append((call.instance, time.monotonic()))
            refused, self.refusals = self.refusals > 0, self.refusals - 1
        if refused:
            raise ServiceError("Try later.", retry=True)
        return "sent"

    def cases(self) -> Counter[str]:
        with self.lock:
            return Counter(case for case, _ in self.reached)


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def services(outside: Outside) -> Services:  # type: ignore[override]
    call: Callable[..., Any] = outside.send
    return Services((Operator(name="mail/send", title="Mail", mode=Mode.EFFECT, call=call),))


@pytest.fixture
def engine(settings: Settings, services: Services, database: Database) -> Engine:  # type: ignore[override]
    quick = replace(settings, job_lease_s=2, job_backoff_s=1, job_attempts=3)
    opened = Engine(quick, services, database=database)
    opened.deploy(drawn("mail", Send="mail/send"), actor=ANA)
    opened.deploy(drawn("nap", Nap="PT1S"), actor=ANA)
    return opened


@pytest.fixture
def queue(engine: Engine) -> Iterator[JobQueue]:
    opened = open_queue(engine)
    opened.start()
    yield opened
    opened.stop()


def until(fact: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < end, "it did not come true"
        threading.Event().wait(0.01)


def begin(engine: Engine, process: str = "mail") -> str:
    return engine.start(process, {}, actor=alice).id


def finished(engine: Engine, *cases: str) -> bool:
    return all(engine.instance(case).status == "finished" for case in cases)


def waiting(database: Database) -> int:
    """Procrastinate's jobs for ours."""
    with database.read() as tx:
        ours = "SELECT count(*) FROM procrastinate_jobs WHERE task_name <> 'usher.housekeeping'"
        return int(tx.execute(text(ours)).scalar_one())


def line_up(engine: Engine, case: str, *, number: int = 1, **values: Any) -> None:
    """Rows that no step of this process has queued."""
    at = to_text(engine.clock())
    rest = {"operator": job_rows.TIMER, "parameters": "{}", "actor": "system", "attempts": 0, "reason": ""}
    rest |= {"instance": case, "element": "Gone", "created_at": at, "due_at": at, **values}
    with engine.database.begin() as tx:
        tx.execute(insert(t.job), [{**rest, "visit": visit} for visit in range(number)])


def test_what_a_step_asks_for_is_done_once_and_leaves_nothing(
    queue: JobQueue, engine: Engine, outside: Outside, database: Database
) -> None:
    cases = [begin(engine) for _ in range(10)]
    until(lambda: finished(engine, *cases))
    assert outside.cases() == dict.fromkeys(cases, 1)
    assert [engine.verify(case) for case in cases] == [[]] * 10
    assert engine.queries.counts()["jobs"] == {"waiting": 0, "parked": 0}
    if not database.is_sqlite:
        until(lambda: waiting(database) == 0)


def test_what_a_step_asks_for_begins_without_a_look(
    engine: Engine, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step says that there is work: nothing waits until the queue is looked at again."""
    monkeypatch.setattr(worker, "IDLE_SECONDS", 3600.0)
    monkeypatch.setattr(procrastinate_worker, "POLL_S", 3600.0)
    opened = open_queue(engine)
    opened.start()
    try:
        begun: set[str] = set()

        def listens() -> bool:
            begun.add(begin(engine))
            return bool(outside.cases())

        until(listens)
        for _ in range(5):
            until(lambda: set(outside.cases()) == begun)
            begun.add(begin(engine))
        until(lambda: set(outside.cases()) == begun)
    finally:
        opened.stop()


def test_a_step_whose_commit_fails_asks_for_nothing(engine: Engine, outside: Outside, database: Database) -> None:
    class LostError(Exception):
        """The commit did not come through."""

    def lose(_: object) -> None:
        raise LostError

    event.listen(database.db, "commit", lose)
    with pytest.raises(LostError):
        begin(engine)
    event.remove(database.db, "commit", lose)
    assert open_queue(engine).run_due() == 0
    assert not outside.reached
    assert database.is_sqlite or waiting(database) == 0


def test_a_refusal_is_tried_again_after_its_own_wait(queue: JobQueue, engine: Engine, outside: Outside) -> None:
    outside.refusals = 1
    case = begin(engine)
    until(lambda: finished(engine, case))
    (_, first), (_, second) = outside.reached
    assert second - first >= 1.0
    kinds = [found["kind"] for step in engine.queries.history(case) for found in step.events]
    assert kinds.count("ServiceFailed") == 1
    assert engine.verify(case) == []


def test_what_was_refused_too_often_waits_for_a_person(queue: JobQueue, engine: Engine, outside: Outside) -> None:
    outside.refusals = 3
    case = begin(engine)
    until(lambda: engine.instance(case).status == "incident")
    assert outside.cases()[case] == 3
    engine.cases.retry(case, actor=alice)
    until(lambda: finished(engine, case))
    assert outside.cases()[case] == 4


def test_a_timer_fires_when_it_is_due_and_not_before(queue: JobQueue, engine: Engine) -> None:
    began = time.monotonic()
    case = begin(engine, "nap")
    until(lambda: finished(engine, case))
    assert 1.0 <= time.monotonic() - began < 8


def test_a_cancelled_case_leaves_nothing_to_do(engine: Engine, outside: Outside) -> None:
    case = begin(engine)
    engine.cases.cancel(case, "No.", actor=alice)
    assert open_queue(engine).run_due() == 0
    assert not outside.reached


def test_once_does_what_is_due_and_what_follows(engine: Engine, outside: Outside, database: Database) -> None:
    cases = [begin(engine) for _ in range(3)]
    assert open_queue(engine).run_due() == 3
    assert finished(engine, *cases)
    assert outside.cases() == dict.fromkeys(cases, 1)
    assert open_queue(engine).run_due() == 0


def test_a_pause_holds_jobs_back_and_its_end_lets_them_go(engine: Engine, outside: Outside) -> None:
    case = begin(engine)
    engine.pauses.pause("mail", "The text is wrong.", actor=ADAM)
    assert open_queue(engine).run_due() == 0
    assert engine.queries.counts()["jobs"] == {"waiting": 0, "parked": 0, "held": 1}
    assert engine.pauses.resume("mail", "Mended.", actor=ADAM) == 1
    assert open_queue(engine).run_due() == 1
    assert finished(engine, case)
    assert outside.cases() == {case: 1}


def test_a_run_over_many_cases_is_done_to_its_end(queue: JobQueue, engine: Engine) -> None:
    for _ in range(3):
        begin(engine, "nap")
    engine.deploy(drawn("nap", Nap="PT2S"), actor=ANA)
    chosen = CaseSelection(process="nap", version=1)
    batch = engine.batches.ask_migration(2, chosen, {}, reason="Longer.", actor=ANA, trial=True)
    until(lambda: engine.batches.find(batch.id).status is BatchStatus.DONE)


def test_a_job_whose_worker_died_is_done_again_and_its_tries_count(
    engine: Engine, outside: Outside, database: Database
) -> None:
    """A row leased by a process that is gone; one that has killed its worker too often waits for a person."""
    case, deadly = begin(engine), begin(engine)
    lease = {"lease": "of a dead worker", "due_at": to_text(datetime.now(UTC) + timedelta(seconds=1))}
    with database.begin() as tx:
        tx.execute(update(t.job).where(t.job.c.instance == case).values(**lease, attempts=1))
        tx.execute(update(t.job).where(t.job.c.instance == deadly).values(**lease, attempts=3))
        if not database.is_sqlite:  # its job went with it
            tx.execute(text("DELETE FROM procrastinate_jobs"))
    running = open_queue(engine)
    running.start()
    try:
        until(lambda: finished(engine, case))
        until(lambda: engine.instance(deadly).status == "incident")
    finally:
        running.stop()
    assert outside.cases() == {case: 1}


def test_a_stop_waits_for_the_job_in_hand(engine: Engine, outside: Outside) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(_given: object, _call: Call) -> str:
        inside.set()
        assert go_on.wait(PATIENCE_S)
        return "sent"

    services = Services((Operator(name="mail/send", title="Mail", mode=Mode.EFFECT, call=slow),))
    slowly = Engine(engine.settings, services, database=engine.database)
    running = open_queue(slowly)
    running.start()
    case = begin(slowly)
    assert inside.wait(PATIENCE_S)
    threading.Timer(0.5, go_on.set).start()
    running.stop()
    assert finished(slowly, case)


@only_sqlite
def test_queues_cannot_be_chosen_on_sqlite(engine: Engine) -> None:
    with pytest.raises(Misconfigured, match="PostgreSQL only"):
        open_queue(engine, queues=["mail"])


# What only Procrastinate does


@only_postgres
def test_a_worker_of_one_queue_leaves_the_others_alone(engine: Engine, outside: Outside) -> None:
    case, nap = begin(engine), begin(engine, "nap")
    threading.Event().wait(1.1)
    assert open_queue(engine, queues=["timers"]).run_due() == 1
    assert finished(engine, nap)
    assert not outside.reached
    assert open_queue(engine, queues=["mail"]).run_due() == 1
    assert finished(engine, case)


@only_postgres
def test_a_job_holds_nothing_but_the_number_of_the_row(engine: Engine, database: Database) -> None:
    begin(engine)
    with database.read() as tx:
        row = tx.execute(text("SELECT queue_name, lock, args, scheduled_at FROM procrastinate_jobs")).one()
        number = tx.execute(text("SELECT id FROM job")).scalar_one()
    assert tuple(row) == ("mail", None, {"job": number}, None)


@only_postgres
def test_a_case_with_many_jobs_comes_after_the_others(engine: Engine, database: Database) -> None:
    crowded = begin(engine, "nap")
    line_up(engine, crowded, number=150)
    feeding = procrastinate_worker.ProcrastinateWorker(engine)
    assert feeding.feed(whole=True) == 150
    begin(engine)
    with database.read() as tx:
        first = tx.execute(text("SELECT queue_name, priority FROM procrastinate_jobs ORDER BY priority DESC, id")).all()
    assert [tuple(row) for row in first[:2]] == [("mail", -1), ("timers", -100)]


@only_postgres
def test_a_row_waits_in_one_job_however_often_it_is_fed(engine: Engine, database: Database) -> None:
    begin(engine)
    line_up(engine, begin(engine, "nap"), number=600)
    feeding = procrastinate_worker.ProcrastinateWorker(engine)
    assert [feeding.feed(whole=True) for _ in range(3)] == [500, 100, 0]
    assert waiting(database) == 601


@only_postgres
def test_only_one_process_feeds_at_a_time(engine: Engine) -> None:
    feeding = procrastinate_worker.ProcrastinateWorker(engine)
    with engine.database.begin() as tx:
        tx.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('usher feeder', 0))"))
        found: list[int | None] = []
        other = threading.Thread(target=lambda: found.append(feeding.feed(whole=True)))
        other.start()
        other.join(PATIENCE_S)
    assert found == [None]
    assert feeding.feed(whole=True) == 0


@only_postgres
def test_jobs_of_a_dead_worker_are_cleared_away(
    engine: Engine, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(engine)
    with database.begin() as tx:
        dead = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 day') RETURNING id"
        worker = tx.execute(text(dead)).scalar_one()
        tx.execute(text("UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker"), {"worker": worker})
        tx.execute(update(t.job).values(due_at=to_text(datetime.now(UTC) + timedelta(hours=1)), lease="dead"))
        housekeeping = "SELECT procrastinate_defer_periodic_job_v2('housekeeping', NULL, NULL, 'usher.housekeeping',"
        tx.execute(text(f"{housekeeping} 0, '', 1, '{{\"timestamp\": 1}}')"))
    assert open_queue(engine).run_due() == 0
    assert waiting(database) == 0


@only_postgres
def test_the_worker_outlives_the_loss_of_all_its_connections(
    queue: JobQueue, engine: Engine, database: Database
) -> None:
    first = begin(engine)
    until(lambda: finished(engine, first))
    with database.begin() as tx:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        tx.execute(text(f"{others} AND pid <> pg_backend_pid()"))
    case = begin(engine)
    until(lambda: finished(engine, case))


def test_once_works_inside_an_event_loop(engine: Engine) -> None:
    """As in a program that is asynchronous itself."""

    async def once() -> int:
        return open_queue(engine).run_due()

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(asyncio.run, once()).result() == 0
