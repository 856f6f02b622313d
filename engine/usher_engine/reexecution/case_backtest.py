"""One recorded case on another package: where would it have gone on the same start, times, answers and results?

`compare` is the place to start. No service is asked and nothing is written. Recorded answers are found by element and
visit, and by operator where a service gave them; what nobody ever answered is told, never guessed.
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
from ..core.canonical import Json, compact, settled
from ..core.errors import BusinessError, Corrupt, ElementFailed, EngineError, InvalidSubmission, LimitExceeded
from ..core.state import LIVE, InstanceState
from ..forms import parse_form
from ..services import Call, Operator, Services
from ..store.stored_cases import Record
from . import difference_messages
from .hash_chain import read_chain
from .recorded_case import Recording, Said, Way, read, way
from .recorded_inputs import tell
from .recorded_services import NO_LIMIT_S, Unanswered

#: Who fires timers.
SYSTEM = "system"


class Kind(StrEnum):
    #: The same elements in the same order.
    SAME = "same"
    #: Another element somewhere; `Compared.element` is the first.
    DIFFERENT = "different"
    #: The other package asks for something nobody was ever asked.
    NEEDS_ANSWER = "needs_answer"
    #: The other package raises an incident where the recorded case had none.
    FAILED = "failed"
    #: The record itself cannot be read.
    UNREADABLE = "not_comparable"


NOWHERE = Way()


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """
    What became of one case on the other package.

    ``element`` is the first that differs, asks, or fails, and ``recorded_element`` what the case did in its place;
    ``differs_at`` is its place in the paths. ``data`` names the variables that end up different on the same way.
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
    """The other package asks for what the record does not hold."""

    def __init__(self, element: str, message: str) -> None:
        super().__init__(message)
        self.element = element
        self.message = message


def compare(record: Record, diagram: Diagram, services: Services, now: datetime) -> Compared:
    """Run a case again on *diagram* as if until *now*; *services* are those of `switched_off`."""
    instance = record.row.id
    if record.steps and not record.steps[0][1]:
        reason = "The case was purged; what it was told is not kept any more."
        return Compared(instance=instance, kind=Kind.UNREADABLE, message=reason)
    steps, findings = read_chain(record)
    if findings or not steps:
        reason = findings[0].message if findings else "The case has no history."
        return Compared(instance=instance, kind=Kind.UNREADABLE, message=reason)
    try:
        recording = read(steps)
    except Corrupt as error:
        return Compared(instance=instance, kind=Kind.UNREADABLE, message=error.message)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        faults.report(error, where="checks", at=f"case {instance}")
        reason = f"The history is not built like one ({type(error).__name__})."
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
        self.state = InstanceState()
        self.happened: list[e.Event] = []
        self.workflow: dict[str, Any] = {}

    def compare(self) -> Compared:
        try:
            self._play()
        except _Lacking as lacking:
            return self._told(Kind.NEEDS_ANSWER, lacking.message, lacking.element)
        except Unanswered as asked:
            if not self.recording.way.path:  # it stopped in its start, and what services said in that is not recorded
                return self._same(self.recording.way)
            name = difference_messages.named(asked.element, self.diagram)
            message = f"{name} asks {asked.operator}, which was not asked there when the case ran."
            return self._told(Kind.NEEDS_ANSWER, message, asked.element)
        except (ElementFailed, LimitExceeded, EngineError) as failure:
            return self._failed(failure)
        return self._arrived()

    # running

    def _play(self) -> None:
        begun = dict(self.recording.started.data)
        self._run(self.recording.actor, lambda step: Run.start(self.diagram, step, begun))
        waiting = list(self.recording.said)
        while self.state.status in LIVE:
            said = next((one for one in waiting if self._is_open(one)), None)
            due = self._new_timer()
            if due is not None and due[0] < (datetime.fromisoformat(said.at) if said else self.until):
                self._tell(due[0], SYSTEM, due[1])
            elif said is not None:
                waiting.remove(said)
                at = max(self.now, datetime.fromisoformat(said.at))
                self._tell(at, said.actor, self._fitting(said.event, at))
            else:
                return

    def _new_timer(self) -> tuple[datetime, e.TimerFired] | None:
        """The first timer that is due of those the recorded case did not have: its time would have come."""
        new = [
            (datetime.fromisoformat(wait["due"]), e.TimerFired(wait["element"], wait["visit"]))
            for here, wait in self.state.waits.items()
            if "due" in wait and here not in self.recording.timers
        ]
        return min(new, key=lambda one: one[0], default=None)

    def _is_open(self, said: Said) -> bool:
        """Whether what was said is what the other package waits for now."""
        if isinstance(said.event, e.TimerFired | e.MessageReceived):
            return said.place in self.state.waits
        if said.operator:
            return self.state.requests.get(said.place) == said.operator
        return said.place in self.state.tasks

    def _tell(self, at: datetime, actor: str, event: e.Event) -> None:
        self.now = max(self.now, at)
        stored, before = self.workflow, self.state

        def act(step: StepContext) -> Run:
            run = Run.resume(self.diagram, step, stored, before)
            tell(run, event)
            return run

        self._run(actor, act)

    def _fitting(self, event: Any, at: datetime) -> Any:
        """The answer as the other package's form takes it; raises `_Lacking` where the form asks for more."""
        if isinstance(event, e.UserTaskCancelled) and not self.diagram.elements[event.element].cancel:
            name = difference_messages.named(event.element, self.diagram)
            raise _Lacking(event.element, f"{name} was cancelled; this package draws no way for that.")
        if not isinstance(event, e.UserTaskCompleted):
            return event
        name = self.diagram.elements[event.element].properties.get("form", "")
        if not name:
            return replace(event, answer={})
        form = parse_form(self.diagram.package.text(name))
        known = {field.key for field in form.fields}
        try:
            given = {key: value for key, value in event.answer.items() if key in known}
            return replace(event, answer=form.validate(given, now=at))
        except InvalidSubmission as wrong:
            labels = ", ".join(field.label for field in form.fields if field.key in wrong.fields)
            task = difference_messages.named(event.element, self.diagram)
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

    def _arrived(self) -> Compared:
        """The other package has come to its end, or to where nothing recorded helps it on."""
        stands = self.recording.stands_at
        asked = [here for here in (*self.state.tasks, *self.state.requests) if here not in stands]
        if asked:
            element = asked[0].rpartition(":")[0]
            return self._told(Kind.NEEDS_ANSWER, self._question(asked[0]), element)
        differs = self._first_difference()
        if differs is not None:
            return self._told(Kind.DIFFERENT, "", None)
        return self._same(self._way(), self._other_data())

    def _same(self, draft: Way, data: tuple[str, ...] = ()) -> Compared:
        return Compared(
            instance=self.instance, kind=Kind.SAME, recorded=self.recording.way, draft=draft, data=data
        )

    def _stopped_at(self, element: str) -> bool:
        """Whether the recorded case stands before a failure of the same element."""
        return any(here.rpartition(":")[0] == element for here in self.recording.state.incidents)

    def _question(self, here: str) -> str:
        element = here.rpartition(":")[0]
        name = difference_messages.named(element, self.diagram)
        if here in self.state.requests:
            return f"{name} asks {self.state.requests[here]}, which never answered there when the case ran."
        known = any(said.event.element == element for said in self.recording.said)
        return f"{name} is asked {'once more than it was answered' if known else 'and was never answered'}."

    def _failed(self, failure: EngineError) -> Compared:
        element = failure.element if isinstance(failure, ElementFailed) else ""
        if self._stopped_at(element or self.recording.started.process):
            return self._same(self.recording.way)
        refusal = failure.cause if isinstance(failure, ElementFailed) else None
        why = f"fails: {failure.message}"
        if isinstance(refusal, BusinessError):  # what a service said may be about a patient
            why = f"was refused ({refusal.code}), and this package draws no way for that."
        return self._told(Kind.FAILED, f"{difference_messages.named(element, self.diagram)} {why}", element)

    def _told(self, kind: Kind, message: str, element: str | None) -> Compared:
        recorded, draft, at = self.recording.way, self._way(), self._first_difference()
        was = recorded.path[at] if at is not None and at < len(recorded.path) else ""
        goes = draft.path[at] if at is not None and at < len(draft.path) else ""
        return Compared(
            instance=self.instance,
            kind=kind,
            message=message or self._parting(was, goes),
            element=(goes or was) if element is None else element,
            recorded_element=was,
            differs_at=at,
            recorded=recorded,
            draft=draft,
        )

    def _parting(self, was: str, goes: str) -> str:
        there = f"went to {difference_messages.named(was, self.diagram)}" if was else "went no further"
        here = f"goes to {difference_messages.named(goes, self.diagram)}" if goes else "goes no further"
        return f"The case {there}; this package {here}."

    def _first_difference(self) -> int | None:
        """The place in the paths where they part; None where they are equal."""
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
    return bool(settled(one) == settled(other))
