"""Whose work a case is. What somebody may not see is, for them, not there: 404, never 403."""

from __future__ import annotations

import usher_engine
from usher_engine import Actor, Instance, UserTask
from usher_engine.accounts import Role

from . import trail
from .auth import actor
from .site import site


def seen(instance_id: str) -> Instance:
    """The case, if whoever asks may see it; otherwise `NotFound`, as if there were none."""
    found = site().engine.instance(instance_id)
    if not may_see(actor(), found):
        raise usher_engine.NotFound(f"No case has the number {instance_id}.")
    trail.viewed("CaseViewed", found.id, business_key=found.business_key)
    return found


def may_see(who: Actor, instance: Instance) -> bool:
    """
    Whether the case is part of *who*'s work.

    Auditors see all. Staff see a case one of whose tasks is or was for their groups, and those they had a hand in.
    """
    if who.role == Role.AUDITOR.value or any(may_work_on(who, task) for task in instance.tasks):
        return True
    return any(
        step.actor == who.name or any(event.get("group") in who.groups for event in step.events)
        for step in site().engine.history(instance.id)
    )


def may_work_on(who: Actor, task: UserTask) -> bool:
    return not task.group or task.group in who.groups or task.assignee == who.name
