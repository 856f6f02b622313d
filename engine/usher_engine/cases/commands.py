"""The file to read first: the use-cases. One public method = one command = one step = one transaction.

Each method locks and loads the instance, lets SpiffWorkflow decide (`bpmn`), and writes the step, the new state, the
inbox rows and the jobs together, or nothing (`step_writer`). Effects run afterwards (`jobs.job_work`); `queries` reads.
Cases begin in `starts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..audit.audit_log import AuditLog
from ..bpmn import Run, require_standing
from ..context import Context
from ..core import events as e
from ..core.actor import Actor
from ..core.canonical import Json, check_input
from ..core.errors import (
    Conflict,
    ElementFailed,
    EngineError,
    InvalidDefinition,
    InvalidSubmission,
    NotAllowed,
    NotFound,
)
from ..core.visible_text import trimmed
from ..forms import Form, deployed_form
from ..store import Transaction, UserTask, instance_rows, job_rows, task_draft_rows, task_rows
from ..store.task_draft_rows import TaskDraft
from .queries import CaseQueries, Instance
from .step_writer import FAILURES, Case, Moment, StepWriter
from .task_queries import TaskQueries, is_theirs, on_behalf, task_place


class CaseCommands:
    """What people and programs do to cases and their user tasks."""

    def __init__(
        self, context: Context, queries: CaseQueries, tasks: TaskQueries, steps: StepWriter, audit: AuditLog
    ) -> None:
        self.database, self.clock, self.calendar = context.database, context.clock, context.settings.calendar
        self.queries, self.tasks, self.steps, self.audit = queries, tasks, steps, audit

    # instances

    def cancel(self, instance: str, reason: str, *, actor: Actor, revision: int | None = None) -> Instance:
        """
        Cancel a running case; raises `Conflict` when it has ended, `InvalidSubmission` without a reason.

        Staff do so in the course of their work; a cancellation by anyone else is recorded in the audit stream too.
        """
        reason = _checked_reason(reason)
        with self.database.begin() as tx:
            case = self.steps.open(tx, instance, revision, to_end=True)
            if actor.role != "staff":
                details = {"process": case.row.process, "version": case.row.version}
                key = case.row.business_key
                about = {"subject": instance, "business_key": key, "why": reason}
                self.audit.record("CaseCancelled", details, actor=actor, **about, transaction=tx)
            return self.steps.write(tx, case, {"kind": "cancel"}, actor, [e.InstanceCancelled(reason)])

    def retry(self, instance: str, *, actor: Actor, revision: int | None = None) -> Instance:
        """
        Retry what raised an incident: parked jobs become due again, and the diagram continues where it can.

        Raises:
            Conflict: The case has no incident, or another command changed it since *revision*.
        """
        moment = self.steps.moment()
        try:
            return self._retry(instance, actor, revision, moment)
        except FAILURES as failure:
            return self._retry(instance, actor, revision, moment, failure)

    def _retry(
        self, instance: str, actor: Actor, revision: int | None, moment: Moment, failure: EngineError | None = None
    ) -> Instance:
        """Write the step of a retry: what ran, or the incident for the *failure* that stops the case again."""
        with self.database.begin() as tx:
            case = self.steps.open(tx, instance, revision)
            if case.workflow is None:
                case.moment = moment  # it begins: a run that fails is run again by verify, on what this one asked
            resolved = case.state.resolving()
            if not resolved:
                raise Conflict("This case has no incident to try again.")
            job_rows.requeue(tx, instance, self.clock())
            ran = failure or self._once_more(tx, case, resolved, actor)
            if failure is not None:
                case.resolve(resolved)
            return self.steps.write(tx, case, {"kind": "retry"}, actor, ran, first=resolved)

    def _once_more(self, tx: Transaction, case: Case, resolved: list[e.Event], actor: Actor) -> Run:
        """Run the case again; a case that never started to run is started."""
        if case.workflow is None:
            case.resolve(resolved)
            return Run.start(case.diagram, self.steps.step_context(tx, case, actor), case.state.data)
        require_standing(case.workflow, case.diagram, case.state)
        run = self.steps.resume(tx, case, resolved, actor)
        run.go_on()
        return run

    # user tasks

    def claim(self, task: str, *, actor: Actor, revision: int | None = None) -> Instance:
        """Take an open task; raises `NotAllowed` naming its assignee, `NotFound` when *actor* may not see it."""
        with self.database.begin() as tx:
            case, open_task, acting = self._open_task(tx, task, actor, revision)
            if acting.on_behalf_of:
                raise NotAllowed(f"{open_task.assignee} has claimed this task. Do it on their behalf, or reassign it.")
            if open_task.assignee == actor.name:
                return self.queries.as_instance(case.row, task_rows.of_instances(tx, [case.row.id])[case.row.id])
            claimed = e.UserTaskClaimed(open_task.element, open_task.visit, actor.name)
            return self.steps.write(tx, case, {"kind": "claim"}, actor, [claimed])

    def release(self, task: str, *, actor: Actor, revision: int | None = None) -> Instance:
        """Give a claimed task back to its group."""
        with self.database.begin() as tx:
            case, found, acting = self._open_task(tx, task, actor, revision)
            if not found.assignee:
                raise Conflict("Nobody has claimed this task.")
            return self.steps.write(
                tx, case, {"kind": "release"}, acting, [e.UserTaskReleased(found.element, found.visit)]
            )

    def complete(
        self, task: str, submission: Mapping[str, Any], *, actor: Actor, revision: int | None = None
    ) -> Instance:
        """
        Record a person's answer and run the process up to its next waiting points.

        One transaction stores the answer, every element that follows and the new inbox rows, or nothing. An unclaimed
        task is claimed in the same step. If the diagram fails on the way, the task stays open with what was typed,
        and the case is returned with an incident.

        Args:
            task: ``instance:element:visit``.
            submission: Field key to JSON value, as the task's form defines it; dates are ISO 8601 text.
            actor: The person who answers; written to the step.
            revision: The revision the form was rendered from; None skips that check.

        Raises:
            NotFound: There is no such task for *actor*.
            NotAllowed: Another person has claimed it.
            InvalidSubmission: One entry for each wrong field, in form order.
            Conflict: Someone changed the instance since *revision*, or closed the task (``winner``, ``at``).

        Source: BPMN 2.0.2, 13.3.3 (life cycle of a user task).
        """
        check_input(dict(submission), where="form")

        def answer(run: Run, case: Case, open_task: UserTask) -> None:
            form = _form(case, open_task)
            if form is None and submission:
                raise InvalidSubmission("This task has no form; send no fields.", fields=dict.fromkeys(submission, "?"))
            values = form.validate(submission, today=self.calendar.day_of(case.now)) if form else {}
            run.complete(open_task.element, open_task.visit, values)

        return self._work(task, {"kind": "complete"}, actor, revision, answer, draft=submission)

    def cancel_task(self, task: str, reason: str, *, actor: Actor, revision: int | None = None) -> Instance:
        """Cancel *task* and follow the sequence flow drawn for that; raises like `complete`."""
        reason = _checked_reason(reason)

        def cancelling(run: Run, _case: Case, open_task: UserTask) -> None:
            run.cancel_task(open_task.element, open_task.visit, reason)

        return self._work(task, {"kind": "cancel_task"}, actor, revision, cancelling)

    def _work(
        self,
        task: str,
        command: dict[str, Json],
        actor: Actor,
        revision: int | None,
        act: Callable[[Run, Case, UserTask], None],
        *,
        draft: Mapping[str, Any] | None = None,
    ) -> Instance:
        """Write the step that continues from an open user task; a failure in the diagram becomes an incident."""
        try:
            with self.database.begin() as tx:
                case, open_task, acting = self._open_task(tx, task, actor, revision)
                first = self.steps.incidents_resolved_by_answer(tx, case)
                if not open_task.assignee:
                    first.append(e.UserTaskClaimed(open_task.element, open_task.visit, actor.name))
                run = self.steps.resume(tx, case, first, acting)
                act(run, case, open_task)
                task_draft_rows.forget(tx, task_place(task), actor.name)
                return self.steps.write(tx, case, command, acting, run, first=first)
        except FAILURES as failure:
            with self.database.begin() as tx:
                case, _, acting = self._open_task(tx, task, actor, revision)
                if draft is not None:
                    typed = TaskDraft(person=actor.name, typed=dict(draft), revision=case.row.revision, at=self.clock())
                    task_draft_rows.save(tx, task_place(task), typed)
                return self.steps.write(tx, case, command, acting, failure)

    def _open_task(
        self, tx: Transaction, task: str, actor: Actor, revision: int | None
    ) -> tuple[Case, UserTask, Actor]:
        """
        Lock and return the case of an open task that *actor* may work on, and who acts for whom.

        Raises like `complete`.
        """
        instance, element, visit = task_place(task)
        row = instance_rows.lock(tx, instance)
        found, acting = self._require_workable_task(tx, instance, element, visit, actor)
        return self.steps.case(tx, row, revision), found, acting

    def _require_workable_task(
        self, tx: Transaction, instance: str, element: str, visit: int, actor: Actor
    ) -> tuple[UserTask, Actor]:
        """The open task if *actor* may see it, and no one has claimed it for whom *actor* does not stand in."""
        if actor.role not in ("staff", "system"):
            raise NotAllowed("Only staff may work on tasks.")
        found = task_rows.find(tx, instance, element, visit)
        if found is None:
            raise self.tasks.why_closed(tx, instance, element, visit)
        acting = on_behalf(tx, actor, found, self.calendar.day_of(self.clock()))
        if acting is not None:
            return found, acting
        if not is_theirs(actor, found):
            raise NotFound("There is no such task.")
        if found.assignee and found.assignee != actor.name and actor.role != "system":
            raise NotAllowed(f"{found.assignee} has claimed this task.")
        return found, actor


def _form(case: Case, open_task: UserTask) -> Form | None:
    """The form of *open_task*; raises `ElementFailed` for a form that only an earlier version of Usher accepted."""
    try:
        return deployed_form(case.diagram.package.text(open_task.form)) if open_task.form else None
    except InvalidDefinition as error:
        raise ElementFailed(open_task.element, error) from error


def _checked_reason(text: str) -> str:
    reason = trimmed(text)
    if not reason:
        raise InvalidSubmission("Say why.", fields={"reason": "Say why, in a few words."})
    check_input(reason, where="reason")
    return reason
