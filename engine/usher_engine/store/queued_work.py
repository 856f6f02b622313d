"""What a transaction queued, and on PostgreSQL the Procrastinate jobs that will do it (decisions/0045).

A Procrastinate job holds nothing but the id of a row of ours. It is deferred in the transaction that made the row due,
or by the feeder when the row's time has come. Its queueing lock names the row, so that a row waits in one job at most;
a job whose row is gone, leased or not due does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, text

MAIL, SERVICES, TIMERS, BATCHES, HOUSEKEEPING = "mail", "services", "timers", "batches", "housekeeping"
QUEUES = (MAIL, SERVICES, TIMERS, BATCHES, HOUSEKEEPING)

#: The tasks of the worker: a row of `job`, a portion of a row of `batch`.
JOB_TASK, BATCH_TASK = "usher.job", "usher.batch"

#: Operators whose names begin so send mails.
_MAILING = ("mail", "invitation")
#: Marks a connection whose transaction queued something.
_QUEUED = "usher_queued"

#: How many jobs of one kind the feeder defers at once; the next turn goes on.
MOST_AT_ONCE = 500


@dataclass(slots=True)
class Queued:
    """The ids of rows that became due."""

    jobs: set[int] = field(default_factory=set)
    batches: set[str] = field(default_factory=set)


def queued(connection: Connection) -> Queued:
    """What this transaction has queued; add to it."""
    found: Queued = connection.info.setdefault(_QUEUED, Queued())
    return found


def taken_back(connection: Connection) -> Queued | None:
    """What this transaction has queued, which is forgotten; None for nothing."""
    found: Queued | None = connection.info.pop(_QUEUED, None)
    return found


def queue_of(operator: str) -> str:
    """The queue for the jobs of *operator*; `_DEFER` says the same in SQL."""
    if operator in ("timer", "message"):
        return TIMERS
    return MAIL if operator.partition("/")[0] in _MAILING else SERVICES


# A case with many open jobs comes after the others. The row's own transaction or the feeder inserts; neither fails when
# the other was faster.
_INSERT = "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args)"
_ONCE = "ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
_JOB = f"""{_INSERT}
SELECT CASE WHEN job.operator IN ('timer', 'message') THEN '{TIMERS}'
    WHEN split_part(job.operator, '/', 1) IN ('{"', '".join(_MAILING)}') THEN '{MAIL}' ELSE '{SERVICES}' END,
  '{JOB_TASK}',
  -(SELECT count(*) FROM (SELECT 1 FROM job AS open WHERE open.instance = job.instance LIMIT 100) AS few),
  'job ' || job.id, jsonb_build_object('job', job.id)
FROM job WHERE """  # noqa: S608 - constants of this module
_DEFER_JOBS = text(f"{_JOB} job.id = ANY(:jobs) ORDER BY job.id {_ONCE}")
_FEED_JOBS = text(
    f"""{_JOB} job.operator = :kind AND job.due_at > :since AND job.due_at <= :now AND NOT EXISTS (SELECT 1
    FROM procrastinate_jobs AS waiting WHERE waiting.queueing_lock = 'job ' || job.id AND waiting.status = 'todo')
    ORDER BY job.due_at, job.id LIMIT {MOST_AT_ONCE} {_ONCE}"""  # noqa: S608 - the same
)
_BATCH = f"""{_INSERT} SELECT '{BATCHES}', '{BATCH_TASK}', 0, 'batch ' || batch.id,
  jsonb_build_object('batch', batch.id) FROM batch WHERE """  # noqa: S608 - the same
_DEFER_BATCHES = text(f"{_BATCH} batch.id = ANY(:batches) ORDER BY batch.id {_ONCE}")
_FEED_BATCHES = text(f"{_BATCH} batch.status = 'open' AND batch.due_at <= :now ORDER BY batch.due_at, batch.id {_ONCE}")
_ONE_AT_A_TIME = text("SELECT pg_try_advisory_xact_lock(hashtextextended('usher feeder', 0))")


def defer(connection: Connection, work: Queued) -> None:
    """Defer the Procrastinate jobs for *work*, which this transaction made due."""
    if work.jobs:
        connection.execute(_DEFER_JOBS, {"jobs": sorted(work.jobs)})
    if work.batches:
        connection.execute(_DEFER_BATCHES, {"batches": sorted(work.batches)})


def feed(connection: Connection, kinds: list[str], now: str, since: str) -> int | None:
    """
    Defer the jobs of *kinds* and the batches that became due after *since* (stored times; empty: at any time).

    Returns how many; None when another process is feeding.
    """
    if not connection.execute(_ONE_AT_A_TIME).scalar_one():
        return None
    times = {"now": now, "since": since}
    fed = sum(connection.execute(_FEED_JOBS, {"kind": kind, **times}).rowcount for kind in kinds)
    return fed + connection.execute(_FEED_BATCHES, {"now": now}).rowcount
