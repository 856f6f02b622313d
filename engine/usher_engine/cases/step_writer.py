"""Writes steps: the only place where events become rows. Only the commands in `cases` use it."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..audit.audit_log import who
from ..bpmn import RULES, Diagram, Run
from ..bpmn import Step as StepContext
from ..context import Context
from ..core import events as e
from ..core.actor import Actor
from ..core.canonical import Json, check_input, compact
from ..core.errors import Conflict, Corrupt, ElementFailed, EngineError, LimitExceeded, Paused
from ..core.limits import MAX_DATA, MAX_STATE, MAX_WRITTEN
from ..core.state import LIVE, InstanceState, fold
from ..core.step_calendar import StepCalendar, recorded_zone, recording
from ..store import (
    Row,
    Transaction,
    case_signatures,
    instance_rows,
    job_rows,
    note_changed,
    pause_rows,
    task_rows,
    to_text,
    tombstones,
    working_day_rows,
)
from .mail_hold import HeldStep, hold_for
from .operator_calls import Write, answers, packages_called
from .queries import CaseQueries, Instance
from .revision_check import require_unmoved

log = logging.getLogger("usher.cases")

#: Failures caused by the case or its diagram: they become an incident. If the case cannot even be opened (its row,
#: seal or package was tampered with), no incident can be written, and `Corrupt` is raised again.
FAILURES = (ElementFailed, LimitExceeded, Corrupt)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no characters that people confuse


@dataclass(frozen=True, slots=True)
class Moment:
    """The one time of a step, and the calendar that writes down what the step asks of it."""

    now: datetime
    calendar: StepCalendar


@dataclass(slots=True)
class Case:
    """An instance under lock for one step; *workflow* is its serialized workflow, None before it has run."""

    row: Row
    diagram: Diagram
    state: InstanceState
    workflow: dict[str, Any] | None
    moment: Moment
    new: bool = False
    #: The calls of operators that wrote in this step, and the state before it.
    writes: list[Write] = field(default_factory=list)
    before: InstanceState = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.state

    @property
    def now(self) -> datetime:
        return self.moment.now

    def resolve(self, resolved: list[e.Event]) -> None:
        self.state = fold(self.state, resolved)


class StepWriter:
    """Loads cases for a step and writes the step."""

    def __init__(self, context: Context, queries: CaseQueries) -> None:
        self.context, self.queries = context, queries
        self.database, self.clock = context.database, context.clock

    def moment(self) -> Moment:
        """Now, for the step that begins."""
        return Moment(self.clock(), recording(self.context.settings.calendar))

    def new_case(
        self, tx: Transaction, process: str, begin: Callable[[Diagram], tuple[dict[str, Any], str]], moment: Moment
    ) -> Case:
        """A case of the version in force, not yet written; *begin* gives its first data and its business key."""
        version, paused = pause_rows.latest(tx, process)
        diagram = self.context.diagram(tx, version.hash)
        data, business_key = begin(diagram)
        if paused is not None:
            words = paused.words(self.context.settings.calendar)
            raise Paused(f"{words} Nothing was started. Try again when an administrator has resumed it.")
        row = Row(
            id="".join(secrets.choice(ALPHABET) for _ in range(12)),
            process=process,
            version=version.number,
            definition=version.hash,
            business_key=business_key,
            status="",
            revision=0,
            head=instance_rows.GENESIS,
            started_at=to_text(moment.now),
            ended_at=None,
            outcome="",
            explanation="",
        )
        return Case(row, diagram, InstanceState(data=data), None, moment, new=True)

    def open(self, tx: Transaction, instance: str, revision: int | None, *, to_end: bool = False) -> Case:
        """Lock a case that has not ended; raises `NotFound` or `Conflict`."""
        return self.case(tx, instance_rows.lock(tx, instance), revision, to_end=to_end)

    def case(self, tx: Transaction, row: Row, revision: int | None, *, to_end: bool = False) -> Case:
        if row.ended_at is not None:
            raise Conflict("This case has ended.")
        require_unmoved(tx, row, revision)
        try:
            state, workflow = instance_rows.unseal(self.context.seal_key, row)
        except Corrupt:
            if not to_end:
                raise
            state, workflow = self.fold_history(tx, row.id), None  # all it takes to end a case whose state is lost
        return Case(row, self.context.diagram(tx, row.definition), state, workflow, self.moment())

    def fold_history(self, tx: Transaction, instance: str) -> InstanceState:
        """Fold the state of a case from its history, for when the stored state is lost."""
        happened = [e.from_json(event) for step in instance_rows.steps(tx, instance) for event in step.events]
        return fold(InstanceState(), happened)

    def step_context(self, tx: Transaction, case: Case, actor: Actor) -> StepContext:
        case.moment.calendar.count_by(lambda: working_day_rows.read(tx))
        return StepContext(
            instance=case.row.id,
            actor=actor.name,
            now=case.now,
            services=self.context.services,
            answer=answers(case.writes),
            transaction=tx,
            calendar=case.moment.calendar,
        )

    def resume(self, tx: Transaction, case: Case, first: list[e.Event], actor: Actor) -> Run:
        if case.workflow is None:
            raise Conflict("This case has not begun to run; try its incident again first.")
        case.resolve(first)
        return Run.resume(case.diagram, self.step_context(tx, case, actor), case.workflow, case.state)

    def incidents_resolved_by_answer(self, tx: Transaction, case: Case) -> list[e.Event]:
        """
        The events that close incidents because a person answered: those of earlier answers that failed.

        Incidents of parked jobs stay until they are retried; they are recognised by visit or by waiting reason.
        """
        if not case.state.incidents:
            return []
        parked = job_rows.parking_reasons(tx, case.row.id)
        failed = (here for here, reason in case.state.incidents.items() if here.endswith(":0") and reason not in parked)
        return case.state.resolving(failed)

    def write(
        self,
        tx: Transaction,
        case: Case,
        command: dict[str, Json],
        actor: Actor,
        ran: Run | EngineError | list[e.Event],
        *,
        first: list[e.Event] | None = None,
    ) -> Instance:
        """
        Write one step: the events of a run, the incident that stopped it, or events that need no run.

        *first* holds events before the run, which are folded into ``case.state`` already.
        """
        happened = list(first or ())
        if isinstance(ran, Run):
            happened += ran.events
            case.state, case.workflow = ran.after, ran.dump()
        else:
            added = [_incident(case, ran)] if isinstance(ran, EngineError) else ran
            happened += added
            case.state = fold(case.state, added)
        stored = case.row.state or ""
        self._seal(case)
        self._append(tx, case.row, command, actor, happened, case.moment, new=case.new)
        tasks = task_rows.project(tx, case.row, happened, case.now)
        job_rows.project(
            tx, case.row.id, actor.name, happened, case.now, self._hold(case, stored, command, actor, happened)
        )
        if not case.new:  # a new case has those of this step and no others
            tasks = task_rows.of_instances(tx, [case.row.id]).get(case.row.id, ()) if case.state.tasks else ()
        return self.queries.describe(case.row, case.state, tasks)

    def _hold(
        self, case: Case, stored: str, command: dict[str, Json], actor: Actor, happened: list[e.Event]
    ) -> job_rows.Hold | None:
        """Whether the mails that this step asks for wait for an undo; *stored* is the sealed state before it."""
        step = HeldStep(
            revision=case.row.revision,
            command=str(command["kind"]),
            stored=stored,
            before=case.before,
            after=case.state,
            writes=case.writes,
            events=happened,
        )
        return hold_for(step, actor, self.context.services, case.now, self.context.settings.mail_hold)

    def _seal(self, case: Case) -> None:
        """Put the new sealed state into the row; an ended case keeps none, because its history is enough."""
        row, state = case.row, case.state
        row.status, row.outcome, row.explanation = state.status, state.outcome, state.explanation
        if state.status not in LIVE:
            row.state, row.seal, row.ended_at = None, None, to_text(case.now)
            return
        before = row.state or ""
        row.state = compact({"state": state.to_json(), "workflow": case.workflow})
        if len(row.state) > MAX_DATA and len(compact(state.data)) > MAX_DATA:
            raise LimitExceeded(f"The case holds more than {MAX_DATA // 1000} kB of data.")
        large = len(row.state) > max(MAX_STATE, len(before))  # an earlier version may have let it grow
        if large and not before.endswith(f'"workflow":{compact(case.workflow)}}}'):  # an incident or a claim still fits
            many = f"{state.pending} tasks, services and waits are open, and each keeps the data it began with"
            raise LimitExceeded(f"The case would need more than {MAX_STATE // 1_000_000} MB to be kept: {many}.")
        row.seal = instance_rows.seal(self.context.seal_key, row.state)

    def record(
        self,
        instance: str,
        name: str,
        details: Mapping[str, Any],
        *,
        actor: Actor,
        transaction: Transaction | None = None,
    ) -> None:
        """Add a fact to the history of a case, even after its end; inside *transaction* if one is given."""
        fact = e.FactRecorded(name, dict(check_input(dict(details), where="details")))  # type: ignore[arg-type]
        if transaction is not None:
            self._append_fact(transaction, instance, fact, actor)
        else:
            with self.database.begin() as tx:
                self._append_fact(tx, instance, fact, actor)

    def _append_fact(self, tx: Transaction, instance: str, fact: e.FactRecorded, actor: Actor) -> None:
        """Append a fact; state and waiting points stay as they are. Raises `Purged` for a purged case."""
        row = instance_rows.lock(tx, instance)
        tombstones.refuse(tx, [instance], self.context.settings.calendar)
        self._append(tx, row, {"kind": "record"}, actor, [fact], self.moment())

    def _append(
        self,
        tx: Transaction,
        row: Row,
        command: dict[str, Json],
        actor: Actor,
        happened: list[e.Event],
        moment: Moment,
        *,
        new: bool = False,
    ) -> None:
        """Add the step to the chain of *row* and store both."""
        now, zone = moment.now, recorded_zone(moment.calendar)
        for event in happened:
            if isinstance(event, e.IncidentRaised):  # its reason may hold data of the case
                log.warning("incident in case %s at %s: %s", row.id, event.element, event.code)
        body: dict[str, Json] = {
            "at": to_text(now),
            "actor": who(actor),
            "command": command,
            "events": [e.to_json(event) for event in happened],
            "rules": RULES,
        }
        if zone is not None:
            body["zone"] = zone
        if packages := packages_called(self.context.services, happened):
            body["packages"] = packages
        if row.state is not None:
            body["state"] = hashlib.sha256(row.state.encode()).hexdigest()
        written, person = instance_rows.chain(row, body), case_signatures.is_person(actor.role)
        if len(written) > MAX_WRITTEN:
            raise LimitExceeded(f"One command may write {MAX_WRITTEN // 1_000_000} MB; this one writes more.")
        before, row.kind = row.kind, case_signatures.project(tx, row, happened)
        if new:
            instance_rows.create(tx, row)
        else:
            instance_rows.save(tx, row)
        case_signatures.project_people(tx, row, actor.name if person else "", moved=row.kind != before and not new)
        note_changed(tx, row.id)
        instance_rows.add_step(tx, row, written, actor=actor.name if person else "", at=to_text(now) if person else "")


def _incident(case: Case, failure: EngineError) -> e.Event:
    """The incident for *failure*, on the element that failed or else where the case rests."""
    if isinstance(failure, ElementFailed):
        return e.IncidentRaised(failure.element, 0, type(failure.cause).__name__, failure.message)
    stands = case.state.at[0].rpartition(":")[0] if case.state.at else case.row.process
    element = (isinstance(failure, Corrupt) and failure.element) or stands
    return e.IncidentRaised(element, 0, type(failure).__name__, failure.message)
