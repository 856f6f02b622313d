"""Which cases are part of whose work. A case that an account may not see does not exist for it: 404, never 403."""

from __future__ import annotations

import usher_engine
from usher_engine import Actor, Instance, UserTask
from usher_engine.assurance import Retention

from .. import audit_logging
from ..auth import actor
from ..site import site


def visible_case(instance_id: str) -> Instance:
    """Return the case if the signed-in account may see it; otherwise raise `NotFound`, as if it did not exist."""
    found = site().engine.instance(instance_id)
    if not may_see(actor(), found):
        raise usher_engine.NotFound(f"No case has the number {instance_id}.")
    audit_logging.record_view("CaseViewed", found.id, business_key=found.business_key)
    left = Retention(site().engine.context, site().engine.audit).tombstone(found.id) if found.ended_at else None
    if left is not None:
        raise usher_engine.Purged(left.words(site().settings.calendar))
    return found


def may_see(who: Actor, instance: Instance) -> bool:
    """Whether the case is part of *who*'s work."""
    return any(may_work_on(who, task) for task in instance.tasks) or site().engine.search.concerns(who, instance.id)


def may_work_on(who: Actor, task: UserTask) -> bool:
    theirs = not task.groups or bool(who.groups.intersection(task.groups)) or task.assignee == who.name
    return theirs or who.stands_in_for(task.assignee, task.groups)
