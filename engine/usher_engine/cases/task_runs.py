"""One act on many open tasks: a dry run says what could be done now, then a worker does it, each task in its own step.

One that is refused stops no other, and each is decided again when its turn comes. The run is a batch, so that it
survives a restart and leaves room for live cases (`batch_operations`).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, assert_never

from ..audit.audit_log import AuditLog
from ..context import Context
from ..core.actor import Actor
from ..core.canonical import check_input
from ..core.errors import Conflict, EngineError, InvalidSubmission, NotFound, Unavailable
from ..forms import Form, deployed_form
from ..store import Transaction, UserTask, instance_rows, substitution_rows, task_rows, task_run_rows
from ..store import batch_rows as batches
from ..store.batch_rows import Batch, BatchKind, BatchStatus
from ..store.task_filter import TaskFilter, TaskOrder
from ..store.task_run_rows import TaskOfRun, TaskOutcome
from ..store.visible_tasks import Page
from .commands import CaseCommands
from .desk_commands import DeskCommands
from .step_writer import ALPHABET
from .task_queries import TaskQueries, may_see, task_place

#: The most tasks of one run.
MOST = 2_000
#: Tasks a worker does before it looks whether a live case waits.
PORTION = 10


class TaskAct(StrEnum):
    """What can be done with many tasks at once."""

    CLAIM = "claim"
    ASSIGN = "assign"
    SET_DUE = "set_due"
    PUT_OFF = "put_off"
    COMPLETE = "complete"


#: What a substitute may do with tasks that the person represented has claimed.
SUBSTITUTED = frozenset({TaskAct.ASSIGN, TaskAct.COMPLETE})


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkAct:
    """*act* with what it needs: *to* whom, until which *day* (None: no date), *values* of one form, a *note*."""

    act: TaskAct
    to: Actor | None = None
    day: date | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "act": self.act.value,
            "to": _actor_json(self.to) if self.to else None,
            "day": self.day.isoformat() if self.day else None,
            "values": dict(self.values),
            "note": self.note,
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> BulkAct:
        return cls(
            act=TaskAct(record["act"]),
            to=_actor(record["to"]) if record["to"] else None,
            day=date.fromisoformat(record["day"]) if record["day"] else None,
            values=record["values"],
            note=record["note"],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DryRun:
    """What would happen now: the tasks that *fit*, and those that do not, each with the reason."""

    fit: tuple[UserTask, ...]
    refused: tuple[tuple[UserTask, str], ...]


class TaskRuns:
    """Chooses tasks, tries an act on them without doing it, starts runs and works on them."""

    def __init__(
        self, context: Context, inbox: TaskQueries, cases: CaseCommands, desk: DeskCommands, audit: AuditLog
    ) -> None:
        self.context, self.database, self.clock = context, context.database, context.clock
        self.inbox, self.cases, self.desk, self.audit = inbox, cases, desk, audit

    def choose(self, tasks: Sequence[str], *, actor: Actor) -> list[UserTask]:
        """The open tasks with these ids that *actor* sees, in this order; others are left out."""
        places = [task_place(task) for task in dict.fromkeys(tasks)][:MOST]
        with self.database.read() as tx:
            open_tasks = task_rows.of_instances(tx, sorted({instance for instance, _, _ in places}))
        known = {task.id: task for found in open_tasks.values() for task in found}
        chosen = (known.get(task) for task in dict.fromkeys(tasks))
        return [task for task in chosen if task and may_see(actor, task)]

    def choose_all(self, wanted: TaskFilter, order: TaskOrder, *, actor: Actor) -> list[UserTask]:
        """All tasks that pass *wanted* at this moment, the first `MOST` of them."""
        return self.inbox.page(actor, wanted, Page(order=order, limit=MOST))

    def dry_run(self, tasks: Sequence[UserTask], bulk: BulkAct, *, actor: Actor) -> DryRun:
        """What *bulk* would do with *tasks* now; nothing is written. Each is decided again when its turn comes."""
        fit: list[UserTask] = []
        refused: list[tuple[UserTask, str]] = []
        with self.database.read() as tx:
            for task in tasks:
                reason = self._why_not(tx, task, bulk, actor)
                if reason:
                    refused.append((task, reason))
                else:
                    fit.append(task)
        return DryRun(fit=tuple(fit), refused=tuple(refused))

    def ask(self, tasks: Sequence[UserTask], bulk: BulkAct, *, actor: Actor) -> Batch:
        """
        Do *bulk* with *tasks* in the background.

        Raises:
            InvalidSubmission: There is no task, tasks of several kinds shall be completed, or something is missing.
        """
        _require_whole(tasks, bulk)
        check_input({"values": dict(bulk.values), "note": bulk.note}, where="form")
        now, first = self.clock(), tasks[0]
        with self.database.begin() as tx:
            row = instance_rows.find(tx, first.instance)
            batch = Batch(
                id="".join(secrets.choice(ALPHABET) for _ in range(12)),
                kind=BatchKind.TASKS,
                process=first.process,
                package=row.definition,
                asked_at=now,
                asked_by=actor.name,
                status=BatchStatus.OPEN,
                total=len(tasks),
                done=0,
                details={"bulk": bulk.to_json(), "actor": _actor_json(actor), "title": _title(tasks)},
            )
            batches.create(tx, batch)
            task_run_rows.add(tx, batch.id, tasks)
            details = {"run": batch.id, "kind": batch.kind.value, "cases": batch.total, "act": bulk.act.value}
            self.audit.record("RunStarted", details, actor=actor, subject=batch.process, transaction=tx)
        return batch

    def find(self, batch: str, *, actor: Actor) -> Batch:
        """One run, for who asked for it and for leads; raises `NotFound`."""
        with self.database.read() as tx:
            found = batches.find(tx, batch)
        leads = self.context.settings.leads_group in actor.groups
        if found.kind is not BatchKind.TASKS or (found.asked_by != actor.name and not leads):
            raise NotFound("There is no such run.")
        return found

    def stop(self, batch: str, *, actor: Actor) -> Batch:
        """Leave the tasks whose turn has not come as they are; raises `Conflict` when the run has ended."""
        found = self.find(batch, actor=actor)
        with self.database.begin() as tx:
            if not batches.end(tx, found, BatchStatus.CANCELLED, self.clock()):
                raise Conflict("This run has ended already.")
            details = {"run": batch, "done": found.done, "of": found.total}
            self.audit.record("RunStopped", details, actor=actor, subject=found.process, transaction=tx)
        return self.find(batch, actor=actor)

    def counts(self, batch: str) -> dict[TaskOutcome, int]:
        """How many tasks of a run have each outcome."""
        with self.database.read() as tx:
            return task_run_rows.counts(tx, batch)

    def listed(self, batch: str, outcome: TaskOutcome, *, after: int = 0, limit: int = 100) -> Sequence[TaskOfRun]:
        """The tasks of a run with this outcome."""
        with self.database.read() as tx:
            return task_run_rows.listed(tx, batch, outcome, after=after, limit=limit)

    # the worker's side

    def portion(self, batch: Batch) -> None:
        """Do the next tasks of *batch*; each in a transaction of its own."""
        bulk, actor = BulkAct.from_json(batch.details["bulk"]), _actor(batch.details["actor"])
        with self.database.read() as tx:
            taken = task_run_rows.waiting(tx, batch.id, PORTION)
            actor = replace(actor, stands_in=substitution_rows.stands_in(tx, actor.name, self._today()))
        for task in taken:
            outcome, reason = self._one(batch, task, bulk, actor)
            with self.database.begin() as tx:
                task_run_rows.settle(tx, batch.id, task.number, outcome, self.clock(), reason)
        with self.database.begin() as tx:
            came = task_run_rows.counts(tx, batch.id)
            done = sum(number for outcome, number in came.items() if outcome is not TaskOutcome.WAITING)
            tally = {outcome.value: number for outcome, number in came.items()}
            held = batches.advance(tx, batch, cursor=str(done), done=done, tally=tally, now=self.clock())
            if held and not came.get(TaskOutcome.WAITING):
                batches.end(tx, batch, BatchStatus.DONE, self.clock())

    def _one(self, batch: Batch, task: TaskOfRun, bulk: BulkAct, actor: Actor) -> tuple[TaskOutcome, str]:
        try:
            after = self._do(task.task, bulk, actor)
        except Unavailable:
            raise
        except Conflict as lost:
            # It was done just before a worker stopped and could not say so.
            if lost.winner == actor.name and lost.at is not None and lost.at >= batch.asked_at:
                return TaskOutcome.DONE, ""
            return TaskOutcome.REFUSED, lost.message
        except InvalidSubmission as wrong:
            return TaskOutcome.REFUSED, " ".join(dict.fromkeys(wrong.fields.values())) or wrong.message
        except EngineError as refusal:
            return TaskOutcome.REFUSED, refusal.message
        if after.incident and any(one.id == task.task for one in after.tasks):
            return TaskOutcome.REFUSED, after.incident
        return TaskOutcome.DONE, ""

    def _do(self, task: str, bulk: BulkAct, actor: Actor) -> Any:
        match bulk.act:
            case TaskAct.CLAIM:
                return self.cases.claim(task, actor=actor)
            case TaskAct.ASSIGN:
                return self.desk.assign(task, bulk.to or actor, actor=actor, note=bulk.note)
            case TaskAct.SET_DUE:
                return self.desk.set_due(task, bulk.day, actor=actor, note=bulk.note)
            case TaskAct.PUT_OFF:
                return self.desk.put_off(task, bulk.day, actor=actor, note=bulk.note)
            case TaskAct.COMPLETE:
                initial = self.inbox.task(task, actor).initial
                return self.cases.complete(task, _filled(initial, bulk.values), actor=actor)
            case _:
                assert_never(bulk.act)

    def _why_not(self, tx: Transaction, task: UserTask, bulk: BulkAct, actor: Actor) -> str:
        """Why *bulk* cannot be done with *task* as it is now; empty if it can."""
        taken = task.assignee not in ("", actor.name)
        if bulk.act in SUBSTITUTED and actor.stands_in_for(task.assignee, task.groups):
            taken = False
        if taken and (bulk.act in (TaskAct.CLAIM, TaskAct.COMPLETE) or not self.desk.leads(actor, task)):
            return f"{task.assignee} has claimed this task."
        if bulk.act is TaskAct.ASSIGN and bulk.to is not None and bulk.to.name == task.assignee:
            return f"{bulk.to.name} has this task already."
        if bulk.act is not TaskAct.COMPLETE:
            return ""
        form = self.form_of(tx, task)
        if form is None:
            return ""
        if not self._misfit(form, bulk.values):
            return ""  # what the record holds is not even needed
        return self._misfit(form, _filled(self.inbox.task(task.id, actor).initial, bulk.values))

    def _misfit(self, form: Form, values: Mapping[str, Any]) -> str:
        try:
            form.validate(values, today=self._today())
        except InvalidSubmission as wrong:
            return " ".join(dict.fromkeys(wrong.fields.values())) or wrong.message
        return ""

    def _today(self) -> date:
        return self.context.settings.calendar.day_of(self.clock())

    def form_of(self, tx: Transaction, task: UserTask) -> Form | None:
        """The form *task* is completed with; None if it has none."""
        if not task.form:
            return None
        row = instance_rows.find(tx, task.instance)
        return deployed_form(self.context.diagram(tx, row.definition).package.text(task.form))

    def form(self, task: UserTask) -> Form | None:
        """`form_of`, outside a transaction."""
        with self.database.read() as tx:
            return self.form_of(tx, task)


def _filled(initial: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """What a task is completed with: what the record holds, and over it what was filled in for all."""
    return {**initial, **{key: value for key, value in values.items() if value != ""}}


def _require_whole(tasks: Sequence[UserTask], bulk: BulkAct) -> None:
    if not tasks:
        raise InvalidSubmission("None of these tasks is open any more. Choose others in the inbox.")
    if bulk.act is TaskAct.COMPLETE and len({(task.process, task.element) for task in tasks}) > 1:
        raise InvalidSubmission("Tasks of several kinds cannot be completed together. Choose one kind.")
    if bulk.act is TaskAct.ASSIGN and bulk.to is None:
        raise InvalidSubmission("Choose who gets the tasks.", fields={"to": "Choose who gets the tasks."})
    if bulk.act is TaskAct.PUT_OFF and bulk.day is None:
        raise InvalidSubmission("Choose a day.", fields={"day": "Choose the day on which they come back."})


def _title(tasks: Sequence[UserTask]) -> str:
    titles = {task.title for task in tasks}
    return titles.pop() if len(titles) == 1 else ""


def _actor_json(actor: Actor) -> dict[str, Any]:
    return {"name": actor.name, "role": actor.role, "groups": sorted(actor.groups)}


def _actor(record: Mapping[str, Any]) -> Actor:
    return Actor(name=record["name"], role=record["role"], groups=frozenset(record["groups"]))
