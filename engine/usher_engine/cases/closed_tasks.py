"""User tasks that are no longer open, read from the history of their case: whom they were for and what was answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..core.actor import Actor
from ..core.candidate_groups import groups_of
from ..core.errors import NotFound
from ..store import Transaction, instance_rows
from ..store.instance_rows import Step
from .task_queries import is_for

#: The events that close a task.
CLOSING = frozenset({"UserTaskCompleted", "UserTaskCancelled", "ElementCancelled", "InstanceCancelled"})

#: The events that say who has a task.
HOLDING = frozenset({"UserTaskClaimed", "UserTaskAssigned", "UserTaskReleased"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedTask:
    """
    *form* is the file of its form in the case's package. ``completed`` tasks have an *answer*, as the form's fields
    are stored; others were cancelled, or ended with what they were part of.
    """

    id: str
    instance: str
    title: str
    form: str
    by: str
    at: datetime
    completed: bool
    answer: dict[str, Any] = field(default_factory=dict)
    #: For whom, if a substitute closed it.
    on_behalf_of: str = ""


def closed_task(tx: Transaction, task: str, at: tuple[str, str, int], actor: Actor) -> ClosedTask:
    """The closed *task* at the place *at*; raises `NotFound` if there was none for *actor*."""
    instance, element, visit = at
    opened: dict[str, Any] | None = None
    closed: tuple[Step, dict[str, Any]] | None = None
    holder = ""
    for step in instance_rows.steps(tx, instance):
        for event in step.events:
            if event["kind"] != "InstanceCancelled" and (event.get("element"), event.get("visit")) != (element, visit):
                continue
            if event["kind"] == "UserTaskOpened":
                opened, closed, holder = event, None, ""
            elif event["kind"] in HOLDING:
                holder = str(event.get("by") or event.get("to") or "")
            elif event["kind"] in CLOSING and opened is not None:
                closed = closed or (step, event)
    if opened is None or closed is None:
        raise NotFound("There is no such task.")
    groups = groups_of(opened.get("group", ""))
    theirs = is_for(actor, groups) or closed[0].actor == actor.name
    if not theirs and not actor.stands_in_for(holder, groups):
        raise NotFound("There is no such task.")
    step, event = closed
    return ClosedTask(
        id=task,
        instance=instance,
        title=opened.get("title", element),
        form=opened.get("form", ""),
        by=step.actor,
        on_behalf_of=step.on_behalf_of,
        at=step.at,
        completed=event["kind"] == "UserTaskCompleted",
        answer=dict(event.get("answer") or {}),
    )
