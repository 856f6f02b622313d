"""The tasks of a run over many open tasks, in the order of the list they were chosen from, and what became of each.

The run itself is a batch (`batch_rows`): its lease, its progress and its end are kept there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from .database import from_text, to_text
from .tables import batch_tables as t
from .tables.engine_tables import instance
from .task_rows import UserTask, task_id

_c, _i = t.batch_task.c, instance.c
_TASKS = select(t.batch_task, _i.business_key).join(instance, _i.id == _c.instance)


class TaskOutcome(StrEnum):
    #: Its turn has not come, or the run was stopped before.
    WAITING = "waiting"
    #: What was asked for happened.
    DONE = "done"
    #: It was refused; the reason says why. The task is as before.
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskOfRun:
    """One task of a run; *number* is its place in the run, from 1."""

    number: int
    task: str
    business_key: str
    outcome: TaskOutcome
    reason: str = ""
    at: datetime | None = None


def add(connection: Connection, batch: str, tasks: Iterable[UserTask]) -> None:
    """Store the tasks of a new run."""
    rows = [
        {
            "batch": batch,
            "number": number,
            "instance": task.instance,
            "element": task.element,
            "visit": task.visit,
            "outcome": TaskOutcome.WAITING.value,
            "reason": "",
            "at": "",
        }
        for number, task in enumerate(tasks, start=1)
    ]
    connection.execute(insert(t.batch_task), rows)


def waiting(connection: Connection, batch: str, at_most: int) -> list[TaskOfRun]:
    """The next tasks whose turn it is."""
    query = _TASKS.where(_c.batch == batch, _c.outcome == TaskOutcome.WAITING.value)
    return [_task(row) for row in connection.execute(query.order_by(_c.number).limit(at_most))]


def settle(
    connection: Connection, batch: str, number: int, outcome: TaskOutcome, at: datetime, reason: str = ""
) -> None:
    """Store what became of a task."""
    values = {"outcome": outcome.value, "reason": reason, "at": to_text(at)}
    connection.execute(update(t.batch_task).where(_c.batch == batch, _c.number == number).values(values))


def counts(connection: Connection, batch: str) -> dict[TaskOutcome, int]:
    query = select(_c.outcome, func.count()).where(_c.batch == batch).group_by(_c.outcome)
    return {TaskOutcome(outcome): int(number) for outcome, number in connection.execute(query)}


def listed(
    connection: Connection, batch: str, outcome: TaskOutcome, *, after: int = 0, limit: int = 100
) -> Sequence[TaskOfRun]:
    """The tasks of a run with this outcome, in the order of the run."""
    query = _TASKS.where(_c.batch == batch, _c.outcome == outcome.value, _c.number > after)
    return [_task(row) for row in connection.execute(query.order_by(_c.number).limit(limit))]


def _task(row: Any) -> TaskOfRun:
    return TaskOfRun(
        number=row.number,
        task=task_id(row.instance, row.element, row.visit),
        business_key=row.business_key,
        outcome=TaskOutcome(row.outcome),
        reason=row.reason,
        at=from_text(row.at) if row.at else None,
    )
