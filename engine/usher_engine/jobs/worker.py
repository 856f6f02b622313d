"""The embedded queue: threads that take due job rows, woken by the commits of their own process.

It is the only queue of SQLite. `Worker.run_due` does the jobs due now; `Worker.start` does jobs until `stop`.
"""

from __future__ import annotations

import threading
import time

from ..core.deadlines import Deadlines
from ..engine import Engine
from ..store import Job, job_rows, pause_rows
from .job_queue import JobQueue
from .job_work import JobWork

IDLE_SECONDS = 1.0
#: How long rows that count open tasks may pile up.
TIDY_SECONDS = 60.0


class Worker(JobQueue):
    """Threads that take one job each; `wake` wakes them, and they poll every second."""

    def __init__(self, engine: Engine, deadlines: Deadlines | None = None, *, threads: int | None = None) -> None:
        """With *deadlines*, which the caller enforces, a job is stopped after a time (`JobWork`)."""
        self.engine = engine
        self.work = JobWork(engine, deadlines, threads or engine.settings.worker_threads)
        self.turns = self.work.turns
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
        for name, work in (*works, ("usher-worker-leases", lambda: self.work.keep_leases(self._stopping))):
            thread = threading.Thread(target=work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Make one thread look for work at once; it wakes another when it finds some."""
        with self._called:
            self._calls = min(self._calls + 1, self.turns.threads)
            self._called.notify()

    def stop(self, timeout_s: float = 10.0) -> None:
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
            if not self.work.guarded(self._one):
                self._sleep()

    def _sleep(self) -> None:
        with self._called:
            if not self._calls and not self._stopping.is_set():
                self._called.wait(IDLE_SECONDS)
            self._calls = max(0, self._calls - 1)

    def _one(self) -> bool:
        with self._taking:
            job = self._next()
        if job is None:
            return self._batch()
        self.wake()
        self.work.perform_job(job)
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
                job = job_rows.take(tx, now, now + self.work.lease(), kinds)
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
