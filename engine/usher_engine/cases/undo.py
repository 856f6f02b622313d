"""Undoes a person's step while its mail is held: the task is open again, as it was, and history keeps both.

One command, one step, one transaction, like all of `commands`. From the moment on that a worker has taken the mail, it
is too late (decisions/0042).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..context import Context
from ..core import events as e
from ..core.actor import Actor
from ..core.canonical import Json
from ..core.errors import Conflict, Corrupt, NotAllowed, TooLate
from ..core.state import InstanceState
from ..reexecution import UndoneStep, undo_events
from ..services import Call
from ..store import Step, Transaction, held_jobs, instance_rows, task_draft_rows
from ..store.task_draft_rows import TaskDraft
from .queries import CaseQueries, Instance
from .step_writer import Case, StepWriter

#: The steps by which a worker reports on the mail.
REPORTS = frozenset({"finish_job", "fail_job"})


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldMail:
    """A mail that its author can still stop: by `Undos.undo` with *instance* and *revision*, until *leaves_at*."""

    instance: str
    business_key: str
    revision: int
    element: str
    leaves_at: datetime


class Undos:
    """The command `undo`, and the question what can be undone."""

    def __init__(self, context: Context, queries: CaseQueries, steps: StepWriter) -> None:
        self.context, self.database = context, context.database
        self.queries, self.steps = queries, steps

    def held(self, actor: Actor) -> list[HeldMail]:
        """The mails of *actor* that can still be stopped, the next to leave first. One statement on a small index."""
        with self.database.read() as tx:
            found = held_jobs.undoable(tx, actor.name)
        return [
            HeldMail(
                instance=one.instance,
                business_key=one.business_key,
                revision=one.revision,
                element=one.element,
                leaves_at=one.due_at,
            )
            for one in found
        ]

    def undo(self, instance: str, revision: int, *, actor: Actor) -> Instance:
        """
        Undo step *revision* of a case, which has asked for a mail that has not left.

        The task that the step had ended is open again, claimed by *actor*, its draft what was typed; what services had
        changed in the step is put back. An undone start cancels the case. A second undo of the same step changes
        nothing.

        Raises:
            TooLate: A worker has taken the mail, or the step was never held.
            Conflict: The case has moved on since, or somebody has changed the same record.
            NotAllowed: Somebody else took the step.
            NotFound: There is no such case.
        """
        with self.database.begin() as tx:
            row = instance_rows.lock(tx, instance)
            later = instance_rows.steps(tx, instance, first=max(1, revision))
            if len(later) > 1 and _undoes(later[1], revision):
                return self.queries.as_instances(tx, [row])[0]
            step = _require_undoable(later, revision, actor)
            actor = replace(actor, on_behalf_of=step.on_behalf_of or None)
            case = self.steps.case(tx, row, None)
            note = self._stop_mails(tx, case, step)
            undone = self._undone(tx, case, step, note)
            put_back = self._put_back(tx, case, note, actor)
            return self._write(tx, case, undone, put_back, actor)

    def _stop_mails(self, tx: Transaction, case: Case, step: Step) -> dict[str, Any]:
        """Delete the mails that the step asked for, all of them unsent; return the note that was kept with them."""
        asked = [event for event in step.events if event.get("kind") == "ServiceRequested"]
        notes = [held_jobs.stop_held(tx, case.row.id, str(one["element"]), int(one["visit"])) for one in asked]
        if not notes or None in notes:
            raise TooLate
        note: dict[str, Any] = json.loads(str(notes[0]))
        if note["revision"] != step.revision:
            raise TooLate
        return note

    def _undone(self, tx: Transaction, case: Case, step: Step, note: dict[str, Any]) -> UndoneStep:
        """The step with the state before it, if that is the state that the history recorded; restores the workflow."""
        if step.revision == 1:
            return UndoneStep(revision=1, actor=step.actor, events=step.events, state=InstanceState())
        before = instance_rows.steps(tx, case.row.id, first=step.revision - 1, last=step.revision - 1)
        stored = str(note["before"])
        if not before or before[0].body.get("state") != hashlib.sha256(stored.encode()).hexdigest():
            raise Corrupt("What was kept to undo this step is not what the history recorded. Nothing was changed.")
        kept = json.loads(stored)
        case.workflow = kept["workflow"]
        state = InstanceState.from_json(kept["state"])
        return UndoneStep(revision=step.revision, actor=step.actor, events=step.events, state=state)

    def _put_back(self, tx: Transaction, case: Case, note: dict[str, Any], actor: Actor) -> list[e.Event]:
        """Put back what operators had changed, the last change first."""
        return [self._put_back_one(tx, case, write, actor) for write in reversed(note["writes"])]

    def _put_back_one(self, tx: Transaction, case: Case, write: dict[str, Any], actor: Actor) -> e.Event:
        element, visit, name = str(write["element"]), int(write["visit"]), str(write["operator"])
        operator = self.context.services.get(name)
        if operator.undo is None:
            raise TooLate
        call = Call(
            instance=case.row.id,
            element=element,
            visit=visit,
            now=case.now,
            actor=actor.name,
            package=case.diagram.package,
            calendar=self.context.settings.calendar,
            transaction=tx,
        )
        return e.ServiceUndone(element, visit, name, operator.undo(write["note"], call))

    def _write(
        self, tx: Transaction, case: Case, undone: UndoneStep, put_back: list[e.Event], actor: Actor
    ) -> Instance:
        happened = [*put_back, *undo_events(undone, case.state)]
        command: dict[str, Json] = {"kind": "undo", "step": undone.revision}
        after = self.steps.write(tx, case, command, actor, happened)
        if not undone.is_start and isinstance(undone.answer, e.UserTaskCompleted):
            answer = undone.answer
            draft = TaskDraft(person=actor.name, typed=dict(answer.answer), revision=None, at=case.now)
            task_draft_rows.save(tx, (case.row.id, answer.element, answer.visit), draft)
        return after


def _require_undoable(steps: list[Step], revision: int, actor: Actor) -> Step:
    """The first of *steps*, which is step *revision*, if *actor* took it and nothing but facts came after it."""
    if not steps or steps[0].revision != revision:
        raise TooLate
    step, since = steps[0], {str(one.command["kind"]) for one in steps[1:]}
    if step.actor != actor.name:
        raise NotAllowed(f"Only {step.actor} can undo what {step.actor} did.")
    if since & REPORTS:
        raise TooLate
    if since - {"record"}:
        raise Conflict("The case has moved on since, so that cannot be undone any more. No mail has left for it.")
    return step


def _undoes(step: Step, revision: int) -> bool:
    return step.command.get("kind") == "undo" and step.command.get("step") == revision
