"""*Save and next*: the next task of the list that nobody holds, claimed for the person who asks."""

from __future__ import annotations

from dataclasses import replace

import usher_engine
from usher_engine import Actor, UserTask
from usher_engine.cases import TaskPage, cursor_of

from ..site import site
from .list_query import MINE, ListQuery, View
from .task_list import filter_of, with_text

#: How many tasks are tried when colleagues are faster each time.
TRIES = 5


def claim_next(actor: Actor, query: ListQuery, done: UserTask) -> UserTask | None:
    """
    The next task of *query*'s list and order after *done*, claimed by *actor*; from the top if none comes after it.

    Tasks that others hold, that were put off or that *actor* just did are passed over. None: nothing is free.
    """
    for task in _candidates(actor, query, done):
        if task.assignee == actor.name:
            return task
        try:
            site().engine.cases.claim(task.id, actor=actor)
        except (usher_engine.Conflict, usher_engine.NotAllowed, usher_engine.NotFound):
            continue  # someone was faster
        return task
    return None


def _candidates(actor: Actor, query: ListQuery, done: UserTask) -> list[UserTask]:
    wanted = with_text(filter_of(actor, replace(query, text="")), query.text, [])
    if wanted is None:
        return []
    if query.view != View.MINE and query.who not in (MINE, actor.name):
        wanted = replace(wanted, free=True, assignee="")
    inbox, order = site().engine.inbox, query.sort
    after = inbox.page(actor, wanted, TaskPage(order=order, after=cursor_of(done, order), limit=TRIES))
    first = after or inbox.page(actor, wanted, TaskPage(order=order, limit=TRIES))
    return [task for task in first if task.id != done.id]
