"""The inbox: which user tasks are open, for whom, and why a task is no longer open. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from ..bpmn import initial_values
from ..context import Context
from ..core.actor import UNBOUND_ROLES, Actor
from ..core.canonical import whole_number
from ..core.errors import Conflict, NotFound
from ..core.events import from_json
from ..core.state import InstanceState, fold, place
from ..store import (
    Row,
    Transaction,
    UserTask,
    instance_rows,
    substitution_rows,
    task_counts,
    task_draft_rows,
    task_rows,
    to_text,
    visible_tasks,
    workload_counts,
)
from ..store.task_counts import KindCount, TaskCounts
from ..store.task_filter import TaskFilter, Viewer
from ..store.visible_tasks import Page
from ..store.workload_counts import Workload


def task_place(task: str) -> tuple[str, str, int]:
    """(instance, element, visit) of a task id; raises `NotFound` when it is none."""
    parts = task.split(":")
    visit = whole_number(parts[-1])
    if len(parts) != 3 or visit is None:
        raise NotFound("There is no such task.")
    return parts[0], parts[1], visit


def may_see(actor: Actor | None, task: UserTask) -> bool:
    """
    Whether *actor* may see *task*: unbound roles see all, others those of their groups, those they claimed, and those
    that people claimed for whom they stand in.
    """
    return actor is None or is_theirs(actor, task) or actor.stands_in_for(task.assignee, task.groups)


def is_theirs(actor: Actor, task: UserTask) -> bool:
    """Whether *actor* may see *task* without standing in for anybody."""
    return is_for(actor, task.groups) or task.assignee == actor.name


def is_for(actor: Actor, groups: tuple[str, ...]) -> bool:
    """Whether a task of *groups* is for *actor*; one without groups is for everyone."""
    return actor.role in UNBOUND_ROLES or not groups or bool(actor.groups.intersection(groups))


def is_held_by_another(actor: Actor, task: UserTask) -> bool:
    """Whether somebody has claimed *task* for whom *actor* does not stand in."""
    return task.assignee not in ("", actor.name) and not actor.stands_in_for(task.assignee, task.groups)


def on_behalf(tx: Transaction, actor: Actor, task: UserTask, today: date) -> Actor | None:
    """
    *actor* acting for who has claimed *task*, if the rows have *actor* stand in for them on this very day; else None.

    Only who has claimed it is asked about, so that no right goes on from a substitute to a substitute of theirs.
    """
    if actor.role != "staff" or task.assignee in ("", actor.name):
        return None
    now = replace(actor, stands_in=substitution_rows.stands_in(tx, actor.name, today))
    return replace(now, on_behalf_of=task.assignee) if now.stands_in_for(task.assignee, task.groups) else None


def _standing(viewer: Viewer, mine: bool, overdue: bool) -> TaskFilter:
    return TaskFilter(assignee=viewer.name if mine else "", due_before=viewer.now if overdue else "")


#: Names change with a deployment only, and only in what a filter is called.
KEPT_TITLES = timedelta(minutes=1)


class TaskQueries:
    """Reads open user tasks."""

    def __init__(self, context: Context) -> None:
        self.context, self.database, self.clock = context, context.database, context.clock
        self._titles: dict[tuple[str, str], tuple[str, str]] = {}
        self._titled_at = self.clock()

    def tasks(
        self,
        actor: Actor | None = None,
        *,
        mine: bool = False,
        overdue: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> list[UserTask]:
        """Open tasks *actor* may see (None: all), soonest due first; *after* is the last task's ``sort_key``."""
        viewer = self.viewer(actor)
        wanted = _standing(viewer, mine, overdue)
        with self.database.read() as tx:
            return visible_tasks.select_tasks(tx, viewer, wanted, Page(after=after or "", limit=limit))

    def page(self, actor: Actor, wanted: TaskFilter, page: Page) -> list[UserTask]:
        """The tasks of one page that *actor* sees and that pass *wanted*."""
        with self.database.read() as tx:
            return visible_tasks.select_tasks(tx, self.viewer(actor), wanted, page)

    def count(self, actor: Actor, wanted: TaskFilter) -> int:
        """How many tasks that *actor* sees pass *wanted*; exact, whatever the number."""
        with self.database.read() as tx:
            return task_counts.count_matching(tx, self.viewer(actor), wanted)

    def of_cases(self, instances: Collection[str]) -> dict[str, tuple[UserTask, ...]]:
        """The open tasks of these cases, also those that some people may not see."""
        with self.database.read() as tx:
            return task_rows.of_instances(tx, instances) if instances else {}

    def count_tasks(self, actor: Actor | None = None, *, mine: bool = False, overdue: bool = False) -> int:
        """How many tasks `tasks` would list."""
        viewer = self.viewer(actor)
        with self.database.read() as tx:
            return task_counts.count_matching(tx, viewer, _standing(viewer, mine, overdue))

    def count_each(self, actor: Actor) -> TaskCounts:
        """How many tasks *actor* sees, has claimed, sees overdue, and sees put off."""
        with self.database.read() as tx:
            return task_counts.summed(tx, self.viewer(actor))

    def count_each_of(self, actors: Collection[Actor]) -> dict[Actor, TaskCounts]:
        """`count_each` of several people at one moment."""
        with self.database.read() as tx:
            return {actor: task_counts.summed(tx, self.viewer(actor)) for actor in actors}

    def kinds(self, actor: Actor, wanted: TaskFilter | None = None) -> list[KindCount]:
        """The tasks *actor* sees, counted by kind and candidate groups; of *wanted* only the due dates are heeded."""
        with self.database.read() as tx:
            return task_counts.counts_of(tx, self.viewer(actor), wanted or TaskFilter())

    def titles(self, counted: Iterable[KindCount]) -> dict[tuple[str, str], tuple[str, str]]:
        """What tasks of these kinds and their processes are called, by (process, element), at most a minute ago."""
        counted, now = list(counted), self.clock()
        if not self._titled_at <= now < self._titled_at + KEPT_TITLES:
            self._titles, self._titled_at = {}, now
        if any((one.process, one.element) not in self._titles for one in counted):
            with self.database.read() as tx:
                self._titles = self._titles | visible_tasks.titles(tx, counted)
        kinds = {(one.process, one.element) for one in counted}
        return {kind: title for kind, title in self._titles.items() if kind in kinds}

    def workload(self, actor: Actor | None, due_before: str) -> Workload:
        """How much lies with which group and person, of what *actor* sees (None: all); see `workload_counts`."""
        with self.database.read() as tx:
            return workload_counts.workload(tx, self.viewer(actor), due_before)

    def tidy_counts(self) -> int:
        """Add up the rows that count open tasks, so that they stay few; the worker does it now and then."""
        with self.database.begin() as tx:
            return task_counts.add_up(tx)

    def viewer(self, actor: Actor | None) -> Viewer:
        """*actor* as who looks at tasks now; None sees all of them."""
        now = self.clock()
        bound = actor is not None and actor.role not in UNBOUND_ROLES
        return Viewer(
            groups=actor.groups | {""} if actor is not None and bound else None,
            name=actor.name if actor else "",
            stands_in=actor.stands_in if actor is not None and bound else (),
            today=self.context.settings.calendar.day_of(now),
            now=to_text(now),
        )

    def task(self, task: str, actor: Actor | None = None) -> UserTask:
        """
        One open task.

        Raises:
            NotFound: There is none, or it is not for *actor*.
            Conflict: It is no longer open; ``winner`` and ``at`` say who closed it, and when.
        """
        instance, element, visit = task_place(task)
        with self.database.read() as tx:
            found = task_rows.find(tx, instance, element, visit)
            if found is None:
                raise self.why_closed(tx, instance, element, visit)
            if not may_see(actor, found):
                raise NotFound("There is no such task.")
            row = instance_rows.find(tx, instance)
            state, _ = instance_rows.unseal(self.context.seal_key, row)
            initial = self._initial(tx, row, state, element, visit)
            place = (instance, element, visit)
            drafts, comment = task_draft_rows.of_task_and_comment(tx, place, actor.name if actor else "")
        mine = drafts.pop(actor.name, None) if actor else None
        typing = task_draft_rows.typing(drafts.values(), self.clock())
        return replace(found, initial=initial, draft=mine, comment=comment, typing=typing)

    def initial_at(self, task: str, revision: int) -> dict[str, Any]:
        """What filled the form of the open *task* at an earlier *revision* of its case; the caller checks who asks."""
        instance, element, visit = task_place(task)
        with self.database.read() as tx:
            row = instance_rows.find(tx, instance)
            steps = instance_rows.steps(tx, instance, last=revision)
            state = fold(InstanceState(), [from_json(event) for step in steps for event in step.events])
            return self._initial(tx, row, state, element, visit)

    def _initial(self, tx: Transaction, row: Row, state: InstanceState, element: str, visit: int) -> dict[str, Any]:
        known = {**state.data, **state.items.get(place(element, visit), {})}
        diagram, calendar = self.context.diagram(tx, row.definition), self.context.settings.calendar
        return initial_values(diagram, element, known, self.clock(), calendar)

    def why_closed(self, tx: Transaction, instance: str, element: str, visit: int) -> Conflict | NotFound:
        """Why a task is not open: someone closed it, or it never was open."""
        words = {"UserTaskCompleted": "completed", "UserTaskCancelled": "cancelled", "ElementCancelled": "ended"}
        for step in reversed(instance_rows.steps(tx, instance)):
            for event in step.events:
                if event.get("element") == element and event.get("visit") == visit and event["kind"] in words:
                    message = f"{step.by} {words[event['kind']]} this task."
                    return Conflict(message, winner=step.actor, at=step.at)
                if event["kind"] == "InstanceCancelled":
                    return Conflict(f"{step.by} cancelled the case.", winner=step.actor, at=step.at)
        return NotFound("There is no such task.")
