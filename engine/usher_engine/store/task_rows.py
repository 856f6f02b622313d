"""The rows of open user tasks. The events of a step create them; they are deleted when the task closes.

visible_tasks.py selects those a person may see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ..core.candidate_groups import groups_of
from ..core.events import (
    ElementCancelled,
    Event,
    InstanceCancelled,
    InstanceMigrated,
    UserTaskAssigned,
    UserTaskCancelled,
    UserTaskClaimed,
    UserTaskCompleted,
    UserTaskDueSet,
    UserTaskOpened,
    UserTaskPutOff,
    UserTaskReleased,
)
from ..core.state import place
from . import task_draft_rows
from .database import from_text, to_text
from .instance_rows import Row
from .tables import engine_tables as t
from .tampered_rows import moment, plausible_values, tampering_message
from .task_draft_rows import TaskDraft


@dataclass(frozen=True, kw_only=True, slots=True)
class UserTask:
    """
    One open task. ``id`` is ``instance:element:visit``; ``revision`` is the instance's, for the next command.

    Only `TaskQueries.task` sets ``initial``, which fills the form, ``draft`` and ``comment``, what the person asking
    has typed into form and comment and not sent, and ``typing``, who else has typed into the form just now.
    """

    id: str
    instance: str
    process: str
    element: str
    visit: int
    title: str
    message: str
    form: str
    group: str
    assignee: str
    created: datetime
    due: datetime | None
    priority: int
    revision: int
    business_key: str
    initial: dict[str, Any] = field(default_factory=dict)
    draft: TaskDraft | None = None
    comment: TaskDraft | None = None
    typing: tuple[str, ...] = ()
    cancellable: bool = False
    sort_key: str = ""
    #: The day of the practice on which it comes back to the inbox; empty unless someone put it off.
    until: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups that see it; empty if everyone does."""
        return groups_of(self.group)


_COLUMNS = select(t.user_task, t.instance.c.revision).join(t.instance)
_HERE = (
    t.user_task.c.instance == bindparam("i"),
    t.user_task.c.element == bindparam("e"),
    t.user_task.c.visit == bindparam("v"),
)
_FIND = _COLUMNS.where(*_HERE)
_CLOSE = delete(t.user_task).where(*_HERE)
_ASSIGN = update(t.user_task).where(*_HERE).values(assignee=bindparam("by"))
_OPEN = insert(t.user_task)
_OF_INSTANCES = _COLUMNS.where(t.user_task.c.instance.in_(bindparam("instances", expanding=True))).order_by(
    t.user_task.c.sort_key
)


#: Replaces a missing due date: sorts after every date, in every collation.
NO_DUE = "z"

#: An urgency is this minus the priority.
TOP_PRIORITY = 1_000


def task_id(instance: str, element: str, visit: int) -> str:
    return f"{instance}:{element}:{visit}"


def project(connection: Connection, row: Row, happened: Iterable[Event], at: datetime) -> tuple[UserTask, ...]:
    """Update the task rows of *row* from the events of its newest step; return the tasks the step opened."""
    kept: dict[str, dict[str, Any]] = {}
    opened: dict[str, dict[str, Any]] = {}
    for event in happened:
        match event:
            case InstanceMigrated(places=places):
                kept = _lift(connection, row.id, places)
                task_draft_rows.move(connection, row.id, places)
            case UserTaskOpened(element, visit):
                before = kept.get(place(element, visit), {"created_at": to_text(at)})
                since = from_text(before.pop("created_at"))
                opened[place(element, visit)] = opened_row(row, event, since) | before
                connection.execute(_OPEN, opened[place(element, visit)])
            case UserTaskClaimed(element, visit, by):
                connection.execute(_ASSIGN, {"i": row.id, "e": element, "v": visit, "by": by})
            case UserTaskReleased(element, visit):
                connection.execute(_ASSIGN, {"i": row.id, "e": element, "v": visit, "by": ""})
            case UserTaskAssigned(element, visit, to):
                connection.execute(_ASSIGN, {"i": row.id, "e": element, "v": visit, "by": to})
            case UserTaskDueSet() | UserTaskPutOff():
                _arrange(connection, row.id, event)
            case UserTaskCompleted() | UserTaskCancelled() | ElementCancelled():
                connection.execute(_CLOSE, {"i": row.id, "e": event.element, "v": event.visit})
                opened.pop(place(event.element, event.visit), None)
            case InstanceCancelled():
                connection.execute(delete(t.user_task).where(t.user_task.c.instance == row.id))
                opened.clear()
            case _:
                pass
    rows = sorted(opened.values(), key=lambda one: str(one["sort_key"]))
    return tuple(task_of({"revision": row.revision, **one}) for one in rows)


def _lift(connection: Connection, instance: str, places: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Delete the task rows of a case that moves to another version; return what each task keeps, by new place."""
    c = t.user_task.c
    query = select(c.element, c.visit, c.created_at).where(c.instance == instance)
    kept = {}
    for row in connection.execute(query):
        here = place(row.element, row.visit)
        kept[places.get(here, here)] = {"created_at": row.created_at}
    connection.execute(delete(t.user_task).where(c.instance == instance))
    return kept


def opened_row(row: Row, event: UserTaskOpened, at: datetime) -> dict[str, Any]:
    """The columns of the task that *event* opened at *at*."""
    created = to_text(at)
    due = to_text(from_text(event.due)) if event.due else ""
    return {
        "instance": row.id,
        "element": event.element,
        "visit": event.visit,
        "process": row.process,
        "business_key": row.business_key,
        "title": event.title,
        "message": event.message,
        "form": event.form,
        "candidate_group": event.group,
        "assignee": "",
        "created_at": created,
        "due_at": due,
        "priority": event.priority,
        "cancellable": int(event.cancel),
        "until": "",
        "urgency": TOP_PRIORITY - event.priority,
        "sort_key": _sort_key(due, created, row.id, event.element, event.visit),
    }


def arranged(row: Mapping[str, Any], desk: Mapping[str, str]) -> dict[str, Any]:
    """The columns of the task in *row* that change when people arranged *desk* (`core.state.OpenTask`)."""
    changed: dict[str, Any] = {}
    if "due" in desk:
        due = to_text(from_text(desk["due"])) if desk["due"] else ""
        place = (row["created_at"], row["instance"], row["element"], row["visit"])
        changed |= {"due_at": due, "sort_key": _sort_key(due, *place)}
    if "until" in desk:
        changed["until"] = desk["until"]
    return changed


def _arrange(connection: Connection, instance: str, event: UserTaskDueSet | UserTaskPutOff) -> None:
    here = {"i": instance, "e": event.element, "v": event.visit}
    row = dict(connection.execute(_FIND, here).mappings().one())
    desk = {"due": event.due} if isinstance(event, UserTaskDueSet) else {"until": event.until}
    connection.execute(update(t.user_task).where(*_HERE).values(arranged(row, desk)), here)


def _sort_key(due: str, created: str, instance: str, element: str, visit: int) -> str:
    return f"{due or NO_DUE}|{created}|{instance}|{element}|{visit:06}"


def find(connection: Connection, instance: str, element: str, visit: int) -> UserTask | None:
    """The open task, or None when it is closed (or never existed)."""
    row = connection.execute(_FIND, {"i": instance, "e": element, "v": visit}).one_or_none()
    return task_of(row._mapping) if row else None


def of_instances(connection: Connection, instances: Collection[str]) -> dict[str, tuple[UserTask, ...]]:
    """The open tasks of each of *instances*; instances without one are left out."""
    found: dict[str, tuple[UserTask, ...]] = {}
    if instances:
        for row in connection.execute(_OF_INSTANCES, {"instances": list(instances)}):
            task = task_of(row._mapping)
            found[task.instance] = (*found.get(task.instance, ()), task)
    return found


def task_of(found: Any) -> UserTask:
    """The task in a row; a tampered row is still listed, and its message reports the tampering."""
    row, altered = plausible_values(t.user_task, found)
    row["revision"] = row["revision"] if isinstance(row["revision"], int) else 0
    return UserTask(
        id=task_id(row["instance"], row["element"], row["visit"]),
        group=row["candidate_group"],
        created=moment(row["created_at"]),
        due=moment(row["due_at"]) if row["due_at"] else None,
        cancellable=bool(row["cancellable"]),
        **{name: row[name] for name in _PLAIN} | ({"message": tampering_message(altered)} if altered else {}),
    )


_PLAIN = (
    "instance", "process", "element", "visit", "title", "message", "form", "assignee", "priority", "revision",
    "business_key", "sort_key", "until",
)  # fmt: skip
