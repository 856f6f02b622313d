"""Restores the state of a case from its history: re-executes its diagram on the recorded inputs.

`rerun` compares every step with its record. This module takes only the start, answers, results, times and messages from
the record, and the diagram decides by today's rules. If an element is entered later than in the record, its answer
waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from ..bpmn import FIRST_RULES, LIBRARY_FAILURES, Diagram, Run
from ..bpmn import Step as StepContext
from ..core import events as e
from ..core.canonical import Json, compact
from ..core.errors import BusinessError, Corrupt, ElementFailed, EngineError
from ..core.state import LIVE, InstanceState, fold, place
from ..core.step_calendar import replayed
from ..services import Call, Operator
from . import difference_messages
from .hash_chain import ReadStep
from .migration_step import Versions, repeat_migration
from .recorded_case import RecordedInput, has_failed
from .recorded_inputs import INPUTS, apply_input, rules_of
from .recorded_services import NO_LIMIT_S, as_recorded
from .undo_step import undone_revisions

#: Answers of services called within steps, by element, visit and operator: the same if called earlier now.
Answers = dict[tuple[str, int, str], list[e.ServiceCalled]]

WAY_OUT = "The case cannot be repaired; cancel it, and start it again."


@dataclass(slots=True)
class Restored:
    """
    A case as its diagram leaves it, and the events that led there, *by_step*.

    *revision* is the step being re-executed, at the end the last one; *waiting* are inputs that no element awaits yet.
    """

    diagram: Diagram
    state: InstanceState = field(default_factory=InstanceState)
    workflow: dict[str, Any] | None = None
    by_step: dict[int, list[e.Event]] = field(default_factory=dict)
    revision: int = 0
    waiting: list[tuple[int, RecordedInput]] = field(default_factory=list)

    @property
    def happened(self) -> list[e.Event]:
        return [event for events in self.by_step.values() for event in events]

    def add(self, events: Iterable[e.Event], after: InstanceState) -> None:
        """Add *events* of the current step, which led to the state *after*."""
        self.by_step.setdefault(self.revision, []).extend(events)
        self.state = after


def restore(
    steps: Sequence[ReadStep], began: Diagram, versions: Versions, step: StepContext, rules: int | None
) -> Restored:
    """
    Re-execute *steps*.

    Args:
        steps: The recorded history, from the start of the case.
        began: The diagram the case began on.
        versions: Returns the diagrams the case migrated to.
        step: The current step; its services give the answers that the record lacks.
        rules: The version of the rules to run by; None for those each step ran by.

    Raises:
        Corrupt: History and diagram diverge at ``element``.
    """
    answers: Answers = {}
    undone = undone_revisions(steps)
    standing = [step for step in steps if step[0] not in undone]
    for event in (e.from_json(record) for _, body, _ in standing for record in body["events"]):
        if isinstance(event, e.ServiceCalled):
            answers.setdefault((event.element, event.visit, event.operator), []).append(event)
    restoring = _Restoring(began, versions, step, rules, answers)
    for revision, body, _ in standing:
        restoring.reexecute(revision, body)
    return restoring.result()


class _Restoring:
    def __init__(
        self, began: Diagram, versions: Versions, step: StepContext, rules: int | None, answers: Answers
    ) -> None:
        self.made = Restored(began)
        self._versions = versions
        self._step = step
        self._rules = rules
        self._answers = answers

    def reexecute(self, revision: int, body: dict[str, Any]) -> None:
        made, kind = self.made, str(body["command"]["kind"])
        made.revision = revision
        events = [e.from_json(record) for record in body["events"]]
        failed = has_failed(body["events"])
        if kind == "start" or (kind == "retry" and made.workflow is None):
            self._start(events, body, failed=failed)
        elif kind == "migrate" and not failed:
            self._migrate(events[0], body)
        elif kind in INPUTS and not failed:
            given = next(event for event in events if type(event).__name__ in INPUTS[kind])
            made.waiting.append((revision, RecordedInput(body["at"], body["actor"]["name"], given)))
            self._apply_inputs(body)
        elif kind == "retry" and not failed and rules_of(body) > FIRST_RULES:
            self._resume(Run.go_on, body["at"], body["actor"]["name"], body)
        else:
            self._apply_claims(events)

    def result(self) -> Restored:
        """Return the restored case; raise `Corrupt` if an input is left that no element awaited."""
        for revision, given in self.made.waiting:
            name = difference_messages.element_name(given.event.element, self.made.diagram)
            reason = f"Step {revision} answered {name}, which the diagram does not ask there any more."
            raise Corrupt(f"{reason} {WAY_OUT}", element=given.event.element)
        return self.made

    # steps

    def _start(self, events: list[e.Event], body: dict[str, Any], *, failed: bool) -> None:
        made = self.made
        first = [event for event in events if isinstance(event, e.InstanceStarted)]
        made.add(first, fold(made.state, first))
        if not failed:
            data = dict(made.state.data)
            step = self._context(body["at"], body["actor"]["name"], body)
            self._keep(lambda: Run.start(made.diagram, step, data))

    def _migrate(self, recorded: e.Event, body: dict[str, Any]) -> None:
        made = self.made
        if not isinstance(recorded, e.InstanceMigrated):
            raise Corrupt(f"Step {made.revision} has no record of the version it moved the case to. {WAY_OUT}")
        target = self._versions(recorded.to_version, recorded.definition)
        if isinstance(target, str):
            raise Corrupt(f"Step {made.revision} moved the case to version {recorded.to_version}: {target} {WAY_OUT}")
        step = self._context(body["at"], body["actor"]["name"], body)
        moved = repeat_migration(made.diagram, target, step, made.workflow, made.state, recorded)
        if isinstance(moved, str):
            raise Corrupt(f"Step {made.revision} moved the case to another version. {moved} {WAY_OUT}")
        made.diagram, made.workflow = target, moved.workflow
        made.add(moved.events, moved.after)

    def _apply_inputs(self, body: dict[str, Any]) -> None:
        """Apply all inputs that an element awaits now, in their recorded order."""
        made = self.made
        while made.state.status in LIVE:
            found = next((one for one in made.waiting if self._is_open(one[1])), None)
            if found is None:
                return
            made.waiting.remove(found)
            given = found[1]
            self._resume(partial(apply_input, given=given.event), given.at, given.actor, body)

    def _is_open(self, given: RecordedInput) -> bool:
        state = self.made.state
        if isinstance(given.event, e.TimerFired | e.MessageReceived):
            return given.place in state.waits
        if isinstance(given.event, e.ServiceCompleted | e.ServiceRefused):
            return given.place in state.requests
        return given.place in state.tasks

    def _apply_claims(self, events: list[e.Event]) -> None:
        """Apply what people arranged about open tasks; incidents belong to the record, not to the diagram."""
        arranged = e.UserTaskClaimed | e.UserTaskReleased | e.UserTaskAssigned | e.UserTaskDueSet | e.UserTaskPutOff
        about_tasks = (event for event in events if isinstance(event, arranged))
        for event in about_tasks:
            if place(event.element, event.visit) in self.made.state.tasks:
                self.made.state = fold(self.made.state, [event])

    # running

    def _resume(self, act: Callable[[Run], None], at: str, actor: str, body: dict[str, Any]) -> None:
        made = self.made

        def resumed() -> Run:
            run = Run.resume(made.diagram, self._context(at, actor, body), made.workflow or {}, made.state)
            act(run)
            return run

        self._keep(resumed)

    def _keep(self, act: Callable[[], Run]) -> None:
        made = self.made
        try:
            run = act()
        except (EngineError, *LIBRARY_FAILURES) as failure:
            element = failure.element if isinstance(failure, ElementFailed | Corrupt) else ""
            name = difference_messages.element_name(element, made.diagram)
            why = failure.message if isinstance(failure, EngineError) else type(failure).__name__
            message = f"Carried out again, step {made.revision} fails at {name}: {why} {WAY_OUT}"
            raise Corrupt(message, element=element) from failure
        made.add(run.events, fold(run.after, run.after.resolving()))  # the final state, not one in between
        made.workflow = json.loads(compact(run.dump()))  # as a live case reads it: shares no objects with the run

    def _context(self, at: str, actor: str, body: dict[str, Any]) -> StepContext:
        """The step recorded in *body*, on the calendar it recorded; what it did not ask then, this step answers."""
        return replace(
            self._step,
            actor=actor,
            now=datetime.fromisoformat(at),
            answer=self._answer,
            services=as_recorded(self._step.services, body),
            limit_s=NO_LIMIT_S,
            rules=self._rules or rules_of(body),
            calendar=replayed(body.get("zone"), self._step.calendar),
        )

    def _answer(self, operator: Operator, values: dict[str, Any], call: Call) -> Json:
        """Return the recorded answer, or call the service if it was never called."""
        known = self._answers.get((call.element, call.visit, operator.name))
        if not known:
            return self._step.answer(operator, values, call)
        recorded = known.pop(0)
        if recorded.error:
            raise BusinessError(recorded.error, str(recorded.result or ""))
        return recorded.result
