"""Carries out jobs outside transactions and reports the results as commands: at least once, with the same key.

`Worker.run_due` does the jobs due now; `Worker.start` does jobs in several threads until `stop`.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

from ..core import faults
from ..core.canonical import Json
from ..core.deadlines import Deadlines, OutOfTime
from ..core.errors import BusinessError, EngineError, Fault, ServiceError, Unavailable
from ..engine import Engine
from ..services import SEND, Call, checked_answer
from ..store import Job, job_rows, pause_rows
from .following_processes import FollowingProcesses
from .turns import Turns

log = logging.getLogger("usher.worker")

IDLE_SECONDS = 1.0
#: How long rows that count open tasks may pile up.
TIDY_SECONDS = 60.0
TRIED = "The worker stopped in the middle of every try."
#: A job that takes this long is stopped and tried again after its lease; until then the worker renews the lease.
MOST_S = 600.0


class Worker:
    """The embedded worker: threads that take one job each; `wake` wakes them, and they poll every second."""

    def __init__(self, engine: Engine, deadlines: Deadlines | None = None) -> None:
        """With *deadlines*, which the caller enforces, a job is stopped after `MOST_S`."""
        self.engine = engine
        self._deadlines = deadlines or Deadlines()
        self.following = FollowingProcesses(engine)
        self.turns = Turns(engine.settings.worker_threads)
        self._called = threading.Condition()
        self._calls = 0
        self._taking = threading.Lock()
        self._on_batch = threading.Lock()
        self._tidy_at = time.monotonic() + TIDY_SECONDS
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads, and wake them after every commit of this process that queues a job."""
        self.engine.database.on_queued = self.wake
        works = [(f"usher-worker-{number + 1}", self._loop) for number in range(self.turns.threads)]
        for name, work in (*works, ("usher-worker-leases", self._keep_leases)):
            thread = threading.Thread(target=work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Make one thread look for work at once; it wakes another when it finds some."""
        with self._called:
            self._calls = min(self._calls + 1, self.turns.threads)
            self._called.notify()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish the current jobs and end the threads; a job that takes longer is repeated after its lease."""
        self._stopping.set()
        with self._called:
            self._called.notify_all()
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def run_due(self, at_most: int = 1_000) -> int:
        """Do due jobs, one after the other; return how many were tried."""
        for done in range(at_most):
            if not self._one():
                return done
        return at_most

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = self._deadlines.within(MOST_S, self._one)
            except Unavailable as error:
                log.warning("database unavailable: %s", error.message)
                busy = False
            except OutOfTime as stopped:
                faults.report(stopped, where="time limit", at="a job")
                busy = False
            except Exception as error:  # noqa: BLE001 - one broken case must not stop the others; its lease ends and its tries are counted
                faults.report(error, where="worker")
                busy = False
            if not busy:
                self._sleep()

    def _sleep(self) -> None:
        with self._called:
            if not self._calls and not self._stopping.is_set():
                self._called.wait(IDLE_SECONDS)
            self._calls = max(0, self._calls - 1)

    def _keep_leases(self) -> None:
        """Renew the leases of long jobs, so that no other worker does them a second time."""
        lease = timedelta(seconds=self.engine.settings.job_lease_s)
        while not self._stopping.wait(lease.total_seconds() / 3):
            held = self.turns.in_hand()
            if not held:
                continue
            try:
                with self.engine.database.begin() as tx:
                    job_rows.renew(tx, held, self.engine.clock() + lease)
            except Unavailable as error:
                log.warning("leases could not be renewed: %s", error.message)
            except Exception as error:  # noqa: BLE001 - without this thread, jobs would be done twice
                faults.report(error, where="worker", at="leases")

    def _one(self) -> bool:
        with self._taking:
            job = self._next()
        if job is None:
            return self._batch()
        try:
            self.wake()
            fault_point("job taken")
            self._perform_job(job)
        finally:
            self.turns.end(job)
        return True

    def _next(self) -> Job | None:
        """Lease a job of the kind whose turn it is; takes no lock when nothing is due."""
        engine = self.engine
        now = engine.clock()
        with engine.database.read() as tx:
            kinds = self.turns.order(job_rows.due_kinds(tx, now))
        held = bool(kinds)
        job = None
        while held:
            with engine.database.begin() as tx:
                job = job_rows.take(tx, now, now + timedelta(seconds=engine.settings.job_lease_s), kinds)
                held = job is not None and pause_rows.hold(tx, job)
        return job if job is not None and self.turns.begin(job) else None

    def _batch(self) -> bool:
        """Do a portion of a run over many cases; only one thread does, so that the others serve live cases."""
        if not self._on_batch.acquire(blocking=False):
            return False
        try:
            return self.engine.batches.work() or self._tidy()
        finally:
            self._on_batch.release()

    def _tidy(self) -> bool:
        """Add up the rows that count open tasks, now and then; return whether more are left."""
        if time.monotonic() < self._tidy_at:
            return False
        more = bool(self.engine.inbox.tidy_counts())
        self._tidy_at = time.monotonic() + (0.0 if more else TIDY_SECONDS)
        return more

    def _perform_job(self, job: Job) -> None:
        if job.kind != "effect":
            self._fire(job)
            return
        engine = self.engine
        if job.attempts > engine.settings.job_attempts:
            engine.job_results.fail(job, TRIED, retry=False)
            return
        try:
            result = job.result if job.done else self.perform(job)
            self.following.start(job, result)
        except BusinessError as refusal:
            engine.job_results.refuse(job, refusal)
        except (ServiceError, Unavailable) as error:
            engine.job_results.fail(job, error.message, retry=error.retry)
        except EngineError as error:
            engine.job_results.fail(job, error.message, retry=False)
        except Exception as error:  # noqa: BLE001 - an operator may fail in any way; its text could hold patient data
            reference = faults.report(error, where="operator", at=job.operator)
            engine.job_results.fail(job, Fault(f"“{job.operator}” failed", reference=reference).message, retry=False)
        else:
            fault_point("effect done")
            engine.job_results.finish(job, result)
            fault_point("effect recorded")

    def _fire(self, job: Job) -> None:
        """Fire a timer or deliver a message again: no outside call, only a step."""
        if job.attempts > self.engine.settings.job_attempts:
            self.engine.incoming.give_up(job, TRIED)
        elif job.kind == job_rows.TIMER:
            self.engine.incoming.fire_timer(job)
        else:
            self.engine.incoming.deliver_again(job)
        fault_point("effect recorded")

    def perform(self, job: Job) -> Json:
        """Call the operator of *job*, outside any transaction, and pass on its errors."""
        if job.operator == SEND.name:
            return self.engine.incoming.send_message(job)
        operator = self.engine.services.get(job.operator)
        call = Call(
            instance=job.instance,
            element=job.element,
            visit=job.visit,
            now=self.engine.clock(),
            actor=job.actor,
            package=self.engine.queries.package_of(job.instance),
            calendar=self.engine.settings.calendar,
            attempt=job.attempts,
        )
        return checked_answer(operator, job.parameters, call)


def fault_point(name: str) -> None:
    """A place where the fault tests kill the process; does nothing in production."""


__all__ = ["Worker", "fault_point"]
