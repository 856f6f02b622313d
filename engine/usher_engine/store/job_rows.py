"""The embedded job queue: effects a step requested and timers it started, in the same database and transaction.

A worker takes a job with a lease; only the holder of the lease may finish it, so a late worker changes nothing.
Attempts are counted before each try, so a job that kills its worker runs out of attempts like any other. ``due_at`` is
a job's place in the line and never earlier than the job itself. When a job of a case is taken, the other due jobs of
that case go to the end of the line.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, func, insert, or_, select, update

from ..core.canonical import Json, compact
from ..core.events import (
    ElementCancelled,
    Event,
    InstanceCancelled,
    InstanceMigrated,
    MessageReceived,
    ServiceRequested,
    TimerStarted,
    WaitEnded,
)
from .database import from_text, to_text
from .queued_work import queued
from .tables import engine_tables as t

#: The operator column of jobs without an operator: a timer to fire, a message whose step failed.
TIMER, MESSAGE = "timer", "message"

#: The waiting reason of jobs of a paused process. Other jobs without a time wait for a person, with an incident.
HELD = "The process is paused."


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """
    An effect to carry out, a timer to fire, or a message to deliver again (``kind``).

    ``result`` is set when an effect was carried out but the step after it failed: the effect is not repeated.
    """

    id: int
    instance: str
    element: str
    visit: int
    operator: str
    parameters: dict[str, Any]
    actor: str
    attempts: int
    lease: str
    done: bool = False
    result: Json = None

    @property
    def key(self) -> str:
        return f"{self.instance}:{self.element}:{self.visit}"

    @property
    def kind(self) -> str:
        return "effect" if is_effect(self.operator) else self.operator


def is_effect(operator: str) -> bool:
    """Whether jobs of *operator* call an outside system."""
    return operator not in (TIMER, MESSAGE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """The effects of a step wait until *due_at*; until a worker takes them, *note* holds what an undo needs."""

    due_at: datetime
    note: str


def project(
    connection: Connection,
    instance: str,
    actor: str,
    happened: Iterable[Event],
    at: datetime,
    hold: Hold | None = None,
) -> None:
    """Queue the jobs that the events of a step request, and drop those they made unnecessary."""
    due_at, note = (hold.due_at, hold.note) if hold else (at, None)
    for event in happened:
        match event:
            case ServiceRequested(element, visit, operator, _, parameters):
                _add(connection, (instance, element, visit), operator, parameters, actor, at, due_at, note=note)
            case TimerStarted(element, visit, due):
                _add(connection, (instance, element, visit), TIMER, {}, actor, at, from_text(due))
            case ElementCancelled(element, visit) | WaitEnded(element, visit) | MessageReceived(element, visit):
                connection.execute(delete(t.job).where(*_here(instance, element, visit)))
            case InstanceCancelled():
                connection.execute(delete(t.job).where(t.job.c.instance == instance))
            case InstanceMigrated():  # if the other version is paused too, they are held back again
                release(connection, t.job.c.instance == instance, at)
            case _:
                pass


def _add(
    connection: Connection,
    place: tuple[str, str, int],
    operator: str,
    parameters: dict[str, Any],
    actor: str,
    at: datetime,
    due_at: datetime | None,
    reason: str = "",
    note: str | None = None,
) -> None:
    values = {"instance": place[0], "element": place[1], "visit": place[2], "operator": operator, "actor": actor}
    times = {"created_at": to_text(at), "due_at": to_text(max(due_at, at)) if due_at else None}
    rest = {"parameters": compact(parameters), "attempts": 0, "reason": reason, "undo": note}
    added = connection.execute(insert(t.job), {**values, **times, **rest})
    if due_at is not None and due_at <= at and added.inserted_primary_key:
        queued(connection).jobs.add(added.inserted_primary_key.id)


def park_message(
    connection: Connection,
    place: tuple[str, str, int],
    payload: dict[str, Any],
    actor: str,
    at: datetime,
    *,
    reason: str,
) -> None:
    """Store a message whose step failed, so that `requeue` can deliver it again; replaces one stored before."""
    connection.execute(delete(t.job).where(*_here(*place)))
    _add(connection, place, MESSAGE, payload, actor, at, None, reason)


def parking_reasons(connection: Connection, instance: str) -> set[str]:
    """The reasons why the parked jobs of *instance* wait for a person."""
    c = t.job.c
    return set(connection.execute(select(c.reason).where(c.instance == instance, c.due_at.is_(None))).scalars())


def release(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    """Make those of *which* due that a pause held back; return how many."""
    held = (which, t.job.c.reason == HELD, t.job.c.due_at.is_(None))
    return _make_due(connection, update(t.job).where(*held).values(due_at=to_text(now), reason=""))


def _make_due(connection: Connection, change: Any) -> int:
    """Make *change*, after which its jobs are due; return how many."""
    freed = connection.execute(change.returning(t.job.c.id)).scalars().all()
    if freed:
        queued(connection).jobs.update(freed)
    return len(freed)


def _here(instance: str, element: str, visit: int) -> tuple[Any, ...]:
    c = t.job.c
    return (c.instance == instance, c.element == element, c.visit == visit)


def _due_kinds() -> Any:
    """Selects each operator's first place in the line, with one index lookup per operator."""
    c, other = t.job.c, t.job.alias()
    found = select(func.min(c.operator).label("operator")).cte("found", recursive=True)
    following = select(func.min(other.c.operator)).where(other.c.operator > found.c.operator).scalar_subquery()
    found = found.union_all(select(following).where(found.c.operator.is_not(None)))
    first = select(func.min(c.due_at)).where(c.operator == found.c.operator).correlate(found).scalar_subquery()
    return select(found.c.operator).where(first <= bindparam("now")).order_by(first)


def _leasing() -> Any:
    c = t.job.c
    line = select(c.id).where(c.operator == bindparam("kind"), c.due_at <= bindparam("now")).order_by(c.due_at, c.id)
    first = line.limit(1).with_for_update(skip_locked=True).scalar_subquery()
    values = {"lease": bindparam("new_lease"), "due_at": bindparam("until"), "attempts": c.attempts + 1, "undo": None}
    return update(t.job).where(c.id == first).values(values).returning(t.job)


def _stepping_back() -> Any:
    """Moves the other due jobs of a case to the end of the line; skips locked ones, so that no worker waits."""
    c = t.job.c
    served = (c.instance == bindparam("case"), c.id != bindparam("taken"), c.due_at <= bindparam("now"))
    others = select(c.id).where(*served).with_for_update(skip_locked=True)
    return update(t.job).where(c.id.in_(others)).values(due_at=bindparam("now"))


_DUE_KINDS, _LEASE, _STEP_BACK = _due_kinds(), _leasing(), _stepping_back()


def due_kinds(connection: Connection, now: datetime) -> list[str]:
    """The operators with due jobs (including `TIMER` and `MESSAGE`), ordered by how long their first job has waited."""
    return list(connection.execute(_DUE_KINDS, {"now": to_text(now)}).scalars())


def take(
    connection: Connection, now: datetime, lease_until: datetime, kinds: Sequence[str] | None = None
) -> Job | None:
    """
    Lease the first due job of the first of *kinds* that has one (None: of all); None when none is due.

    The other due jobs of its case go to the end of the line, so that a case with many jobs delays any other job by at
    most one of its own. A leased job is due again when the lease ends.
    """
    lease, at = secrets.token_hex(16), to_text(now)
    for kind in due_kinds(connection, now) if kinds is None else kinds:
        values = {"kind": kind, "now": at, "new_lease": lease, "until": to_text(lease_until)}
        row = connection.execute(_LEASE, values).one_or_none()
        if row is not None:
            connection.execute(_STEP_BACK, {"case": row.instance, "taken": row.id, "now": at})
            return _job(row)
    return None


def take_one(connection: Connection, number: int, now: datetime, lease_until: datetime) -> Job | None:
    """Lease the job with this *number*; None when it is not due, is gone, or another worker has it."""
    due = (t.job.c.id == number, t.job.c.due_at <= to_text(now))
    values = {"lease": secrets.token_hex(16), "due_at": to_text(lease_until), "attempts": t.job.c.attempts + 1}
    row = connection.execute(update(t.job).where(*due).values(**values, undo=None).returning(t.job)).one_or_none()
    return _job(row) if row is not None else None


def give_back(connection: Connection, job: Job, due_at: datetime) -> None:
    """End the lease of *job*, which nobody has begun; the attempt does not count."""
    mine = (t.job.c.id == job.id, t.job.c.lease == job.lease)
    values = {"lease": None, "due_at": to_text(due_at), "attempts": t.job.c.attempts - 1}
    connection.execute(update(t.job).where(*mine).values(values))


_PLAIN = ("id", "instance", "element", "visit", "operator", "actor", "attempts", "lease")


def _job(row: Any) -> Job:
    return Job(
        parameters=json.loads(row.parameters),
        done=row.result is not None,
        result=json.loads(row.result) if row.result is not None else None,
        **{name: getattr(row, name) for name in _PLAIN},
    )


def renew(connection: Connection, jobs: Iterable[Job], lease_until: datetime) -> None:
    """Extend the leases of *jobs* until *lease_until*; jobs that another worker took over stay with that worker."""
    for job in sorted(jobs, key=lambda one: one.id):  # a fixed order avoids deadlocks
        mine = (t.job.c.id == job.id, t.job.c.lease == job.lease)
        connection.execute(update(t.job).where(*mine).values(due_at=to_text(lease_until)))


def finish(connection: Connection, job: Job) -> bool:
    """Remove a finished job; False when another worker holds its lease."""
    gone = connection.execute(delete(t.job).where(t.job.c.id == job.id, t.job.c.lease == job.lease))
    return gone.rowcount == 1


def put_back(connection: Connection, job: Job, *, due_at: datetime | None, reason: str) -> bool:
    """
    Schedule *job* again at *due_at*, or park it (None) until `requeue`; False when another worker holds the lease.

    A job already carried out keeps its result and has no attempts left: only its report is outstanding.
    """
    values: dict[str, Any] = {"lease": None, "due_at": to_text(due_at) if due_at else None, "reason": reason}
    if job.done:
        values.update(result=compact(job.result), attempts=0)
    changed = connection.execute(update(t.job).where(t.job.c.id == job.id, t.job.c.lease == job.lease).values(values))
    return changed.rowcount == 1


def move(connection: Connection, instance: str, old: tuple[str, int], new: tuple[str, int]) -> bool:
    """
    Move the job of one element visit to another visit; False when it was tried already.

    An attempt used the old visit as its idempotency key; under another key the effect could happen twice.
    """
    values = {"element": new[0], "visit": new[1]}
    fresh = (t.job.c.attempts == 0, t.job.c.lease.is_(None))
    return connection.execute(update(t.job).where(*_here(instance, *old), *fresh).values(values)).rowcount == 1


def requeue(connection: Connection, instance: str, now: datetime, *, failed: bool = False) -> int:
    """Make the parked jobs of *instance* due with all attempts, or all that have *failed*; return how many."""
    c = t.job.c
    waiting = or_(c.due_at.is_(None), and_(c.lease.is_(None), c.reason != "")) if failed else c.due_at.is_(None)
    values = {"due_at": to_text(now), "attempts": 0}
    return _make_due(connection, update(t.job).where(c.instance == instance, waiting).values(values))


def counts(connection: Connection) -> dict[str, int]:
    """The numbers of jobs that wait for their time, are parked behind an incident, and are held back by a pause."""
    c = t.job.c
    held = func.count(case((and_(c.due_at.is_(None), c.reason == HELD), 1)))
    waiting, whole, back = connection.execute(select(func.count(c.due_at), func.count(), held).select_from(t.job)).one()
    return {"waiting": waiting, "parked": whole - waiting - back, **({"held": back} if back else {})}
