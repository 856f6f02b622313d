"""The open user tasks that a person sees, a page at a time; `task_counts` says how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Subquery, and_, or_, select, union_all

from .tables import engine_tables as t
from .task_counts import ALTERED, KindCount, counts_of
from .task_filter import TaskFilter, TaskOrder, Viewer, beyond, claimed_by, conditions, ordering, sorting
from .task_rows import UserTask, task_of

_c, _v = t.user_task.c, t.version.c

#: The most parts a statement may have; beyond that, the rows of all kinds are sorted.
MAX_REASONS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """
    Where a page of a list begins or ends; without a cursor it is the first page.

    *after* and *before* are cursors (`task_filter.cursor_of`) of the task beyond which the page lies; *at* is that of
    its first task.
    """

    order: TaskOrder = TaskOrder.DUE
    after: str = ""
    before: str = ""
    at: str = ""
    limit: int = 50

    @property
    def is_back(self) -> bool:
        return bool(self.before)


def select_tasks(connection: Connection, viewer: Viewer, wanted: TaskFilter, page: Page) -> list[UserTask]:
    """
    The tasks of one page that *viewer* may see, in the order of the page.

    Only rows that the page shows are read, however many there are: the first of each kind, in the order of an index.
    """
    few = _few(_reasons(connection, viewer, wanted), wanted, viewer, page)
    query = select(few, t.instance.c.revision).join(t.instance, t.instance.c.id == few.c.instance)
    query = query.order_by(*ordering(page.order, few.c, back=page.is_back)).limit(page.limit)
    found = [task_of(row._mapping) for row in connection.execute(query)]
    return found[::-1] if page.is_back else found


def titles(connection: Connection, counted: Iterable[KindCount]) -> dict[tuple[str, str], tuple[str, str]]:
    """What these kinds of tasks and their processes are called, by (process, element): the title of one of each."""
    kinds = {(one.process, one.element): one.group for one in counted}
    if not kinds:
        return {}
    newest = select(_v.name).where(_v.process == _c.process).order_by(_v.number.desc()).limit(1).scalar_subquery()
    named = select(_c.process, _c.element, _c.title, newest.label("process_name"))
    one_of_each = (
        select(
            named.where(_c.candidate_group == group, _c.process == process, _c.element == element).limit(1).subquery()
        )
        for (process, element), group in sorted(kinds.items())[:MAX_REASONS]
    )
    return {
        (row.process, row.element): (str(row.title), str(row.process_name or row.process))
        for row in connection.execute(union_all(*one_of_each))
    }


def _reasons(connection: Connection, viewer: Viewer, wanted: TaskFilter) -> list[list[Any]]:
    """Why *viewer* sees a task: one set of conditions for each kind; no task is seen for two of them."""
    cells = {
        (one.group, one.process, one.element, "" if viewer.sees(one.group) else one.holder)
        for one in counts_of(connection, viewer, wanted)
        if wanted.passes(one.group, one.process, one.element) and (one.put_off if wanted.put_off else one.open)
    }
    reasons = []
    for group, process, element, holder in sorted(cells):
        kind = [_c.process == process, _c.element == element]
        if viewer.sees(group):
            reasons.append([_c.candidate_group == group, *kind])
        elif group == ALTERED:
            seen = sorted(one for one, *_ in cells if one != ALTERED)
            reasons.append([_c.candidate_group.not_in(seen), *kind, *claimed_by(holder)])
        else:
            reasons.append([_c.candidate_group == group, *kind, *claimed_by(holder)])
    if wanted.is_narrow or len(reasons) > MAX_REASONS:
        return [[or_(*(and_(*where) for where in reasons))]] if reasons else []
    return reasons


def _few(reasons: list[list[Any]], wanted: TaskFilter, viewer: Viewer, page: Page) -> Subquery:
    """The first *page.limit* tasks for each reason, in index order."""
    query: Select[Any] = select(t.user_task).where(*conditions(wanted, viewer))
    if page.before:
        query = query.where(beyond(page.order, page.before, back=True))
    elif page.after or page.at:
        query = query.where(beyond(page.order, page.after or page.at, itself=not page.after))
    order = (sorting if wanted.is_narrow else ordering)(page.order, back=page.is_back)
    query = query.order_by(*order).limit(page.limit)
    if not reasons:
        return query.where(_c.instance == "").subquery("few")
    firsts = (query.where(*why).subquery() for why in reasons)
    return union_all(*(select(first) for first in firsts)).subquery("few")
