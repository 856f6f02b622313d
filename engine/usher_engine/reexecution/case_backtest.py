"""Backtests one recorded case on another package: where would the same start, times, answers and results have led?

Start with `compare`. It calls no service and writes nothing. It finds recorded answers by element and visit, and those
of services also by operator. It reports questions that were never answered and never guesses an answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from ..bpmn import Diagram, Run
from ..bpmn import Step as StepContext
from ..core import events as e
from ..core import faults
from ..core.canonical import Json, as_stored_json, compact
from ..core.errors import BusinessError, Corrupt, ElementFailed, EngineError, InvalidSubmission, LimitExceeded
from ..core.state import LIVE, InstanceState
from ..forms import deployed_form
from ..services import Call, Operator, Services
from ..store.stored_cases import Record
from . import difference_messages
from .hash_chain import read_chain
from .recorded_case import RecordedInput, Recording, Way, read_recording, way
from .recorded_inputs import apply_input
from .recorded_services import NO_LIMIT_S, Unanswered

#: The actor that fires timers.
SYSTEM = "system"


class Kind(StrEnum):
    #: The same elements in the same order.
    SAME = "same"
    #: Another element somewhere; `Compared.element` is the first.
    DIFFERENT = "different"
    #: The other package asks for an answer that the record does not have.
    NEEDS_ANSWER = "needs_answer"
    #: The other package raises an incident where the recorded case had none.
    FAILED = "failed"
    #: The record itself cannot be read.
    UNREADABLE = "not_comparable"


NOWHERE = Way()


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """
    The result of one case on the other package.

    ``element`` is the first that differs, asks, or fails, ``recorded_element`` the one the case entered instead, and
    ``differs_at`` its index in the paths. ``data`` names the variables that differ at the end of the same path.
    """

    instance: str
    kind: Kind
    message: str = ""
    element: str = ""
    recorded_element: str = ""
    differs_at: int | None = None
    recorded: Way = NOWHERE
    draft: Way = NOWHERE
    data: tuple[str, ...] = ()


class _Lacking(Exception):
    """The other package asks for an answer that the record does not have."""

    def __init__(self, element: str, message: str) -> None:
        super().__init__(message)
        self.element = element
        self.message = message


def compare(record: Record, diagram: Diagram, services: Services, now: datetime) -> Compared:
    """Re-execute a case on *diagram* as if until *now*; *services* come from `disable_calls`."""
    instance = record.row.id
    if record.steps and not record.steps[0][1]:
        reason = "The case was purged; its inputs are no longer stored."
        return Compared(instance=instance, kind=Kind.UNREADABLE, message=reason)
    steps, findings = read_chain(record)
    if findings or not steps:
        reason = findings[0].message if findings else "The case has no history."
        return Compared(instance=instance, kind=Kind.UNREADABLE, message=reason)
    try:
        recording = read_recording(steps)
    except Corrupt as error:
        return Compared(instance=instance, kind=Kind.UNREADABLE, message=error.message)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        faults.report(error, where="checks", at=f"case {instance}")
        reason = f"The history is malformed ({type(error).__name__})."
        return Compared(instance=instance, kind=Kind.UNREADABLE, message=reason)
    return _Player(instance, recording, diagram, services, now).compare()


class _Player:
    """Plays one recording on another diagram."""

    def __init__(
        self, instance: str, recording: Recording, diagram: Diagram, services: Services, until: datetime
    ) -> None:
        self.instance = instance
        self.recording = recording
        self.diagram = diagram
        self.services = services
        self.answers = dict(recording.answers)
        self.until = until
        self.now = datetime.fromisoformat(recording.at)
        self.calendar = recording.calendar
        self.state = InstanceState()
        self.happened: list[e.Event] = []
        self.workflow: dict[str, Any] = {}

    def compare(self) -> Compared:
        try:
            self._play()
        except _Lacking as lacking:
            return self._result(Kind.NEEDS_ANSWER, lacking.message, lacking.element)
        except Unanswered as asked:
            if not self.recording.way.path:  # its start failed, which recorded no answers of services
                return self._same(self.recording.way)
            name = difference_messages.element_name(asked.element, self.diagram)
            message = f"{name} asks {asked.operator}, which was not asked there when the case ran."
            return self._result(Kind.NEEDS_ANSWER, message, asked.element)
        except (ElementFailed, LimitExceeded, EngineError) as failure:
            return self._result_of_failure(failure)
        return self._compare_ways()

    # running

    def _play(self) -> None:
        begun = dict(self.recording.started.data)
        self._run(self.recording.actor, lambda step: Run.start(self.diagram, step, begun))
        waiting = list(self.recording.inputs)
        while self.state.status in LIVE:
            given = next((one for one in waiting if self._is_open(one)), None)
            due = self._new_timer()
            if due is not None and due[0] < (datetime.fromisoformat(given.at) if given else self.until):
                self._apply(due[0], SYSTEM, due[1])
            elif given is not None:
                waiting.remove(given)
                at = max(self.now, datetime.fromisoformat(given.at))
                self._apply(at, given.actor, self._fit_to_form(given.event, at))
            else:
                return

    def _new_timer(self) -> tuple[datetime, e.TimerFired] | None:
        """Return the earliest of the timers that the recorded case did not have."""
        new = [
            (datetime.fromisoformat(wait["due"]), e.TimerFired(wait["element"], wait["visit"]))
            for here, wait in self.state.waits.items()
            if "due" in wait and here not in self.recording.timers
        ]
        return min(new, key=lambda one: one[0], default=None)

    def _is_open(self, given: RecordedInput) -> bool:
        """Whether the other package awaits this input now."""
        if isinstance(given.event, e.TimerFired | e.MessageReceived):
            return given.place in self.state.waits
        if given.operator:
            return self.state.requests.get(given.place) == given.operator
        return given.place in self.state.tasks

    def _apply(self, at: datetime, actor: str, event: e.Event) -> None:
        self.now = max(self.now, at)
        stored, before = self.workflow, self.state

        def act(step: StepContext) -> Run:
            run = Run.resume(self.diagram, step, stored, before)
            apply_input(run, event)
            return run

        self._run(actor, act)

    def _fit_to_form(self, event: Any, at: datetime) -> Any:
        """Return the answer as the other package's form accepts it; raise `_Lacking` if the form asks for more."""
        if isinstance(event, e.UserTaskCancelled) and not self.diagram.elements[event.element].cancel:
            name = difference_messages.element_name(event.element, self.diagram)
            raise _Lacking(event.element, f"{name} was cancelled; this package draws no way for that.")
        if not isinstance(event, e.UserTaskCompleted):
            return event
        name = self.diagram.elements[event.element].properties.get("form", "")
        if not name:
            return replace(event, answer={})
        form = deployed_form(self.diagram.package.text(name))
        known = {field.key for field in form.fields}
        try:
            given = {key: value for key, value in event.answer.items() if key in known}
            return replace(event, answer=form.validate(given, today=self.calendar.day_of(at)))
        except InvalidSubmission as wrong:
            labels = ", ".join(field.label for field in form.fields if field.key in wrong.fields)
            task = difference_messages.element_name(event.element, self.diagram)
            raise _Lacking(event.element, f"{task} asks for more than was answered: {labels}.") from wrong

    def _run(self, actor: str, act: Any) -> None:
        events: list[e.Event] = []
        step = StepContext(
            instance=self.instance,
            actor=actor,
            now=self.now,
            services=self.services,
            answer=self._answer,
            limit_s=NO_LIMIT_S,
            events=events,
            calendar=self.calendar,
        )
        try:
            run: Run = act(step)
        finally:
            self.happened += events
        self.state, self.workflow = run.after, json.loads(compact(run.dump()))

    def _answer(self, operator: Operator, _values: dict[str, Any], call: Call) -> Json:
        recorded = self.answers.pop((call.element, call.visit, operator.name), None)
        if recorded is None:
            raise Unanswered(call.element, operator.name)
        if recorded.error:
            raise BusinessError(recorded.error, str(recorded.result or ""))
        return recorded.result

    # comparing

    def _compare_ways(self) -> Compared:
        """Compare at the end of the run, or where the record has no more inputs for it."""
        stands = self.recording.stands_at
        asked = [here for here in (*self.state.tasks, *self.state.requests) if here not in stands]
        if asked:
            element = asked[0].rpartition(":")[0]
            return self._result(Kind.NEEDS_ANSWER, self._question(asked[0]), element)
        differs = self._first_difference()
        if differs is not None:
            return self._result(Kind.DIFFERENT, "", None)
        return self._same(self._way(), self._other_data())

    def _same(self, draft: Way, data: tuple[str, ...] = ()) -> Compared:
        return Compared(
            instance=self.instance, kind=Kind.SAME, recorded=self.recording.way, draft=draft, data=data
        )

    def _has_incident_at(self, element: str) -> bool:
        """Whether the recorded case has an incident at the same element."""
        return any(here.rpartition(":")[0] == element for here in self.recording.state.incidents)

    def _question(self, here: str) -> str:
        element = here.rpartition(":")[0]
        name = difference_messages.element_name(element, self.diagram)
        if here in self.state.requests:
            return f"{name} asks {self.state.requests[here]}, which never answered there when the case ran."
        known = any(given.event.element == element for given in self.recording.inputs)
        return f"{name} is asked {'once more than it was answered' if known else 'and was never answered'}."

    def _result_of_failure(self, failure: EngineError) -> Compared:
        element = failure.element if isinstance(failure, ElementFailed) else ""
        if self._has_incident_at(element or self.recording.started.process):
            return self._same(self.recording.way)
        refusal = failure.cause if isinstance(failure, ElementFailed) else None
        why = f"fails: {failure.message}"
        if isinstance(refusal, BusinessError):  # the message of a service may name a patient
            why = f"was refused ({refusal.code}), and this package draws no way for that."
        return self._result(Kind.FAILED, f"{difference_messages.element_name(element, self.diagram)} {why}", element)

    def _result(self, kind: Kind, message: str, element: str | None) -> Compared:
        recorded, draft, at = self.recording.way, self._way(), self._first_difference()
        was = recorded.path[at] if at is not None and at < len(recorded.path) else ""
        goes = draft.path[at] if at is not None and at < len(draft.path) else ""
        return Compared(
            instance=self.instance,
            kind=kind,
            message=message or self._describe_divergence(was, goes),
            element=(goes or was) if element is None else element,
            recorded_element=was,
            differs_at=at,
            recorded=recorded,
            draft=draft,
        )

    def _describe_divergence(self, was: str, goes: str) -> str:
        there = f"went to {difference_messages.element_name(was, self.diagram)}" if was else "went no further"
        here = f"goes to {difference_messages.element_name(goes, self.diagram)}" if goes else "goes no further"
        return f"The case {there}; this package {here}."

    def _first_difference(self) -> int | None:
        """Return the index at which the paths diverge, or None if they are equal."""
        was, goes = self.recording.way.path, self._way().path
        pairs = enumerate(zip(was, goes, strict=False))
        parted = next((at for at, (one, other) in pairs if one != other), None)
        return parted if parted is not None or len(was) == len(goes) else min(len(was), len(goes))

    def _way(self) -> Way:
        return way(self.happened, self.state)

    def _other_data(self) -> tuple[str, ...]:
        was, now = self.recording.state.data, self.state.data
        names = sorted({*was, *now})
        return tuple(name for name in names if name not in was or name not in now or not _equal(was[name], now[name]))


def _equal(one: Any, other: Any) -> bool:
    return bool(as_stored_json(one) == as_stored_json(other))
