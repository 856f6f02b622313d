"""Which queue carries out the jobs of a database: Procrastinate on PostgreSQL, the embedded one on SQLite."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.deadlines import Deadlines
from ..core.errors import Misconfigured
from ..engine import Engine
from ..store.queued_work import QUEUES
from .job_queue import JobQueue
from .worker import Worker


def open_queue(
    engine: Engine,
    deadlines: Deadlines | None = None,
    *,
    queues: Sequence[str] = QUEUES,
    concurrency: int | None = None,
) -> JobQueue:
    """
    The queue for *engine*, not started.

    Args:
        engine: Its database decides.
        deadlines: Limits how long a job may take; the caller enforces them.
        queues: Which of `QUEUES` to serve; the embedded queue serves all.
        concurrency: Jobs at once; on PostgreSQL of each queue. None: as the settings say.

    Raises:
        Misconfigured: A part of the queues was asked for on SQLite.
    """
    if engine.database.is_sqlite:
        if set(queues) != set(QUEUES):
            raise Misconfigured("Queues can be chosen on PostgreSQL only; on SQLite one worker does all jobs.")
        return Worker(engine, deadlines, threads=concurrency)
    from .procrastinate_worker import ProcrastinateWorker  # noqa: PLC0415 five MiB that processes without jobs do not need

    return ProcrastinateWorker(engine, deadlines, queues=queues, concurrency=concurrency)
