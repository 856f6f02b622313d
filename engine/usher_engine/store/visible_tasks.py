"""The open user tasks that a person sees, in the order of the inbox, and their number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Select, Subquery, case, func, select, union_all

from ..core.candidate_groups import groups_of
from .database import to_text
from .snapshot import answers
from .tables import engine_tables as t
from .task_rows import UserTask, task_of

#: The most parts a statement may have; beyond that, the rows of all groups are sorted.
MAX_REASONS = 100


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """How many open tasks a person sees, each counted up to a limit."""

    all: int
    mine: int
    overdue: int


def select_tasks(
    connection: Connection,
    *,
    groups: Collection[str] | None,
    assignee: str,
    mine: bool = False,
    overdue_at: datetime | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[UserTask]:
    """
    Open tasks a person may see, soonest due first.

    Args:
        connection: The transaction.
        groups: Candidate groups of the person; None means every task.
        assignee: The person; tasks claimed by them are always theirs to see.
        mine: Only tasks claimed by *assignee*.
        overdue_at: Only tasks due before this moment.
        after: ``sort_key`` of the last task on the previous page.
        limit: The largest number of tasks to return.
    """
    texts = None if mine else _texts(connection, groups)
    few = _each(select(t.user_task), texts, assignee, mine, overdue_at, after, limit)
    query = select(few, t.instance.c.revision).join(t.instance, t.instance.c.id == few.c.instance)
    return [task_of(row._mapping) for row in connection.execute(query.order_by(few.c.sort_key).limit(limit))]


def count_tasks(
    connection: Connection,
    *,
    groups: frozenset[str] | None,
    assignee: str,
    mine: bool = False,
    overdue_at: datetime | None = None,
    at_most: int = 1_000,
) -> int:
    """How many tasks `select_tasks` would list, counted up to *at_most* to stay cheap."""
    known = answers(connection).get(("tasks of", assignee, groups))
    if known is not None and not mine and overdue_at is None:
        return int(known)
    texts = None if mine else _texts(connection, groups)
    return int(connection.execute(select(_count_statement(texts, assignee, mine, overdue_at, at_most))).scalar_one())


def count_each(
    connection: Connection, *, groups: frozenset[str] | None, assignee: str, overdue_at: datetime, at_most: int = 1_000
) -> TaskCounts:
    """`count_tasks` for all, for those claimed by *assignee* and for those overdue, in one statement."""
    texts = _texts(connection, groups)
    counted = (
        _count_statement(texts, assignee, False, None, at_most),
        _count_statement(None, assignee, True, None, at_most),
        _count_statement(texts, assignee, False, overdue_at, at_most),
    )
    found = TaskCounts(*map(int, connection.execute(select(*counted)).one()))
    answers(connection)["tasks of", assignee, groups] = found.all
    return found


@dataclass(frozen=True, slots=True)
class Claimed:
    """How many tasks with one group text a person has claimed, and how many of those are overdue."""

    groups: tuple[str, ...]
    all: int
    overdue: int


def count_claimed(connection: Connection, names: Collection[str], now: datetime) -> dict[str, list[Claimed]]:
    """What each of *names* has claimed, by group text, in one statement."""
    c = t.user_task.c
    late = func.sum(case((c.sort_key < to_text(now), 1), else_=0))
    query = select(c.assignee, c.candidate_group, func.count(), late).where(c.assignee.in_(sorted(names)))
    found: dict[str, list[Claimed]] = {}
    for assignee, text, number, overdue in connection.execute(query.group_by(c.assignee, c.candidate_group)):
        found.setdefault(assignee, []).append(Claimed(groups_of(text), int(number), int(overdue)))
    return found


def with_claimed(shared: TaskCounts, groups: frozenset[str] | None, claimed: Collection[Claimed]) -> TaskCounts:
    """The counts of a person: *shared* by all of their *groups*, and what they have claimed beyond."""
    beyond = [one for one in claimed if groups is not None and one.groups and not groups.intersection(one.groups)]
    return TaskCounts(
        all=shared.all + sum(one.all for one in beyond),
        mine=sum(one.all for one in claimed),
        overdue=shared.overdue + sum(one.overdue for one in beyond),
    )


def _count_statement(
    texts: Collection[str] | None, assignee: str, mine: bool, overdue_at: datetime | None, at_most: int
) -> ScalarSelect[int]:
    few = _each(select(t.user_task.c.sort_key), texts, assignee, mine, overdue_at, None, at_most)
    return select(func.count()).select_from(select(few.c.sort_key).limit(at_most).subquery()).scalar_subquery()


#: Each distinct group text in the table, with one index step per text regardless of the number of tasks.
_FIRST = select(func.min(t.user_task.c.candidate_group).label("text")).cte("texts", recursive=True)
_NEXT = select(func.min(t.user_task.c.candidate_group)).where(t.user_task.c.candidate_group > _FIRST.c.text)
_ALL = _FIRST.union_all(select(_NEXT.correlate(_FIRST).scalar_subquery()).where(_FIRST.c.text.is_not(None)))
_GROUP_TEXTS = select(_ALL.c.text).where(_ALL.c.text.is_not(None))


def _texts(connection: Connection, groups: Collection[str] | None) -> set[str] | None:
    """The group texts in the table that name one of *groups*; "" means everyone. Values other than text are skipped."""
    if groups is None:
        return None
    known = answers(connection)
    if "group texts" not in known:
        known["group texts"] = connection.execute(_GROUP_TEXTS).scalars().all()
    wanted = set(groups)
    return {text for text in known["group texts"] if type(text) is str and wanted & set(groups_of(text) or ("",))}


def _each(
    wanted: Select[Any],
    groups: Collection[str] | None,
    assignee: str,
    mine: bool,
    overdue_at: datetime | None,
    after: str | None,
    limit: int,
) -> Subquery:
    """
    What is *wanted* of the first *limit* tasks for each reason to see one, in index order.

    No other tasks are read, however many there are.
    """
    c = t.user_task.c
    later: list[Any] = []
    if after is not None:
        later.append(c.sort_key > after)
    if overdue_at is not None:
        later.append(c.sort_key < to_text(overdue_at))
    reasons: list[list[Any]] = [[]]
    if mine:
        reasons = [[c.assignee == assignee]]
    elif groups is not None:
        reasons = [[c.candidate_group == group] for group in sorted(groups)]
        if len(reasons) > MAX_REASONS:
            reasons = [[c.candidate_group.in_(groups)]]
        reasons.append([c.assignee == assignee, c.candidate_group.not_in(groups)])
    firsts = (wanted.where(*why, *later).order_by(c.sort_key).limit(limit).subquery() for why in reasons)
    return union_all(*(select(first) for first in firsts)).subquery("few")
