"""Where a person goes after a task: the one place that decides it, for every act that leaves a task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import usher_engine
from flask import url_for
from usher_engine import Actor, Instance, UserTask
from usher_engine.cases import TaskPage, cursor_of, is_held_by_another

from .. import auth
from ..casework.visibility import may_work_on
from ..site import site
from .list_query import MINE, ListQuery, View
from .task_list import address, filter_of, with_text

#: How many tasks are tried when colleagues are faster each time.
TRIES = 5


def next_task(actor: Actor, query: ListQuery, *, besides: str = "") -> UserTask | None:
    """The first task of *query*'s list that *actor* can work on now; not *besides*."""
    return next((task for task in _free(actor, query) if task.id != besides), None)


def onward(before: UserTask, after: Instance, *, actor: Actor, query: ListQuery, takes_next: bool) -> str:
    """
    The address to go to after an act on the task *before* that left its case as *after*.

    It is the same task if it did not work, else the next one of the same case that *actor* may work on. Else, with
    *takes_next*, it is the next free task of *query*'s list, claimed for *actor*; else the list.
    """
    visible = [found for found in after.tasks if may_work_on(actor, found)]
    following = next((found for found in visible if found.id == before.id), visible[0] if visible else None)
    if following is None and takes_next:
        following = claim_next(actor, query, before)
        if following is None:
            auth.say("Nothing more is free in this list.")
    return f"{url_for('inbox.task', task_id=following.id)}#task" if following else address(query.first_page)


def claim_next(actor: Actor, query: ListQuery, done: UserTask) -> UserTask | None:
    """
    The next task of *query*'s list and order after *done*, claimed by *actor*; from the top if none comes after it.

    Tasks that others hold, that were put off or that *actor* just did are passed over. None: nothing is free.
    """
    for task in _candidates(actor, query, done):
        if task.assignee and not is_held_by_another(actor, task):
            return task
        try:
            site().engine.cases.claim(task.id, actor=actor)
        except (usher_engine.Conflict, usher_engine.NotAllowed, usher_engine.NotFound):
            continue  # someone was faster
        return task
    return None


def _candidates(actor: Actor, query: ListQuery, done: UserTask) -> list[UserTask]:
    """The free tasks after *done*; those from the top if there is none."""
    found = list(_free(actor, query, after=cursor_of(done, query.sort))) or list(_free(actor, query))
    return [task for task in found if task.id != done.id]


def _free(actor: Actor, query: ListQuery, after: str = "") -> Iterator[UserTask]:
    """The first few tasks of the list that nobody holds, or that *actor* works on if the list is about these."""
    wanted = with_text(filter_of(actor, replace(query, text="")), query.text, [])
    if wanted is None:
        return
    if query.view != View.MINE and query.who not in (MINE, actor.name) and not query.stand_in_view:
        wanted = replace(wanted, free=True, assignee="")
    yield from site().engine.inbox.page(actor, wanted, TaskPage(order=query.sort, after=after, limit=TRIES))
