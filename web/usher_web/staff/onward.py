"""Where a person goes after a task: the one place that decides it, for every act that leaves a task."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from usher_engine import Actor, Instance, UserTask

from ..casework.visibility import may_work_on
from ..site import site
from ..words.element_names import names_of
from ..words.presentation import case_no
from .task_list import PAGE, View

#: How many pages of tasks that others have claimed are looked through.
PAGES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Onward:
    """The *address* of the next page, and the sentence to show there; *failed* is whether it tells of a failure."""

    address: str
    words: str
    failed: bool = False


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


def onward(before: UserTask, after: Instance, done: str, *, actor: Actor, view: View) -> Onward:
    """
    After an act on the task *before* that left its case as *after*: the next task of the same case, else the list.

    *done* is the sentence about the act; what follows automatically, or has failed, is added to it.
    """
    if after.incident and any(found.id == before.id for found in after.tasks):
        words = f"It did not work: {after.incident} The task is still open and what you typed is kept."
        return Onward(address=url_for("inbox.task", task_id=before.id, view=view), words=words, failed=True)
    failed = bool(after.incident)
    if after.incident:  # the answer is saved; another branch of the case, or what follows, is stopped
        done = f"{done} The case has stopped: {after.incident}"
    visible = [found for found in after.tasks if may_work_on(actor, found)]
    if visible:
        return Onward(address=url_for("inbox.task", task_id=visible[0].id, view=view), words=done, failed=failed)
    if after.explanation:
        done = f"{done} {after.explanation}"
    elif after.at and not after.incident:
        names = names_of(after.id)
        done = f"{done} {' and '.join(names.of(element) for element in after.at)} follows automatically."
    words = f"Case {case_no(before.instance)}: {done}"
    return Onward(address=url_for("inbox.show", view=view), words=words, failed=failed)
