"""What people type into the forms of user tasks before they send it: saved, shown to them alone, and let go.

A draft is no command: it changes no case and enters no history. It outlives its task, for the person who was too late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..context import Context
from ..core.actor import Actor
from ..core.canonical import check_input
from ..core.errors import NotAllowed, NotFound
from ..store import Transaction, UserTask, task_draft_rows, task_rows
from ..store.task_draft_rows import DraftBasis, SavedDraft, TaskDraft
from .closed_tasks import ClosedTask, closed_task
from .task_queries import may_see, task_place


class TaskDrafts:
    """One draft for each person and task; nobody reads or overwrites another's."""

    #: How long a draft is kept after its last save, once its task is closed.
    kept_for = task_draft_rows.KEPT_FOR

    def __init__(self, context: Context) -> None:
        self.database, self.clock = context.database, context.clock

    def save(
        self,
        task: str,
        values: Mapping[str, Any],
        *,
        actor: Actor,
        revision: int | None = None,
        basis: DraftBasis | None = None,
    ) -> SavedDraft:
        """
        Save what *actor* has typed into the form of *task*, checked against limits only.

        It is saved also if someone else has claimed or closed the task meanwhile: the text must not be lost.

        Args:
            task: ``instance:element:visit``.
            values: Field key to the text in the field.
            actor: A person who works on tasks.
            revision: The instance revision the form was rendered from; shows later what has changed since.
            basis: What the page knows of the draft before. A page that was left sends its last text, and that may come
                after what was typed elsewhere since: it is not saved then. Without it the draft is saved in any case.

        Raises:
            NotAllowed: *actor* is not staff.
            NotFound: There is and was no such task for *actor*.
            InvalidSubmission: The values are larger than an answer may be.
        """
        check_input(dict(values), where="form")
        at, now = task_place(task), self.clock()
        with self.database.begin() as tx:
            found = _require_visible(tx, task, at, actor)
            draft = TaskDraft(person=actor.name, typed=dict(values), revision=revision, at=now)
            saved = task_draft_rows.save_newer(tx, at, draft, basis)
        return replace(saved, task=found)

    def find(self, task: str, actor: Actor) -> TaskDraft | None:
        """What *actor* typed into *task*, open or closed, and has not sent."""
        with self.database.read() as tx:
            return task_draft_rows.of_task(tx, task_place(task)).get(actor.name)

    def carried(self, task: UserTask, actor: Actor) -> TaskDraft | None:
        """What *actor* typed into the visit before this *task*, if that ended without an answer and it asks again."""
        if task.visit <= 1:
            return None
        before = (task.instance, task.element, task.visit - 1)
        with self.database.read() as tx:
            draft = task_draft_rows.of_task(tx, before).get(actor.name)
            if draft is None or closed_task(tx, task.id, before, actor).completed:
                return None
        return draft

    def closed(self, task: str, actor: Actor) -> ClosedTask:
        """The *task* that is no longer open; raises `NotFound` if there was none for *actor*."""
        with self.database.read() as tx:
            return closed_task(tx, task, task_place(task), actor)

    def let_go(self, task: str, *, actor: Actor) -> None:
        """Delete what *actor* typed into *task*; nothing happens if there is nothing."""
        with self.database.begin() as tx:
            task_draft_rows.forget(tx, task_place(task), actor.name)


def _require_visible(tx: Transaction, task: str, at: tuple[str, str, int], actor: Actor) -> UserTask | None:
    """The open *task* at the place *at*, None if it is closed; raises `NotFound` if it is and was not for *actor*."""
    if actor.role not in ("staff", "system"):
        raise NotAllowed("Only staff may work on tasks.")
    found = task_rows.find(tx, *at)
    if found is None:
        closed_task(tx, task, at, actor)
    elif not may_see(actor, found):
        raise NotFound("There is no such task.")
    return found
