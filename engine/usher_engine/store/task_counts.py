"""How many open tasks there are of each kind: exact at any size, without reading the tasks (`task_tally`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, delete, func, insert, literal, select, union_all

from ..core.candidate_groups import groups_of
from .snapshot import answers
from .tables import engine_tables as t
from .tables.tally_tables import task_tally
from .tampered_rows import LARGEST
from .task_filter import TaskFilter, TaskOrder, Viewer, claimed_by, conditions, due_conditions, sorting
from .task_rows import NO_DUE

_c, _n = t.user_task.c, task_tally.c

#: The length of an hour in a moment as stored: "2026-11-30T16".
HOUR = 13
#: Sorts after every moment of an hour.
AFTER = "~"
#: Stands for candidate groups that were altered into something else than text; nobody is in this group.
ALTERED = "\0"
#: How many sums one transaction makes.
MOST_ADDED_UP = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class KindCount:
    """
    The open tasks of one kind in the same candidate groups, those nobody claimed apart from the others.

    *open* are those in the inbox, *late* those of them that are overdue, *within* those whose due date passes the
    filter; *put_off* are not in the inbox until a later day. *holder*: only what this person has claimed is counted,
    the viewer or somebody for whom the viewer stands in.
    """

    group: str
    process: str
    element: str
    free: bool
    open: int
    late: int
    within: int
    put_off: int
    holder: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        """The candidate groups; empty if everyone sees these tasks."""
        return groups_of(self.group)


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """
    How many open tasks a person sees, has claimed, sees overdue, and has put off or sees put off.

    *stood_in*: how many each of those has claimed for whom they stand in, as far as they do.
    """

    all: int
    mine: int
    overdue: int
    put_off: int = 0
    stood_in: Mapping[str, int] = field(default_factory=dict)


def kind_counts(connection: Connection, viewer: Viewer, wanted: TaskFilter) -> list[KindCount]:
    """
    All open tasks by kind, as *viewer*'s day and moment have it; who may see them is not asked.

    Those that *viewer* has claimed, or somebody for whom *viewer* stands in, are there a second time, with ``holder``.
    """
    due = (wanted.due_from, wanted.due_before, wanted.without_due)
    key = ("kind counts", viewer.holders, viewer.today, viewer.now[:HOUR], *due)
    known = answers(connection)
    if key not in known:
        parts = [_tallied(Part.ALL, _n.due_hour == ""), *_due_parts(Part.LATE, "", viewer.now)]
        if wanted.without_due:
            parts.append(_tallied(Part.WITHIN, _n.due_hour == NO_DUE))
        elif wanted.has_due:
            parts += _due_parts(Part.WITHIN, wanted.due_from, wanted.due_before)
        known[key] = _grouped(connection, [*parts, *_held_parts(viewer, wanted)], viewer, wanted)
    found: list[KindCount] = known[key]
    return found


def held_counts(connection: Connection, viewer: Viewer, wanted: TaskFilter) -> list[KindCount]:
    """The open tasks that *viewer* has claimed, or sees as a substitute of who has, by kind."""
    held = (one for one in kind_counts(connection, viewer, wanted) if one.holder)
    return [one for one in held if viewer.sees_held(one.group, one.holder)]


def counts_of(connection: Connection, viewer: Viewer, wanted: TaskFilter) -> list[KindCount]:
    """
    The open tasks *viewer* sees, by kind: those of their groups, and those of other groups that they have claimed or
    that somebody has for whom they stand in.

    The two do not overlap.
    """
    seen = [one for one in kind_counts(connection, viewer, wanted) if not one.holder and viewer.sees(one.group)]
    if viewer.groups is None:
        return seen
    return seen + [one for one in held_counts(connection, viewer, wanted) if not viewer.sees(one.group)]


def summed(connection: Connection, viewer: Viewer) -> TaskCounts:
    """The numbers beside the standing views of the inbox."""
    seen, held = counts_of(connection, viewer, TaskFilter()), held_counts(connection, viewer, TaskFilter())
    by_holder = {name: sum(one.open for one in held if one.holder == name) for name in viewer.holders}
    return TaskCounts(
        all=sum(one.open for one in seen),
        mine=by_holder.pop(viewer.name, 0),
        overdue=sum(one.late for one in seen),
        put_off=sum(one.put_off for one in seen),
        stood_in=by_holder,
    )


def count_matching(connection: Connection, viewer: Viewer, wanted: TaskFilter) -> int:
    """How many tasks that *viewer* sees pass *wanted*: exact, whatever the number."""
    if not wanted.is_narrow:
        seen = counts_of(connection, viewer, wanted)
        passing = [one for one in seen if wanted.passes(one.group, one.process, one.element)]
        if not wanted.put_off:
            return sum(_passing(one, wanted) for one in passing if one.free or not wanted.free)
        if not wanted.has_due and not wanted.free:
            return sum(one.put_off for one in passing)
    holder = _holder(viewer).label("holder")
    few = _read_first(select(_c.candidate_group, _c.process, _c.element, holder).where(*conditions(wanted, viewer)))
    keys = tuple(few.subquery().c)
    rows = connection.execute(select(*keys, func.count().label("tasks")).group_by(*keys))
    return sum(
        int(row.tasks)
        for row in rows
        if (viewer.sees(str(row.candidate_group)) or viewer.sees_held(str(row.candidate_group), row.holder))
        and wanted.passes(str(row.candidate_group), row.process, row.element)
    )


def open_tasks(connection: Connection) -> int:
    """How many tasks are open in all."""
    counted = select(func.coalesce(func.sum(_n.tasks), 0)).where(_n.due_hour == "")
    return int(connection.execute(counted).scalar_one())


def add_up(connection: Connection) -> int:
    """
    Replace several rows of `task_tally` for the same kind and hour by their sum; return for how many that was done.

    Rows that other transactions add or remove meanwhile are not touched, so that every task is counted once.
    """
    keys = (_n.candidate_group, _n.process, _n.element, _n.free, _n.due_hour, _n.until)
    several = select(*keys).group_by(*keys).having(func.count() > 1).limit(MOST_ADDED_UP)
    added: Counter[tuple[Any, ...]] = Counter()
    for kind in connection.execute(several).all():
        same = [column == value for column, value in zip(keys, kind, strict=True)]
        gone = connection.execute(delete(task_tally).where(*same).returning(_n.tasks)).scalars().all()
        added[tuple(kind)] += sum(gone)
    names = [column.name for column in (*keys, _n.tasks)]
    if values := [dict(zip(names, (*kind, number), strict=True)) for kind, number in added.items() if number]:
        connection.execute(insert(task_tally), values)
    return len(added)


class Part(IntEnum):
    """What a row counted tells."""

    #: All tasks of its kind.
    ALL = 0
    #: Those that are overdue.
    LATE = 1
    #: Those whose due date passes the filter.
    WITHIN = 2


def _tallied(part: Part, *where: ColumnElement[bool]) -> Select[Any]:
    """Rows of `task_tally` as rows counted."""
    columns = (_n.candidate_group, _n.process, _n.element, _n.free, _n.until, _n.tasks)
    return select(*columns, literal(part.value).label("part"), literal("").label("holder")).where(*where)


def _one_by_one(part: Part, *where: ColumnElement[bool], holder: str = "") -> Select[Any]:
    """Single tasks as rows counted."""
    free = case((_c.assignee == "", 1), else_=0).label("free")
    columns = (_c.candidate_group, _c.process, _c.element, free, _c.until, literal(1).label("tasks"))
    return select(*columns, literal(part.value).label("part"), literal(holder).label("holder")).where(*where)


def _due_parts(part: Part, since: str, before: str) -> list[Select[Any]]:
    """
    What is due from *since* (empty: from the first) until before *before* (empty: to the last).

    Whole hours are counted already; tasks due in an hour that a limit divides are few, and looked at one by one.
    """
    first, last = since[:HOUR], before[:HOUR]
    if first and first == last:
        return [_one_by_one(part, _c.sort_key >= since, _c.sort_key < before)]
    parts = [_tallied(part, _n.due_hour > first, _n.due_hour < (last or NO_DUE))]
    if since:
        parts.append(_one_by_one(part, _c.sort_key >= since, _c.sort_key < first + AFTER))
    if before:
        parts.append(_one_by_one(part, _c.sort_key >= last, _c.sort_key < before))
    return parts


def _holder(viewer: Viewer) -> ColumnElement[str]:
    """Who has claimed a task, if it is *viewer* or somebody for whom *viewer* stands in; else empty."""
    names = [name for name in viewer.holders if name]
    return case((_c.assignee.in_(names), _c.assignee), else_="") if names else literal("")


def _held_parts(viewer: Viewer, wanted: TaskFilter) -> list[Select[Any]]:
    """What *viewer* has claimed, and those for whom *viewer* stands in, task by task."""
    asked = {Part.ALL: TaskFilter(), Part.LATE: TaskFilter(due_before=viewer.now)}
    if wanted.has_due:
        asked[Part.WITHIN] = TaskFilter(
            without_due=wanted.without_due, due_from=wanted.due_from, due_before=wanted.due_before
        )
    found = (
        _read_first(_one_by_one(part, *claimed_by(holder), *due_conditions(due), holder=holder)).subquery()
        for holder in viewer.holders
        for part, due in asked.items()
    )
    return [select(held) for held in found]


def _read_first(query: Select[Any]) -> Select[Any]:
    """*query*, planned apart from what counts its rows: by the index that finds them, not by one that sorts them."""
    return query.order_by(*sorting(TaskOrder.DUE)).limit(LARGEST - 1)


def _grouped(
    connection: Connection, parts: Sequence[Select[Any]], viewer: Viewer, wanted: TaskFilter
) -> list[KindCount]:
    counted = union_all(*parts).subquery()
    c, awake = counted.c, counted.c.until <= viewer.today.isoformat()
    keys = (c.candidate_group, c.process, c.element, c.free, c.holder)
    within = Part.WITHIN if wanted.has_due else Part.ALL
    sums = (
        _sum(c.tasks, awake & (c.part == Part.ALL.value)).label("open"),
        _sum(c.tasks, awake & (c.part == Part.LATE.value)).label("late"),
        _sum(c.tasks, awake & (c.part == within.value)).label("within"),
        _sum(c.tasks, ~awake & (c.part == Part.ALL.value)).label("put_off"),
    )
    rows: Iterable[Any] = connection.execute(select(*keys, *sums).group_by(*keys))
    # Values other than text were altered; verify reports them. Who claimed such a task still sees it.
    return [
        KindCount(
            group=row.candidate_group if type(row.candidate_group) is str else ALTERED,
            process=row.process,
            element=row.element,
            free=bool(row.free),
            open=int(row.open),
            late=int(row.late),
            within=int(row.within),
            put_off=int(row.put_off),
            holder=row.holder,
        )
        for row in rows
        if all(type(text) is str for text in (row.process, row.element))
        and (row.holder or type(row.candidate_group) is str)
    ]


def _sum(tasks: Any, condition: ColumnElement[bool]) -> Any:
    return func.coalesce(func.sum(case((condition, tasks), else_=0)), 0)


def _passing(one: KindCount, wanted: TaskFilter) -> int:
    return one.within if wanted.has_due else one.open
