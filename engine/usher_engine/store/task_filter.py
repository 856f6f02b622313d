"""Which open tasks a list asks for, and in which order: filters that combine, and the place of a task in each order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, literal, literal_column, tuple_

from ..core.actor import StandIn
from ..core.candidate_groups import groups_of
from ..core.canonical import whole_number
from ..core.errors import InvalidSubmission
from .database import to_text
from .tables import engine_tables as t
from .task_rows import NO_DUE, TOP_PRIORITY, UserTask

_c = t.user_task.c

#: Empty text in the statement itself: a partial index is used only where a statement repeats its condition.
EMPTY: ColumnElement[str] = literal_column("''")


class TaskOrder(StrEnum):
    """Orders of a list of tasks. Each ends with what is due first, and each has an index (`user_task`)."""

    #: Soonest due first; tasks without a due date come last.
    DUE = "due"
    #: Those that have waited longest first.
    OPENED = "opened"
    #: Those that came last first.
    NEWEST = "newest"
    #: Highest priority first.
    URGENT = "urgent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """
    Who looks at tasks, and when.

    *groups* are their candidate groups, None if they see every task; *name* is who claims, *today* the day of the
    practice by which tasks that were put off come back, *now* the moment as stored; *stands_in* are those whose claimed
    tasks they see as well.
    """

    groups: frozenset[str] | None
    name: str
    today: date
    now: str
    stands_in: tuple[StandIn, ...] = ()

    def sees(self, group_text: str) -> bool:
        """Whether tasks of these candidate groups are theirs to see, whoever has claimed them."""
        return self.groups is None or bool(self.groups & set(groups_of(group_text) or ("",)))

    @property
    def holders(self) -> tuple[str, ...]:
        """Whose claimed tasks they see in any group or in some: their own first."""
        return (self.name, *(one.person for one in self.stands_in)) if self.name else ()

    def sees_held(self, group_text: str, holder: str) -> bool:
        """Whether tasks of these candidate groups are theirs to see because *holder* has claimed them."""
        own = bool(holder) and holder == self.name
        return own or any(one.person == holder and one.covers(groups_of(group_text)) for one in self.stands_in)


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskFilter:
    """
    Tasks that pass every filter; an empty filter lets all pass.

    *kinds* are (process, element); *due_from* and *due_before* limit the due date and are moments as stored; *about*
    are business keys, *instance* one case; *assignee* is a person, *free* asks for tasks nobody has claimed. Tasks that
    were put off are left out, with *put_off* only they are shown.
    """

    groups: frozenset[str] = frozenset()
    kinds: frozenset[tuple[str, str]] = frozenset()
    processes: frozenset[str] = frozenset()
    due_from: str = ""
    due_before: str = ""
    without_due: bool = False
    assignee: str = ""
    free: bool = False
    about: frozenset[str] | None = None
    instance: str = ""
    put_off: bool = False

    @property
    def has_due(self) -> bool:
        return bool(self.due_from or self.due_before or self.without_due)

    @property
    def is_narrow(self) -> bool:
        """Whether it names people, cases or patients: it is counted row by row, not by kind."""
        return bool(self.assignee or self.instance) or self.about is not None

    def passes(self, group: str, process: str, element: str) -> bool:
        """Whether tasks of this kind in these candidate groups may pass."""
        named = not self.groups or bool(self.groups & set(groups_of(group)))
        kind = not self.kinds or (process, element) in self.kinds
        return named and kind and (not self.processes or process in self.processes)


def conditions(wanted: TaskFilter, viewer: Viewer) -> list[ColumnElement[bool]]:
    """What *wanted* asks of each row, without its kind and groups."""
    today = viewer.today.isoformat()
    where = [_c.until > today, _c.until != EMPTY] if wanted.put_off else [_c.until <= today]
    where += due_conditions(wanted)
    if wanted.free:
        where.append(_c.assignee == "")
    if wanted.assignee:
        where += claimed_by(wanted.assignee)
    if wanted.about is not None:
        where += [_c.business_key.in_(sorted(wanted.about)), _c.business_key != EMPTY]
    if wanted.instance:
        where.append(_c.instance == wanted.instance)
    return where


def due_conditions(wanted: TaskFilter) -> list[ColumnElement[bool]]:
    """What *wanted* asks of the due date; a sort key begins with it."""
    where: list[ColumnElement[bool]] = []
    if wanted.without_due:
        where.append(_c.sort_key >= NO_DUE)
    if wanted.due_from:
        where.append(_c.sort_key >= wanted.due_from)
    if wanted.due_from or wanted.due_before:
        where.append(_c.sort_key < (wanted.due_before or NO_DUE))
    return where


def claimed_by(name: str) -> list[ColumnElement[bool]]:
    """The tasks that *name* has claimed; with what the index of claimed tasks asks for."""
    return [_c.assignee == name, _c.assignee != EMPTY]


def ordering(order: TaskOrder, columns: Any = _c, *, back: bool = False) -> list[Any]:
    """The *columns* that sort by *order*; *back*: the other way round."""
    falling = back is not (order is TaskOrder.NEWEST)
    named = (columns[column.name] for column in _columns(order))
    return [column.desc() if falling else column for column in named]


def sorting(order: TaskOrder, *, back: bool = False) -> list[Any]:
    """As `ordering`, but by sorting the rows found: for filters that leave few, where reading an index is slower."""
    falling = back is not (order is TaskOrder.NEWEST)
    kept = (func.coalesce(column, column) for column in _columns(order))
    return [one.desc() if falling else one for one in kept]


def beyond(order: TaskOrder, cursor: str, *, back: bool = False, itself: bool = False) -> ColumnElement[bool]:
    """What comes after the task with this *cursor*, or before it (*back*); with *itself* that task too."""
    columns, values = _columns(order), _values(order, cursor)
    if back is not (order is TaskOrder.NEWEST):
        return tuple_(*columns) <= tuple_(*values) if itself else tuple_(*columns) < tuple_(*values)
    return tuple_(*columns) >= tuple_(*values) if itself else tuple_(*columns) > tuple_(*values)


def cursor_of(task: UserTask, order: TaskOrder) -> str:
    """The place of *task* in *order*."""
    match order:
        case TaskOrder.DUE:
            return task.sort_key
        case TaskOrder.OPENED | TaskOrder.NEWEST:
            return f"{to_text(task.created)} {task.sort_key}"
        case TaskOrder.URGENT:
            return f"{TOP_PRIORITY - task.priority} {task.sort_key}"


def _columns(order: TaskOrder) -> list[Any]:
    match order:
        case TaskOrder.DUE:
            return [_c.sort_key]
        case TaskOrder.OPENED | TaskOrder.NEWEST:
            return [_c.created_at, _c.sort_key]
        case TaskOrder.URGENT:
            return [_c.urgency, _c.sort_key]


def _values(order: TaskOrder, cursor: str) -> list[Any]:
    if order is TaskOrder.DUE:
        return [literal(cursor)]
    first, _, key = cursor.partition(" ")
    if order is not TaskOrder.URGENT:
        return [literal(first), literal(key)]
    urgency = whole_number(first.removeprefix("-"))
    if urgency is None:
        raise InvalidSubmission("This page of the list does not exist. Begin at its first page.")
    return [literal(-urgency if first.startswith("-") else urgency), literal(key)]
