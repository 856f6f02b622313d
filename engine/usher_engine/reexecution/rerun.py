"""Re-executes one case, step by step, on the recorded times, actors, answers and results; never calls a service.

A re-executed step must produce exactly the stored bytes: the same events in the same order, and the same hash of the
state. `Difference` names the first that does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from itertools import takewhile
from typing import Any, NoReturn

from ..bpmn import FIRST_RULES, RULES, Diagram, Run
from ..bpmn import Step as StepContext
from ..core import events as e
from ..core.canonical import Json, canonical, compact
from ..core.errors import BusinessError, ElementFailed, EngineError, Fault, LimitExceeded, UnknownOperator
from ..core.state import LIVE, InstanceState, fold, place
from ..core.step_calendar import replayed
from ..services import Call, Operator, Services
from ..store import Row
from . import difference_messages
from .command_check import is_possible
from .hash_chain import ReadStep
from .migration_step import Versions, repeat_migration
from .recorded_case import answers_in, has_failed, recorded_fact, start_event
from .recorded_inputs import INPUTS, apply_input, rules_of
from .recorded_services import NO_LIMIT_S, Unanswered, as_recorded
from .repair_plan import plan_repair
from .undo_step import UndoneStep, repeat_undo

#: Incidents of a start that another version of Usher, or other packages beside it, need not have: bugs, and operators.
_OF_THAT_TIME = (Fault.__name__, UnknownOperator.__name__)


class Difference(Exception):
    """The record and its re-execution differ; *kind* is ``path``, ``data`` or ``state``."""

    def __init__(self, message: str, element: str = "", kind: str = "path") -> None:
        super().__init__(message)
        self.message = message
        self.element = element
        self.kind = kind


class Rerun:
    """A case between two steps: folded state and serialized workflow, as the live case stored them."""

    def __init__(self, diagram: Diagram, row: Row, services: Services, versions: Versions | None = None) -> None:
        """*versions* returns the diagrams of the versions the case migrated to."""
        self.diagram = self._began = diagram
        self.row = row
        self._versions = versions or (lambda *_: "is unknown here")
        self.state = InstanceState()
        self._services = services
        self._workflow: dict[str, Any] | None = None
        self._workflow_text = "null"
        self._digest: str | None = None
        self._revision = 0
        self._before: list[ReadStep] = []
        self._last: UndoneStep | None = None  # the last step that was not a fact, with the state before it

    def step(self, revision: int, body: dict[str, Any], written: bytes) -> None:
        """Re-execute one recorded step; raise `Difference`."""
        self._revision = revision
        if not FIRST_RULES <= rules_of(body) <= RULES:
            self._disagree(f"names rules of another version of Usher; this one knows {FIRST_RULES} to {RULES}")
        kind, state, workflow = str(body["command"]["kind"]), self.state, self._workflow_text
        happened = self._reexecute(kind, body)
        if kind != "record":
            self._last = UndoneStep.of(revision, body, state, workflow)
        made = [e.to_json(event) for event in happened]
        again: dict[str, Any] = {**body, "events": made}
        again.pop("state", None)
        if self._digest is not None:
            again["state"] = self._digest
        if canonical(again) != written:
            self._differ(body, made)
        self._before.append((revision, body, written))

    def _reexecute(self, kind: str, body: dict[str, Any]) -> list[e.Event]:
        recorded = body["events"]
        if kind == "record":
            fact = recorded_fact(recorded) if self._revision > 1 else None
            return fact if fact is not None else self._disagree("has a malformed fact")
        if self._revision > 1 and self.state.status not in LIVE:
            self._disagree("had already ended before it")
        if (kind == "start") != (self._revision == 1):
            self._disagree("is not the first step" if kind == "start" else "does not begin with a start")
        if kind == "start":
            return self._start([start_event(recorded[0])], body)
        if kind == "retry" and self._workflow is None:
            return self._start(self.state.resolving(), body)
        if kind == "retry" and rules_of(body) > FIRST_RULES and not has_failed(recorded):
            return self._resume(Run.go_on, self.state.resolving(), body)
        if kind == "migrate" and not has_failed(recorded):
            return self._migrate(body)
        if kind in ("repair", "undo"):
            return self._repair(body) if kind == "repair" else self._undo(body)
        if kind in INPUTS and not has_failed(recorded):
            return self._apply(kind, body)
        return self._take_from_record(kind, body)

    # steps that run the diagram

    def _start(self, first: list[e.Event], body: dict[str, Any]) -> list[e.Event]:
        before = fold(self.state, first)
        if has_failed(body["events"]):
            return self._failed_start(first, before, body)
        return first + self._run(lambda step: Run.start(self.diagram, step, before.data), body, len(first)).events

    def _failed_start(self, first: list[e.Event], before: InstanceState, body: dict[str, Any]) -> list[e.Event]:
        """Re-execute a failed start; it must fail the same way, unless the reason lay outside the diagram."""
        incident = e.from_json(body["events"][-1])
        if not isinstance(incident, e.IncidentRaised):
            raise TypeError
        again: e.Event = incident
        try:
            if incident.code not in _OF_THAT_TIME:
                Run.start(self.diagram, self._context(body, {}), before.data)
        except Unanswered:
            pass  # a failed step does not record the answers of services
        except ElementFailed as failure:
            if not isinstance(failure.cause, UnknownOperator):  # its package is gone since
                again = e.IncidentRaised(failure.element, 0, type(failure.cause).__name__, failure.message)
        except LimitExceeded as failure:
            again = e.IncidentRaised(self.row.process, 0, type(failure).__name__, failure.message)
        else:
            if incident.code not in (LimitExceeded.__name__, *_OF_THAT_TIME):  # not caused by the diagram
                was = difference_messages.describe_event(e.to_json(incident), self.diagram)
                message = f"Step {self._revision} recorded that {was}; run again, the diagram goes through."
                raise Difference(message, incident.element)
        self._keep(fold(before, [again]))
        return [*first, again]

    def _apply(self, kind: str, body: dict[str, Any]) -> list[e.Event]:
        """Re-execute a step that gave the case an input: an answer, a result, a timer or a message."""
        given = next((e.from_json(r) for r in body["events"] if r["kind"] in INPUTS[kind]), None)
        first = self._resolved_incidents(body["events"])
        match given:
            case e.UserTaskCompleted() | e.UserTaskCancelled():
                task = self.state.tasks.get(place(given.element, given.visit))
                if task is not None and not task.assignee:
                    first.append(e.UserTaskClaimed(given.element, given.visit, body["actor"]["name"]))
                is_open = task is not None
            case e.ServiceCompleted() | e.ServiceRefused():
                is_open = place(given.element, given.visit) in self.state.requests
            case e.TimerFired() | e.MessageReceived():
                is_open = self._is_awaited(given, body["at"])
            case _:
                self._disagree("has no record of the answer")
        if not is_open or self._workflow is None:
            name = difference_messages.element_name(given.element, self.diagram)
            raise Difference(f"Step {self._revision} answered {name}, which was not open.", given.element)
        return self._resume(lambda run: apply_input(run, given), first, body)

    def _resume(self, act: Callable[[Run], None], first: list[e.Event], body: dict[str, Any]) -> list[e.Event]:
        """Return the events *first* and those that follow when *act* continues the stored case after them."""
        stored, before = self._workflow or {}, fold(self.state, first)

        def resumed(step: StepContext) -> Run:
            run = Run.resume(self.diagram, step, stored, before)
            act(run)
            return run

        return first + self._run(resumed, body, len(first)).events

    def _is_awaited(self, given: e.TimerFired | e.MessageReceived, at: str) -> bool:
        """Whether the case waits for this timer or message; a timer never fires before its time."""
        wait = self.state.waits.get(place(given.element, given.visit))
        if wait is None or isinstance(given, e.MessageReceived):
            return wait is not None and wait.get("name") == getattr(given, "name", None)
        return "due" in wait and datetime.fromisoformat(wait["due"]) <= datetime.fromisoformat(at)

    def _run(self, act: Any, body: dict[str, Any], known: int) -> Run:
        """Run *act* on the recorded answers and keep the state after it."""
        recorded = body["events"]
        try:
            run: Run = act(self._context(body, answers_in(recorded)))
        except Unanswered as asked:
            where = difference_messages.element_name(asked.element, self.diagram)
            now = f"{where} asks {asked.operator} and the record has no answer"
            raise self._difference(recorded, known, now, asked.element) from asked
        except EngineError as failure:
            element = failure.element if isinstance(failure, ElementFailed) else ""
            now = f"{difference_messages.element_name(element, self.diagram)} fails: {failure.message}"
            raise self._difference(recorded, known, now.rstrip("."), element) from failure
        self._keep(run.after, run)
        return run

    def _difference(self, recorded: list[dict[str, Any]], known: int, now: str, element: str) -> Difference:
        told = known < len(recorded)
        was = difference_messages.describe_event(recorded[known], self.diagram) if told else "nothing followed"
        return Difference(f"Step {self._revision} recorded that {was}; run again, {now}.", element)

    def _context(self, body: dict[str, Any], answers: dict[tuple[str, int, str], dict[str, Any]]) -> StepContext:
        def answer(operator: Operator, _values: dict[str, Any], call: Call) -> Json:
            recorded = answers.pop((call.element, call.visit, operator.name), None)
            if recorded is None:
                raise Unanswered(call.element, operator.name)
            if recorded.get("error"):
                raise BusinessError(recorded["error"], recorded.get("result", ""))
            result: Json = recorded.get("result")
            return result

        return StepContext(
            instance=self.row.id,
            actor=body["actor"]["name"],
            now=datetime.fromisoformat(body["at"]),
            services=as_recorded(self._services, body),
            answer=answer,
            limit_s=NO_LIMIT_S,
            rules=rules_of(body),
            calendar=replayed(body.get("zone")),
        )

    def _migrate(self, body: dict[str, Any]) -> list[e.Event]:
        """Re-execute a migration of the case to another version."""
        recorded = e.from_json(body["events"][0])
        if not isinstance(recorded, e.InstanceMigrated):
            self._disagree("has no record of the version it was moved to")
        target = self._versions(recorded.to_version, recorded.definition)
        if isinstance(target, str):
            raise Difference(f"Step {self._revision} moved the case to version {recorded.to_version}: {target}")
        step = self._context(body, {})
        moved = repeat_migration(self.diagram, target, step, self._workflow, self.state, recorded)
        if isinstance(moved, str):
            raise Difference(f"Step {self._revision} moved the case to another version; that cannot be: {moved}")
        self.diagram = target
        self._store(moved.workflow)
        self._keep(moved.after)
        return moved.events

    def _repair(self, body: dict[str, Any]) -> list[e.Event]:
        """Re-execute a repair, which restored the state from the previous steps."""
        recorded = e.from_json(body["events"][0])
        if not isinstance(recorded, e.InstanceRepaired):
            self._disagree("has no record of the repair")
        step = self._context(body, answers_in(body["events"]))
        try:
            made = plan_repair(self._before, self._began, self._versions, step, recorded.rules or None)
        except (EngineError, Unanswered) as fault:
            raise Difference(f"Step {self._revision} repaired the case; that cannot be: {fault}") from fault
        self.diagram = made.diagram
        self._store(made.workflow)
        self._keep(made.after)
        return list(made.events)

    def _undo(self, body: dict[str, Any]) -> list[e.Event]:
        """Re-execute an undo, which restored the state from before the last step."""
        happened = repeat_undo(self._last, body, self.state)
        if happened is None or self._last is None:
            self._disagree("had no such step to undo")
        self._store(json.loads(self._last.workflow))
        self._keep(fold(self.state, happened))
        return happened

    # steps that run nothing

    def _take_from_record(self, kind: str, body: dict[str, Any]) -> list[e.Event]:
        """Take the events from the record; they must be possible in the state before, and lead to the state after."""
        happened = [e.from_json(record) for record in body["events"]]
        if not is_possible(self.state, kind, happened, actor=body["actor"]["name"], begun=self._workflow is not None):
            first = body["events"][0] if body["events"] else None
            was = difference_messages.describe_event(first, self.diagram) if first else "nothing happened"
            name = difference_messages.command_name(kind)
            message = f"Step {self._revision} ({name}) recorded that {was}; that was impossible."
            raise Difference(message, str((first or {}).get("element", "")))
        self._keep(fold(self.state, happened))
        return happened

    def _resolved_incidents(self, recorded: list[dict[str, Any]]) -> list[e.Event]:
        """Return the recorded incidents that a step closed: only the queue knew which of them were parked."""
        closed = [e.from_json(r) for r in takewhile(lambda r: r["kind"] == "IncidentResolved", recorded)]
        if closed != [one for one in self.state.resolving() if one in closed]:
            self._disagree("had no such incident")
        return closed

    def _disagree(self, why: str) -> NoReturn:
        raise Difference(f"Step {self._revision} cannot be: the case {why}.")

    # the state, and how it differs

    def _keep(self, state: InstanceState, run: Run | None = None) -> None:
        """Keep the state after a step, and the hash it was stored with."""
        self.state = state
        if state.status not in LIVE:
            self._digest = None
            return
        if run is not None:
            self._store(run.dump())
        text = f'{{"state":{compact(state.to_json())},"workflow":{self._workflow_text}}}'
        self._digest = hashlib.sha256(text.encode()).hexdigest()

    def _store(self, workflow: dict[str, Any] | None) -> None:
        """Store *workflow* as text, like a live case: two steps must not share objects."""
        self._workflow_text = compact(workflow)
        self._workflow = json.loads(self._workflow_text)

    def _differ(self, body: dict[str, Any], made: list[dict[str, Json]]) -> NoReturn:
        was, at = body["events"], self._revision
        message, element, kind = difference_messages.first_difference(at, was, made, self.diagram)
        if not message and body.get("state") != self._digest:
            message = f"Step {self._revision} was stored with another state than its diagram produces now."
            kind = "state"
        raise Difference(message or f"Step {self._revision} is not written in its canonical form.", element, kind)
