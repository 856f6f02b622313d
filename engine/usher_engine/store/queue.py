"""The embedded job queue: effects a step asked for and timers it started, in the same database and transaction.

A worker takes a job with a lease; only the holder of the lease may finish it, so a late worker changes nothing.
Attempts are counted before each try, so a job that kills its worker runs out of tries like any other.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from .. import tables as t
from ..canonical import Json, compact
from ..events import (
    ElementCancelled,
    Event,
    InstanceCancelled,
    MessageReceived,
    ServiceRequested,
    TimerStarted,
    WaitEnded,
)
from .database import QUEUED, from_text, to_text

#: What stands for an operator in jobs that ask none: a timer that will be due, a message whose step failed.
TIMER, MESSAGE = "timer", "message"


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
        return self.operator if self.operator in (TIMER, MESSAGE) else "effect"


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
    times = {"created_at": to_text(at), "due_at": to_text(due_at) if due_at else None}
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


def _here(instance: str, element: str, visit: int) -> tuple[Any, ...]:
    c = t.job.c
    return (c.instance == instance, c.element == element, c.visit == visit)


def take(connection: Connection, now: datetime, lease_until: datetime) -> Job | None:
    """Lease the job due longest; None when none is due. A job under lease is due again when the lease ends."""
    c = t.job.c
    due = select(c.id).where(c.due_at <= to_text(now)).order_by(c.due_at, c.id).limit(1)
    number = connection.execute(due.with_for_update(skip_locked=True)).scalar_one_or_none()
    if number is None:
        return None
    lease = secrets.token_hex(16)
    values = {"lease": lease, "due_at": to_text(lease_until), "attempts": c.attempts + 1}
    row = connection.execute(update(t.job).where(c.id == number).values(values).returning(t.job)).one()
    return Job(
        parameters=json.loads(row.parameters),
        done=row.result is not None,
        result=json.loads(row.result) if row.result is not None else None,
        lease=lease,
        **{n: getattr(row, n) for n in ("id", "instance", "element", "visit", "operator", "actor", "attempts")},
    )


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


def requeue(connection: Connection, instance: str, now: datetime) -> int:
    """Make the parked jobs of *instance* due with all their tries; returns how many."""
    values = {"due_at": to_text(now), "attempts": 0}
    parked = (t.job.c.instance == instance, t.job.c.due_at.is_(None))
    return connection.execute(update(t.job).where(*parked).values(values)).rowcount


def next_due(connection: Connection) -> str | None:
    """When the next job is due, as stored; None when no job waits."""
    return connection.execute(select(func.min(t.job.c.due_at))).scalar_one_or_none()


def counts(connection: Connection) -> dict[str, int]:
    """How many jobs wait for their time and how many are parked behind an incident."""
    waiting, parked = connection.execute(
        select(func.count(t.job.c.due_at), func.count() - func.count(t.job.c.due_at)).select_from(t.job)
    ).one()
    return {"waiting": waiting, "parked": parked}
