"""How much work lies with whom: open tasks by candidate groups from the kept counts, and claimed ones by person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, select, union_all

from .tables import engine_tables as t
from .tampered_rows import moment
from .task_counts import KindCount, counts_of
from .task_filter import EMPTY, TaskFilter, Viewer
from .visible_tasks import MAX_REASONS

_c = t.user_task.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """
    Open tasks of a group or a person that are in the inbox now.

    *due* are those due until the end of the day, overdue ones among them; *free* those nobody has claimed, *late_free*
    the overdue ones of these; *oldest* is when the one that waits longest was opened, None if it was not looked for.
    """

    name: str
    open: int = 0
    free: int = 0
    late: int = 0
    late_free: int = 0
    due: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """*groups* by name, where a task of two groups counts in both; *people* by name; *all* counts each task once."""

    all: Load
    groups: tuple[Load, ...]
    people: tuple[Load, ...]


def workload(connection: Connection, viewer: Viewer, due_before: str) -> Workload:
    """What *viewer* sees of it: the same tasks as in their list. *due_before* is the end of their day, as stored."""
    kinds = counts_of(connection, viewer, TaskFilter(due_before=due_before))
    oldest = _oldest(connection, viewer, kinds)
    names = sorted({name for one in kinds for name in one.groups if viewer.groups is None or name in viewer.groups})
    groups = (_load(name, [one for one in kinds if name in one.groups], oldest) for name in names)
    return Workload(
        all=_load("", kinds, oldest), groups=tuple(groups), people=tuple(_people(connection, viewer, due_before))
    )


def _load(name: str, kinds: list[KindCount], oldest: dict[str, str]) -> Load:
    since = [oldest[key] for one in kinds if (key := _key(one.group, one.process, one.element)) in oldest]
    return Load(
        name=name,
        open=sum(one.open for one in kinds),
        free=sum(one.open for one in kinds if one.free),
        late=sum(one.late for one in kinds),
        late_free=sum(one.late for one in kinds if one.free),
        due=sum(one.within for one in kinds),
        oldest=moment(min(since)) if since else None,
    )


def _oldest(connection: Connection, viewer: Viewer, kinds: Iterable[KindCount]) -> dict[str, str]:
    """When the task of each kind that waits longest was opened: the first in an index, not a look at all of them."""
    there = sorted({(one.group, one.process, one.element) for one in kinds if one.open and not one.holder})
    if not there or len(there) > MAX_REASONS:
        return {}
    today = viewer.today.isoformat()
    firsts = []
    for group, process, element in there:
        kind = (_c.candidate_group == group, _c.process == process, _c.element == element, _c.until <= today)
        first = select(_c.candidate_group, _c.process, _c.element, _c.created_at).where(*kind)
        firsts.append(select(first.order_by(_c.created_at, _c.sort_key).limit(1).subquery()))
    rows = connection.execute(union_all(*firsts))
    return {_key(row.candidate_group, row.process, row.element): str(row.created_at) for row in rows}


def _key(group: str, process: str, element: str) -> str:
    return f"{group}\n{process}\n{element}"


def _people(connection: Connection, viewer: Viewer, due_before: str) -> Iterable[Load]:
    """What each person has claimed, of the tasks that *viewer* sees: only claimed tasks are read."""
    late = func.sum(case((_c.sort_key < viewer.now, 1), else_=0)).label("late")
    due = func.sum(case((_c.sort_key < due_before, 1), else_=0)).label("due")
    query = (
        select(_c.assignee, _c.candidate_group, func.count().label("tasks"), late, due)
        .add_columns(func.min(_c.created_at).label("at"))
        .where(_c.assignee != EMPTY, _c.until <= viewer.today.isoformat())
        .group_by(_c.assignee, _c.candidate_group)
    )
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        group = str(row.candidate_group)
        if viewer.sees(group) or viewer.sees_held(group, str(row.assignee)):
            found.setdefault(str(row.assignee), []).append(row)
    for name, rows in sorted(found.items()):
        yield Load(
            name=name,
            open=sum(int(row.tasks) for row in rows),
            late=sum(int(row.late) for row in rows),
            due=sum(int(row.due) for row in rows),
            oldest=moment(min(str(row.at) for row in rows)),
        )
