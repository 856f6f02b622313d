"""Work on many cases, a portion at a time: the request, the progress, and the outcome of each case.

A worker takes a portion with a lease, as it takes a job (`job_rows`); only the holder of the lease may report it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from ..core.canonical import compact
from ..core.errors import NotFound
from .database import from_text, to_text
from .queued_work import queued
from .tables import batch_tables as t


class BatchKind(StrEnum):
    #: Recorded cases on another package.
    BACKTEST = "backtest"
    #: Whether these cases could move to another version; nothing is moved.
    TRIAL = "trial"
    #: Running cases move to another version.
    MIGRATION = "migration"
    #: Open tasks are claimed, assigned, dated, put off or completed.
    TASKS = "tasks"


class BatchStatus(StrEnum):
    #: Portions are left.
    OPEN = "open"
    #: Every case was looked at.
    DONE = "done"
    #: A person stopped it; what was done stays.
    CANCELLED = "cancelled"
    #: It cannot continue; ``note`` says why.
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """*details* is the request, *tally* the result so far, *package* the hash of the other package."""

    id: str
    kind: BatchKind
    process: str
    package: str
    asked_at: datetime
    asked_by: str
    status: BatchStatus
    total: int
    done: int
    cursor: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    tally: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    ended_at: datetime | None = None
    tries: int = 0
    lease: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchCase:
    """The outcome of one case; the values of *outcome* depend on the kind of batch, *part* is a part of a backtest."""

    instance: str
    outcome: str
    element: str = ""
    part: str = ""
    details: dict[str, Any] = field(default_factory=dict)


_b, _c = t.batch.c, t.batch_case.c
_CASE = (_c.instance, _c.outcome, _c.element, _c.part, _c.details)
_OPEN = _b.status == BatchStatus.OPEN.value


def create(connection: Connection, batch: Batch) -> None:
    """Store *batch*; it is due at once."""
    plain = ("id", "process", "package", "asked_by", "total", "done", "cursor", "note", "tries")
    values: dict[str, Any] = {name: getattr(batch, name) for name in plain}
    values |= {"kind": batch.kind.value, "status": batch.status.value, "asked_at": to_text(batch.asked_at)}
    values |= {"details": compact(batch.details), "tally": compact(batch.tally), "due_at": to_text(batch.asked_at)}
    connection.execute(insert(t.batch).values(values))
    queued(connection).batches.add(batch.id)


def find(connection: Connection, batch: str) -> Batch:
    """One batch; raises `NotFound`."""
    row = connection.execute(select(t.batch).where(_b.id == batch)).one_or_none()
    if row is None:
        raise NotFound("There is no such run.")
    return _batch(row)


def recent(connection: Connection, process: str, kinds: Iterable[BatchKind], limit: int) -> list[Batch]:
    """Batches of a process, newest first."""
    query = select(t.batch).where(_b.process == process, _b.kind.in_([kind.value for kind in kinds]))
    return [_batch(row) for row in connection.execute(query.order_by(_b.asked_at.desc(), _b.id).limit(limit))]


def due(connection: Connection, now: datetime) -> str | None:
    """The open batch that waited longest for its next portion."""
    query = select(_b.id).where(_OPEN, _b.due_at <= to_text(now)).order_by(_b.due_at, _b.id).limit(1)
    return connection.execute(query).scalar_one_or_none()


def take(connection: Connection, batch: str, now: datetime, lease_until: datetime) -> Batch | None:
    """Lease the next portion of *batch*; None when another worker has it, or it is no longer open."""
    wanted = select(_b.id).where(_b.id == batch, _OPEN, _b.due_at <= to_text(now)).with_for_update(skip_locked=True)
    if connection.execute(wanted).scalar_one_or_none() is None:
        return None
    values = {"lease": secrets.token_hex(16), "due_at": to_text(lease_until), "tries": _b.tries + 1}
    row = connection.execute(update(t.batch).where(_b.id == batch).values(values).returning(t.batch)).one()
    return _batch(row)


def advance(
    connection: Connection, batch: Batch, *, cursor: str, done: int, tally: dict[str, Any], now: datetime
) -> bool:
    """Report a portion; False when another worker took the lease or the batch was stopped."""
    values = {"cursor": cursor, "done": done, "tally": compact(tally), "due_at": to_text(now), "tries": 0}
    changed = connection.execute(update(t.batch).where(*_lease_condition(batch)).values(lease=None, **values))
    if changed.rowcount:
        queued(connection).batches.add(batch.id)
    return changed.rowcount == 1


def end(connection: Connection, batch: Batch, status: BatchStatus, now: datetime, note: str = "") -> bool:
    """End *batch*; False when it has ended already."""
    values = {"status": status.value, "ended_at": to_text(now), "due_at": None, "lease": None, "note": note}
    return connection.execute(update(t.batch).where(_b.id == batch.id, _OPEN).values(values)).rowcount == 1


def _lease_condition(batch: Batch) -> tuple[Any, ...]:
    return (_b.id == batch.id, _OPEN, _b.lease == batch.lease)


def add_cases(connection: Connection, batch: str, cases: Iterable[BatchCase]) -> None:
    rows = [
        {
            "batch": batch,
            "instance": case.instance,
            "outcome": case.outcome,
            "element": case.element,
            "details": compact(case.details),
            "part": case.part or None,
        }
        for case in cases
    ]
    if rows:
        connection.execute(insert(t.batch_case), rows)


def has_case(connection: Connection, batch: str, instance: str) -> bool:
    query = select(_c.instance).where(_c.batch == batch, _c.instance == instance)
    return connection.execute(query).scalar_one_or_none() is not None


def counts(connection: Connection, batch: str) -> dict[str, int]:
    """The number of cases for each outcome."""
    query = select(_c.outcome, func.count()).where(_c.batch == batch).group_by(_c.outcome)
    return {str(outcome): int(number) for outcome, number in connection.execute(query)}


def reasons(connection: Connection, batch: str, at_most: int = 200) -> list[tuple[str, dict[str, Any], int]]:
    """Messages about cases and how many each applies to: (outcome, details, cases), most frequent first."""
    query = select(_c.outcome, _c.details, func.count()).where(_c.batch == batch, _c.details != "{}")
    grouped = query.group_by(_c.outcome, _c.details).order_by(func.count().desc(), _c.details).limit(at_most)
    return [(str(outcome), json.loads(details), int(count)) for outcome, details, count in connection.execute(grouped)]


def cases(
    connection: Connection,
    batch: str,
    *,
    outcome: str | None = None,
    part: str | None = None,
    after: str = "",
    limit: int = 100,
) -> list[BatchCase]:
    """Cases of a batch by number; *after* is the last one of the previous page."""
    query = select(*_CASE).where(_c.batch == batch, _c.instance > after)
    if outcome is not None:
        query = query.where(_c.outcome == outcome)
    if part is not None:
        query = query.where(_c.part == part)
    return [_case(row) for row in connection.execute(query.order_by(_c.instance).limit(limit))]


def case(connection: Connection, batch: str, instance: str) -> BatchCase:
    """One case of a batch; raises `NotFound`."""
    row = connection.execute(select(*_CASE).where(_c.batch == batch, _c.instance == instance)).one_or_none()
    if row is None:
        raise NotFound("This run has no result for that case.")
    return _case(row)


def _case(row: Any) -> BatchCase:
    return BatchCase(
        instance=row.instance,
        outcome=row.outcome,
        element=row.element,
        part=row.part or "",
        details=json.loads(row.details),
    )


def _batch(row: Any) -> Batch:
    plain = ("id", "process", "package", "asked_by", "total", "done", "cursor", "note", "tries")
    return Batch(
        kind=BatchKind(row.kind),
        status=BatchStatus(row.status),
        asked_at=from_text(row.asked_at),
        ended_at=from_text(row.ended_at) if row.ended_at else None,
        details=json.loads(row.details),
        tally=json.loads(row.tally),
        lease=row.lease or "",
        **{name: getattr(row, name) for name in plain},
    )
