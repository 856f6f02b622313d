"""The inbox: which user tasks are open, for whom, and why a task is no longer open. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from ..bpmn import initial_values
from ..context import Context
from ..core.actor import UNBOUND_ROLES, Actor
from ..core.canonical import whole_number
from ..core.errors import Conflict, NotFound
from ..core.state import place
from ..store import Transaction, UserTask, instance_rows, task_rows, visible_tasks
from ..store.visible_tasks import TaskCounts


def task_place(task: str) -> tuple[str, str, int]:
    """(instance, element, visit) of a task id; raises `NotFound` when it is none."""
    parts = task.split(":")
    visit = whole_number(parts[-1])
    if len(parts) != 3 or visit is None:
        raise NotFound("There is no such task.")
    return parts[0], parts[1], visit


def may_see(actor: Actor | None, task: UserTask) -> bool:
    """Whether *actor* may see *task*: unbound roles see all, others those of their groups and those they claimed."""
    if actor is None or actor.role in UNBOUND_ROLES or not task.groups:
        return True
    return bool(actor.groups.intersection(task.groups)) or task.assignee == actor.name


class TaskQueries:
    """Reads open user tasks."""

    def __init__(self, context: Context) -> None:
        self.context, self.database, self.clock = context, context.database, context.clock

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
        groups, name, due = self._scope(actor, overdue)
        with self.database.read() as tx:
            return visible_tasks.select_tasks(
                tx, groups=groups, assignee=name, mine=mine, overdue_at=due, after=after, limit=limit
            )

    def of_cases(self, instances: Collection[str]) -> dict[str, tuple[UserTask, ...]]:
        """The open tasks of these cases, whoever may see them."""
        with self.database.read() as tx:
            return task_rows.of_instances(tx, instances) if instances else {}

    def count_tasks(self, actor: Actor | None = None, *, mine: bool = False, overdue: bool = False) -> int:
        """How many tasks `tasks` would list, counted up to 1,000."""
        groups, name, due = self._scope(actor, overdue)
        with self.database.read() as tx:
            return visible_tasks.count_tasks(tx, groups=groups, assignee=name, mine=mine, overdue_at=due)

    def count_each(self, actor: Actor) -> TaskCounts:
        """How many tasks *actor* sees, has claimed, and sees overdue, each counted up to 1,000."""
        groups, name, _ = self._scope(actor, overdue=False)
        with self.database.read() as tx:
            return visible_tasks.count_each(tx, groups=groups, assignee=name, overdue_at=self.clock())

    def count_each_of(self, actors: Collection[Actor]) -> dict[Actor, TaskCounts]:
        """`count_each` of several people: a few statements for each set of groups, and one for all."""
        found: dict[Actor, TaskCounts] = {}
        with self.database.read() as tx:
            claimed = visible_tasks.count_claimed(tx, {actor.name for actor in actors}, self.clock())
            shared: dict[frozenset[str] | None, TaskCounts] = {}
            for actor in actors:
                groups, name, _ = self._scope(actor, overdue=False)
                if groups not in shared:
                    of_groups = visible_tasks.count_each(tx, groups=groups, assignee="", overdue_at=self.clock())
                    shared[groups] = of_groups
                found[actor] = visible_tasks.with_claimed(shared[groups], groups, claimed.get(name, ()))
        return found

    def _scope(self, actor: Actor | None, overdue: bool) -> tuple[frozenset[str] | None, str, datetime | None]:
        bound = actor is not None and actor.role not in UNBOUND_ROLES
        groups = actor.groups | {""} if actor is not None and bound else None
        return groups, actor.name if actor else "", self.clock() if overdue else None

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
            known = {**state.data, **state.items.get(place(element, visit), {})}
            diagram, calendar = self.context.diagram(tx, row.definition), self.context.settings.calendar
            initial = initial_values(diagram, element, known, self.clock(), calendar)
        return replace(found, initial=initial)

    def why_closed(self, tx: Transaction, instance: str, element: str, visit: int) -> Conflict | NotFound:
        """Why a task is not open: someone closed it, or it never was open."""
        words = {"UserTaskCompleted": "completed", "UserTaskCancelled": "cancelled", "ElementCancelled": "ended"}
        for step in reversed(instance_rows.steps(tx, instance)):
            for event in step.events:
                if event.get("element") == element and event.get("visit") == visit and event["kind"] in words:
                    message = f"{step.actor} {words[event['kind']]} this task."
                    return Conflict(message, winner=step.actor, at=step.at)
                if event["kind"] == "InstanceCancelled":
                    return Conflict(f"{step.actor} cancelled the case.", winner=step.actor, at=step.at)
        return NotFound("There is no such task.")
