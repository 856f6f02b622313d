"""Claimed tasks of somebody who is away or has left: an administrator gives them back to their groups."""

from __future__ import annotations

from ..audit.audit_log import AuditLog
from ..context import Context
from ..core import events as e
from ..core.actor import Actor
from ..core.canonical import check_input
from ..core.errors import Conflict, Corrupt, InvalidSubmission, NotAllowed
from ..core.visible_text import trimmed
from ..store import UserTask, task_rows
from .step_writer import StepWriter
from .task_queries import TaskQueries

AT_ONCE = 100


class Claims:
    """What people other than the claimant do about claimed tasks."""

    def __init__(self, context: Context, tasks: TaskQueries, steps: StepWriter, audit: AuditLog) -> None:
        self.database, self.tasks, self.steps, self.audit = context.database, tasks, steps, audit

    def release_all(self, person: str, why: str, *, actor: Actor) -> int:
        """
        Release every task that *person* has claimed; return how many there were.

        Each is a step of its own in its case, with an audit event that says *why*. What the person typed into them and
        did not send stays theirs.

        Raises:
            NotAllowed: *actor* is not an administrator.
            InvalidSubmission: *why* is empty or too long.
        """
        if actor.role not in ("admin", "system"):
            raise NotAllowed("Only administrators release tasks that others have claimed.")
        why = trimmed(why)
        if not why:
            raise InvalidSubmission("Say why.", fields={"reason": "Say why, in a few words."})
        check_input(why, where="reason")
        claimant = Actor(name=person, role="staff")
        done, after = 0, None
        while True:
            found = self.tasks.tasks(claimant, mine=True, limit=AT_ONCE, after=after)
            done += sum(self._released(task, person, why, actor) for task in found)
            if len(found) < AT_ONCE:
                return done
            after = found[-1].sort_key

    def _released(self, task: UserTask, person: str, why: str, actor: Actor) -> bool:
        """Whether *task* could be released; a case that has ended meanwhile, or cannot be read, stops no other."""
        try:
            return self._release(task, person, why, actor)
        except (Conflict, Corrupt):
            return False

    def _release(self, task: UserTask, person: str, why: str, actor: Actor) -> bool:
        """Whether *task* was still claimed by *person*, and is not any more."""
        with self.database.begin() as tx:
            case = self.steps.open(tx, task.instance, None)
            found = task_rows.find(tx, task.instance, task.element, task.visit)
            if found is None or found.assignee != person:
                return False
            about = {"subject": task.id, "business_key": task.business_key, "why": why}
            self.audit.record("ClaimReleased", {"of": person}, actor=actor, transaction=tx, **about)
            released = e.UserTaskReleased(task.element, task.visit)
            self.steps.write(tx, case, {"kind": "release"}, actor, [released])
            return True
