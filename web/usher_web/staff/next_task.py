"""Where a person goes after a task: the one place that decides it, for every act that leaves a task."""

from __future__ import annotations

from flask import url_for
from usher_engine import Actor, Instance, UserTask

from ..casework.visibility import may_work_on
from ..site import site
from .task_list import PAGE, View

#: How many pages of tasks that others have claimed are looked through.
PAGES = 10


def next_task(actor: Actor, view: View = View.ALL, *, besides: str = "") -> UserTask | None:
    """The first task of the list that *actor* can work on now: neither claimed by another person nor *besides*."""
    after = None
    for _ in range(PAGES):
        found = site().engine.inbox.tasks(
            actor, mine=view is View.MINE, overdue=view is View.OVERDUE, limit=PAGE, after=after
        )
        free = (task for task in found if task.assignee in ("", actor.name) and task.id != besides)
        if task := next(free, None):
            return task
        if len(found) < PAGE:
            return None
        after = found[-1].sort_key
    return None


def onward(before: UserTask, after: Instance, *, actor: Actor, view: View) -> str:
    """
    The address to go to after an act on the task *before* that left its case as *after*.

    It is the same task if it did not work, else the next one of the same case that *actor* may work on, else the list.
    """
    visible = [found for found in after.tasks if may_work_on(actor, found)]
    following = next((found for found in visible if found.id == before.id), visible[0] if visible else None)
    return url_for("inbox.task", task_id=following.id, view=view) if following else url_for("inbox.show", view=view)
