"""The queue on PostgreSQL: Procrastinate fetches jobs, this calls `JobWork` for the row whose id the job holds.

Transactions defer what they make due (`store.queued_work`). `feed` defers what becomes due by time: timers, retries,
held mails, and jobs whose worker died. decisions/0045 says why the leases and the attempts stay in our rows.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from psycopg import OperationalError

from ..core import faults
from ..core.deadlines import Deadlines
from ..core.errors import Unavailable
from ..engine import Engine
from ..store import Job, job_rows, pause_rows, to_text
from ..store.queued_work import (
    BATCH_TASK,
    BATCHES,
    HOUSEKEEPING,
    JOB_TASK,
    MAIL,
    QUEUES,
    SERVICES,
    TIMERS,
    feed,
    queue_of,
)
from .job_queue import JobQueue
from .job_threads import JobThreads
from .job_work import JobWork

log = logging.getLogger("usher.worker")

#: How often due rows are looked for, how far back, and how often however far: clocks differ, commits come late.
FEED_S, BACK_S, WHOLE_S = 1.0, 10.0, 60.0
#: How often a queue is asked when no notice came, as behind PgBouncer.
POLL_S = 1.0
#: Without a heartbeat for so long (they come every ten seconds) a worker is taken for dead.
DEAD_S = 60.0
#: How long running jobs may take when the worker stops.
GRACE_S = 8.0
#: How long a connection is waited for, and the longest pause before another try when PostgreSQL is away.
CONNECT_S, LONGEST_PAUSE_S = 10.0, 30.0
AWAY = (ConnectorException, OperationalError)
#: When a service that holds all the threads it may have gets its next job.
NO_ROOM = timedelta(seconds=5)


class ProcrastinateWorker(JobQueue):
    """Serves *queues*, each with threads of its own, so that a mail server that hangs keeps no timer waiting."""

    def __init__(
        self,
        engine: Engine,
        deadlines: Deadlines | None = None,
        *,
        queues: Iterable[str] = QUEUES,
        concurrency: int | None = None,
    ) -> None:
        """*concurrency* jobs of each of the queues mail, services and timers at once; of the others one in all."""
        number = concurrency or engine.settings.worker_threads
        asked = set(queues)
        #: The queues of each lane, and how many jobs it does at once.
        self.lanes: list[tuple[list[str], int]] = [([one], number) for one in (MAIL, SERVICES, TIMERS) if one in asked]
        if others := [one for one in (BATCHES, HOUSEKEEPING) if one in asked]:
            self.lanes.append((others, 1))
        self.engine = engine
        self.threads_in_all = sum(number for _, number in self.lanes)
        self.work = JobWork(engine, deadlines, self.threads_in_all)
        #: One service may not take the last thread of its queue.
        self._of_one_service = max(1, number - 1)
        self._choosing = threading.Lock()
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._jobs: JobThreads | None = None
        self._threads: list[threading.Thread] = []
        self._done = 0
        self._whole_at = 0.0

    def start(self) -> None:
        works = (("queue", self._supervise), ("feeder", self._feed_on), ("leases", self._keep_leases))
        self._threads = [threading.Thread(target=work, name=f"usher-{name}", daemon=True) for name, work in works]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        self._stopping.set()
        loop, ended = self._loop, self._ended
        if loop is not None and ended is not None and not loop.is_closed():
            loop.call_soon_threadsafe(ended.set)
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def run_due(self, at_most: int = 1_000) -> int:
        self._done, before = 0, -1
        while before < self._done < at_most:
            before = self._done
            self.feed(whole=True)
            try:
                with ThreadPoolExecutor(1, "usher-once") as thread:  # the caller's may run an event loop already
                    thread.submit(self._run, self._drain()).result()
            except AWAY as error:
                raise Unavailable("The database cannot be reached. Try again in a moment.") from error
        return self._done

    # ------------------------------------------------------------ what becomes due by time

    def feed(self, *, whole: bool = False) -> int | None:
        """Defer the rows that have become due lately (*whole*: at any time); None if another process does just now."""
        now = self.engine.clock()
        since = "" if whole else to_text(now - timedelta(seconds=BACK_S))
        with self.engine.database.begin() as tx:
            return feed(tx, job_rows.due_kinds(tx, now), to_text(now), since)

    def _feed_on(self) -> None:
        while not self._stopping.is_set():
            try:
                whole = time.monotonic() >= self._whole_at
                if self.feed(whole=whole) is not None and whole:
                    self._whole_at = time.monotonic() + WHOLE_S
            except Unavailable as error:
                log.warning("due jobs were not looked for: %s", error.message)
            except Exception as error:  # noqa: BLE001 - without this thread no timer would fire
                faults.report(error, where="worker", at="feeder")
            self._stopping.wait(FEED_S)

    def _keep_leases(self) -> None:
        self.work.keep_leases(self._stopping)

    # ------------------------------------------------------------ Procrastinate

    def _supervise(self) -> None:
        """Run Procrastinate's workers until `stop`; they end when PostgreSQL is away, and are begun again."""
        pause = 1.0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._run(self._serve())
            except AWAY:
                log.warning("the queue cannot be reached")
            except Exception as error:  # noqa: BLE001 - without this thread no job would be done
                faults.report(error, where="worker", at="queue")
            pause = 1.0 if time.monotonic() - began > WHOLE_S else min(2 * pause, LONGEST_PAUSE_S)
            self._stopping.wait(pause)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._jobs = JobThreads(self.threads_in_all)
        try:
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:  # psycopg needs this kind of loop
                runner.run(work)
        finally:
            self._jobs.close(GRACE_S if self._stopping.is_set() else CONNECT_S)

    async def _serve(self) -> None:
        app = self._app()
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        async with app.open_async():
            ended = asyncio.create_task(self._ended.wait())
            if self._stopping.is_set():
                self._ended.set()
            lanes = self._start_lanes(app, wait=True)
            await asyncio.wait([ended, *lanes], return_when=asyncio.FIRST_COMPLETED)
            for task in (ended, *lanes):
                task.cancel()
            for result in await asyncio.gather(*lanes, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result

    async def _drain(self) -> None:
        app = self._app()
        async with app.open_async():
            await asyncio.gather(*self._start_lanes(app, wait=False))

    def _start_lanes(self, app: App, *, wait: bool) -> list[asyncio.Task[None]]:
        return [
            asyncio.create_task(
                app.run_worker_async(
                    queues=queues,
                    name="+".join(queues),
                    concurrency=number,
                    wait=wait,
                    listen_notify=wait,
                    fetch_job_polling_interval=POLL_S,
                    shutdown_graceful_timeout=GRACE_S,
                    stalled_worker_timeout=DEAD_S,
                    install_signal_handlers=False,
                    delete_jobs="always",
                )
            )
            for queues, number in self.lanes
        ]

    def _app(self) -> App:
        """A new one for each run: its pool and its locks belong to one event loop."""
        # PgBouncer in transaction mode has no prepared statements.
        connection = {**self.engine.database.address(), "prepare_threshold": None}
        most = len(self.lanes) + 2
        app = App(connector=PsycopgConnector(kwargs=connection, min_size=1, max_size=most, timeout=CONNECT_S))

        @app.task(name=JOB_TASK)
        async def job_task(job: int) -> None:
            await self._in_thread(lambda: self._job(job))

        @app.task(name=BATCH_TASK)
        async def batch_task(batch: str) -> None:
            await self._in_thread(lambda: self.engine.batches.work(batch))

        @app.periodic(cron="* * * * *")
        @app.task(name="usher.housekeeping", queue=HOUSEKEEPING, queueing_lock="usher.housekeeping")
        async def housekeeping(timestamp: int) -> None:  # noqa: ARG001 - Procrastinate passes it
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_S):
                if job.id is not None:  # our row is due again when its lease ends
                    await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
            await self._in_thread(self._tidy)

        return app

    async def _in_thread(self, work: Any) -> None:
        if self._jobs is not None:
            await self._jobs.run(lambda: self.work.guarded(work))

    # ------------------------------------------------------------ in a thread

    def _job(self, number: int) -> bool:
        job = self._take(number)
        if job is None:
            return False
        self._done += 1
        self.work.perform_job(job)
        return True

    def _take(self, number: int) -> Job | None:
        """Lease the row; None when it is gone, not due, held back by a pause, or its service has no thread left."""
        now, turns = self.engine.clock(), self.work.turns
        with self.engine.database.begin() as tx:
            job = job_rows.take_one(tx, number, now, now + self.work.lease())
            if job is None or pause_rows.hold(tx, job):
                return None
            with self._choosing:
                has_room = queue_of(job.operator) != SERVICES or turns.number_of(job.operator) < self._of_one_service
                begun = has_room and turns.begin(job)
            if not has_room:
                job_rows.give_back(tx, job, now + NO_ROOM)
        return job if begun else None

    def _tidy(self) -> bool:
        """Add up the rows that count open tasks."""
        while self.engine.inbox.tidy_counts():
            pass
        return True
