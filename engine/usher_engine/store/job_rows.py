"""The embedded job queue: effects a step asked for and timers it started, in the same database and transaction.

A worker takes a job with a lease; only the holder of the lease may finish it, so a late worker changes nothing.
Attempts are counted before each try, so a job that kills its worker runs out of tries like any other. ``due_at`` is a
job's place in the line, never before it was put there: what a case is served once sends its other jobs to the end.
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
from .database import QUEUED, from_text, to_text
from .tables import engine_tables as t

#: What stands for an operator in jobs that ask none: a timer that will be due, a message whose step failed.
TIMER, MESSAGE = "timer", "message"

#: Why a job waits without a time: its process is paused. Others wait for a person, beside an incident.
HELD = "The process is paused."


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """
    One effect to be done, or a timer to be fired, or a message to be delivered again (``kind``).

    ``result`` is set when an effect was done but the step after it failed: it is not done again.
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
    """Whether jobs of *operator* ask somebody outside."""
    return operator not in (TIMER, MESSAGE)


def follow(connection: Connection, instance: str, actor: str, happened: Iterable[Event], at: datetime) -> None:
    """Queue what the events of a step ask for and drop what they made needless."""
    for event in happened:
        match event:
            case ServiceRequested(element, visit, operator, _, parameters):
                _add(connection, (instance, element, visit), operator, parameters, actor, at, at)
            case TimerStarted(element, visit, due):
                _add(connection, (instance, element, visit), TIMER, {}, actor, at, from_text(due))
            case ElementCancelled(element, visit) | WaitEnded(element, visit) | MessageReceived(element, visit):
                connection.execute(delete(t.job).where(*_here(instance, element, visit)))
            case InstanceCancelled():
                connection.execute(delete(t.job).where(t.job.c.instance == instance))
            case InstanceMigrated():  # where the other version is paused too, they are held back again
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
) -> None:
    values = {"instance": place[0], "element": place[1], "visit": place[2], "operator": operator, "actor": actor}
    times = {"created_at": to_text(at), "due_at": to_text(max(due_at, at)) if due_at else None}
    rest = {"parameters": compact(parameters), "attempts": 0, "reason": reason}
    connection.execute(insert(t.job), {**values, **times, **rest})
    if due_at is not None and due_at <= at:
        connection.info[QUEUED] = True


def park_message(
    connection: Connection,
    place: tuple[str, str, int],
    payload: dict[str, Any],
    actor: str,
    at: datetime,
    *,
    reason: str,
) -> None:
    """Keep a message whose step failed, to be delivered again by `requeue`; one kept before gives way to it."""
    connection.execute(delete(t.job).where(*_here(*place)))
    _add(connection, place, MESSAGE, payload, actor, at, None, reason)


def parked(connection: Connection, instance: str) -> set[str]:
    """Why the parked jobs of *instance* wait for a person."""
    c = t.job.c
    return set(connection.execute(select(c.reason).where(c.instance == instance, c.due_at.is_(None))).scalars())


def release(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    """Let the jobs among *which* be due that a pause held back; returns how many."""
    held = (which, t.job.c.reason == HELD, t.job.c.due_at.is_(None))
    freed = connection.execute(update(t.job).where(*held).values(due_at=to_text(now), reason="")).rowcount
    if freed:
        connection.info[QUEUED] = True
    return freed


def _here(instance: str, element: str, visit: int) -> tuple[Any, ...]:
    c = t.job.c
    return (c.instance == instance, c.element == element, c.visit == visit)


def _due_kinds() -> Any:
    """Asks for each operator's first place in the line, by one look into the index for each operator there is."""
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
    values = {"lease": bindparam("new_lease"), "due_at": bindparam("until"), "attempts": c.attempts + 1}
    return update(t.job).where(c.id == first).values(values).returning(t.job)


def _stepping_back() -> Any:
    """What other workers hold at the moment stays where it is: no worker waits for another."""
    c = t.job.c
    served = (c.instance == bindparam("case"), c.id != bindparam("taken"), c.due_at <= bindparam("now"))
    others = select(c.id).where(*served).with_for_update(skip_locked=True)
    return update(t.job).where(c.id.in_(others)).values(due_at=bindparam("now"))


_DUE_KINDS, _LEASE, _STEP_BACK = _due_kinds(), _leasing(), _stepping_back()


def due_kinds(connection: Connection, now: datetime) -> list[str]:
    """The operators with jobs that are due (`TIMER` and `MESSAGE` too), the one whose first job waits longest first."""
    return list(connection.execute(_DUE_KINDS, {"now": to_text(now)}).scalars())


def take(
    connection: Connection, now: datetime, lease_until: datetime, kinds: Sequence[str] | None = None
) -> Job | None:
    """
    Lease the first due job of the first of *kinds* that has one (None: of all); None when none is due.

    The other due jobs of its case go to the end of the line, so a case with many holds up each other job for one of
    its own at most. A job under lease is due again when the lease ends.
    """
    lease, at = secrets.token_hex(16), to_text(now)
    for kind in due_kinds(connection, now) if kinds is None else kinds:
        values = {"kind": kind, "now": at, "new_lease": lease, "until": to_text(lease_until)}
        row = connection.execute(_LEASE, values).one_or_none()
        if row is not None:
            connection.execute(_STEP_BACK, {"case": row.instance, "taken": row.id, "now": at})
            return _job(row)
    return None


_PLAIN = ("id", "instance", "element", "visit", "operator", "actor", "attempts", "lease")


def _job(row: Any) -> Job:
    return Job(
        parameters=json.loads(row.parameters),
        done=row.result is not None,
        result=json.loads(row.result) if row.result is not None else None,
        **{name: getattr(row, name) for name in _PLAIN},
    )


def renew(connection: Connection, jobs: Iterable[Job], lease_until: datetime) -> None:
    """Extend the leases of *jobs* until *lease_until*; a job that another worker has taken over stays with that one."""
    for job in sorted(jobs, key=lambda one: one.id):  # in one order, or two that lock several wait for each other
        mine = (t.job.c.id == job.id, t.job.c.lease == job.lease)
        connection.execute(update(t.job).where(*mine).values(due_at=to_text(lease_until)))


def finish(connection: Connection, job: Job) -> bool:
    """Remove a job that is done; False when its lease has passed to somebody else."""
    gone = connection.execute(delete(t.job).where(t.job.c.id == job.id, t.job.c.lease == job.lease))
    return gone.rowcount == 1


def put_back(connection: Connection, job: Job, *, due_at: datetime | None, reason: str) -> bool:
    """
    Let *job* be tried again at *due_at*, or park it (None) until `requeue`; False when the lease has passed on.

    The result of a job that is done is kept with it, and its tries are over: what waits is only the report.
    """
    values: dict[str, Any] = {"lease": None, "due_at": to_text(due_at) if due_at else None, "reason": reason}
    if job.done:
        values.update(result=compact(job.result), attempts=0)
    changed = connection.execute(update(t.job).where(t.job.c.id == job.id, t.job.c.lease == job.lease).values(values))
    return changed.rowcount == 1


def move(connection: Connection, instance: str, old: tuple[str, int], new: tuple[str, int]) -> bool:
    """
    Let the job of one element visit be another's; False when it was tried already.

    A try used the old visit as its key outside; under another one the same effect could be done twice.
    """
    values = {"element": new[0], "visit": new[1]}
    fresh = (t.job.c.attempts == 0, t.job.c.lease.is_(None))
    return connection.execute(update(t.job).where(*_here(instance, *old), *fresh).values(values)).rowcount == 1


def requeue(connection: Connection, instance: str, now: datetime, *, failed: bool = False) -> int:
    """Make the parked jobs of *instance* due with all their tries, or all that have *failed*; returns how many."""
    c = t.job.c
    waiting = or_(c.due_at.is_(None), and_(c.lease.is_(None), c.reason != "")) if failed else c.due_at.is_(None)
    values = {"due_at": to_text(now), "attempts": 0}
    return connection.execute(update(t.job).where(c.instance == instance, waiting).values(values)).rowcount


def counts(connection: Connection) -> dict[str, int]:
    """How many jobs wait for their time, are parked behind an incident, and are held back by a pause."""
    c = t.job.c
    held = func.count(case((and_(c.due_at.is_(None), c.reason == HELD), 1)))
    waiting, whole, back = connection.execute(select(func.count(c.due_at), func.count(), held).select_from(t.job)).one()
    return {"waiting": waiting, "parked": whole - waiting - back, **({"held": back} if back else {})}
