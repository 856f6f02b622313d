"""Plays one example: start data, canned answers of services, actions of people. Shared by `usher test` and the try-out.

Runs in memory, without a database or real services, but with the same engine and forms as production. The package's
README describes the format.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from usher_engine.bpmn import Diagram, Run, Step
from usher_engine.core.canonical import Json, compact
from usher_engine.core.errors import BusinessError, InvalidDefinition, InvalidSubmission
from usher_engine.core.events import ElementEntered, ElementPassed, Event, ServiceRequested
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar, practice_calendar
from usher_engine.core.state import InstanceState
from usher_engine.forms import deployed_form, first_data, start_form
from usher_engine.services import SEND, Call, Operator, Services

#: The time at which examples run, unless they set ``now``.
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)

#: The canned answer of a service that does not answer before the example ends or a timer fires.
SILENCE = {"silent": True}

#: The default answer for a sent message: no other case exists that could receive it.
_NOT_DELIVERED = {"delivered": False, "case": None, "reason": "An example is alone; no other case waits."}
_DEFAULT_ANSWERS: dict[str, list[dict[str, Any]]] = {SEND.name: [_NOT_DELIVERED]}


class Unanswered(InvalidDefinition):
    """The example has no answer for a service call."""

    def __init__(self, operator: str, given: dict[str, Any]) -> None:
        super().__init__(f"The example has no answer for the service {operator}.")
        self.operator = operator
        self.given = given


@dataclass(slots=True)
class Answers:
    """The canned answers of one example, used in order; the last one repeats if *repeats* is set."""

    by_operator: Mapping[str, list[dict[str, Any]]]
    repeats: bool = True
    used: dict[str, int] = field(default_factory=dict)

    def next(self, operator: str, given: Mapping[str, Any]) -> Json:
        """Return the next answer of *operator*, called with *given*; raises `Unanswered` if there is none."""
        answers, turn = self.by_operator.get(operator, _DEFAULT_ANSWERS.get(operator)), self.used.get(operator, 0)
        if not answers or (turn >= len(answers) and not self.repeats):
            raise Unanswered(operator, dict(given))
        self.used[operator] = turn + 1
        answer = answers[min(turn, len(answers) - 1)]
        if set(answer) == {"error"}:
            raise BusinessError(str(answer["error"]["code"]), str(answer["error"].get("message", "")))
        return answer


class Player:
    """Plays one example from start to end."""

    def __init__(
        self, diagram: Diagram, services: Services, *, calendar: Calendar = UTC_CALENDAR, repeats: bool = True
    ) -> None:
        """*calendar* is the practice's, for examples that name no zone."""
        self.diagram = diagram
        self.services = services
        self.state = InstanceState()
        self.happened: list[Event] = []
        self.workflow: dict[str, Any] = {}
        self.now = NOON
        self.calendar = calendar
        self.unanswered: set[str] = set()
        self.answers = Answers({}, repeats=repeats)
        #: How many actions of people, timers and messages happened; whether the next one did not fit.
        self.performed, self.stopped = 0, False

    @property
    def path(self) -> list[str]:
        """The elements entered so far, in order."""
        return [event.element for event in self.happened if isinstance(event, ElementEntered | ElementPassed)]

    def play(self, example: dict[str, Any]) -> None:
        """Run *example* as far as possible; raises `EngineError` if it cannot continue."""
        self.answers = Answers(example.get("services", {}), repeats=self.answers.repeats)
        if "now" in example:
            self.now = datetime.fromisoformat(example["now"])
        if "zone" in example:
            self.calendar = _zone(example["zone"])
        form, today = start_form(self.diagram.package, self.diagram.start), self.calendar.day_of(self.now)
        data = first_data(form, dict(example.get("start", {})), keeps_others=True, today=today)
        self._record(Run.start(self.diagram, self._step(), data))
        self._answer_services()
        for action in example.get("do", []):
            try:
                self._perform(action)
            except Unanswered:
                raise
            except (InvalidDefinition, InvalidSubmission):
                self.stopped = True  # nothing of this action happened: the case stands where it stood before it
                raise
            self._answer_services()
            self.performed += 1

    def _step(self) -> Step:
        return Step(
            instance="EXAMPLE",
            actor="example",
            now=self.now,
            services=self.services,
            answer=self._answer,
            calendar=self.calendar,
        )

    def _answer(self, operator: Operator, values: dict[str, Any], _call: Call) -> Json:
        return self.answers.next(operator.name, values)

    def _record(self, run: Run) -> None:
        self.happened += run.events
        self.state = run.after
        self.workflow = json.loads(compact(run.dump()))  # like a live case: shares nothing with the run

    def _resume(self) -> Run:
        return Run.resume(self.diagram, self._step(), self.workflow, self.state)

    def _answer_services(self) -> None:
        """Answer the waiting service calls, as the worker would."""
        while waiting := [here for here in self.state.requests if here not in self.unanswered]:
            here, operator = waiting[0], self.state.requests[waiting[0]]
            element, _, visit = here.rpartition(":")
            run = self._resume()
            try:
                answer = self.answers.next(operator, self._request_parameters(here))
                if answer == SILENCE:
                    self.unanswered.add(here)
                    continue
                run.finish_service(element, int(visit), answer)
            except BusinessError as refusal:
                run.refuse_service(element, int(visit), refusal)
            self._record(run)

    def _request_parameters(self, here: str) -> dict[str, Any]:
        """The parameters of the service call that waits at *here*."""
        requests = [e for e in self.happened if isinstance(e, ServiceRequested) and f"{e.element}:{e.visit}" == here]
        return dict(requests[-1].parameters) if requests else {}

    def _perform(self, action: dict[str, Any]) -> None:
        if "fire" in action or "message" in action:
            self._fire_or_deliver(action)
            return
        element = str(action.get("complete") or action.get("cancel"))
        here = next((key for key in self.state.tasks if key.rpartition(":")[0] == element), None)
        if here is None:
            waiting = ", ".join(self._label(key.rpartition(":")[0]) for key in self.state.at)
            where = f"the case waits at {waiting}" if waiting else "the case does not wait"
            raise InvalidDefinition(f"{self._label(element)} is not open; {where}.")
        visit = int(here.rpartition(":")[2])
        run = self._resume()
        if "cancel" in action:
            run.cancel_task(element, visit, str(action.get("reason", "")))
        else:
            name = str(self.state.tasks[here].opened.get("form", ""))
            submission = dict(action.get("with", {}))
            today = self.calendar.day_of(self.now)
            values = deployed_form(self.diagram.package.text(name)).validate(submission, today=today) if name else {}
            run.complete(element, visit, values)
        self._record(run)

    def _label(self, element: str) -> str:
        """The name of an element in quotation marks; its id if it has no name or is not drawn."""
        drawn = self.diagram.elements.get(element)
        return f"“{drawn.name if drawn and drawn.name else element}”"

    def _fire_or_deliver(self, action: dict[str, Any]) -> None:
        """Fire a timer or deliver a message, at the oldest matching wait."""
        field, target = ("element", action["fire"]) if "fire" in action else ("name", action["message"])
        kind = "TimerStarted" if "fire" in action else "MessageAwaited"
        waits = self.state.waits.values()
        wait = next((wait for wait in waits if wait["kind"] == kind and wait[field] == target), None)
        if wait is None:
            waiting = ", ".join(f"{w['element']} ({w.get('name') or w['due']})" for w in waits) or "nothing of the kind"
            raise InvalidDefinition(f"Nothing waits for {target}; the case waits for {waiting}.")
        run = self._resume_at(wait)
        if kind == "TimerStarted":
            run.fire_timer(wait["element"], wait["visit"])
        else:
            run.receive_message(wait["element"], wait["visit"], dict(action.get("with", {})))
        self._record(run)

    def _resume_at(self, wait: dict[str, Any]) -> Run:
        if "due" in wait:
            self.now = max(self.now, datetime.fromisoformat(wait["due"]))
        return self._resume()


def _zone(name: str) -> Calendar:
    try:
        return practice_calendar(name)
    except (ValueError, KeyError):
        known = "Write an IANA name like Europe/Berlin."
        raise InvalidDefinition(f"The example names the zone “{name[:60]}”; there is none. {known}") from None
