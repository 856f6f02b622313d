"""Plays one example: a start, what services would say, what people do. `usher test` and the try-out page share it.

In memory, without database and without services; the same engine and forms as in production. The format is described
in the package's README.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from usher_engine.bpmn import Diagram, Run, Step
from usher_engine.core.canonical import Json, compact
from usher_engine.core.errors import BusinessError, InvalidDefinition
from usher_engine.core.events import ElementEntered, ElementPassed, Event, ServiceRequested
from usher_engine.core.state import InstanceState
from usher_engine.forms import parse_form
from usher_engine.services import SEND, Call, Operator, Services

#: The moment examples run at, unless one names its own.
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)

#: The answer of an effect that is still under way when the example ends, or until a timer ends the wait.
SILENCE = {"silent": True}

#: What is answered where an example says nothing: no other case is there to hear a message.
_ALONE = {"delivered": False, "case": None, "reason": "An example is alone; no other case waits."}
_GIVEN: dict[str, list[dict[str, Any]]] = {SEND.name: [_ALONE]}


class Unanswered(InvalidDefinition):
    """The example gives no answer of a service."""

    def __init__(self, operator: str, given: dict[str, Any]) -> None:
        super().__init__(f"The example gives no answer of the service {operator}.")
        self.operator = operator
        self.given = given


@dataclass(slots=True)
class Answers:
    """The canned answers of one example, taken in order; the last one repeats, unless each is asked for anew."""

    by_operator: Mapping[str, list[dict[str, Any]]]
    repeats: bool = True
    used: dict[str, int] = field(default_factory=dict)

    def next(self, operator: str, given: Mapping[str, Any]) -> Json:
        """The next answer of *operator*, which is asked with *given*; raises `Unanswered`."""
        answers, turn = self.by_operator.get(operator, _GIVEN.get(operator)), self.used.get(operator, 0)
        if not answers or (turn >= len(answers) and not self.repeats):
            raise Unanswered(operator, dict(given))
        self.used[operator] = turn + 1
        answer = answers[min(turn, len(answers) - 1)]
        if set(answer) == {"error"}:
            raise BusinessError(str(answer["error"]["code"]), str(answer["error"].get("message", "")))
        return answer


class Player:
    """Plays one example from start to end."""

    def __init__(self, diagram: Diagram, services: Services, *, repeats: bool = True) -> None:
        self.diagram = diagram
        self.services = services
        self.state = InstanceState()
        self.happened: list[Event] = []
        self.workflow: dict[str, Any] = {}
        self.now = NOON
        self.unanswered: set[str] = set()
        self.answers = Answers({}, repeats=repeats)

    @property
    def path(self) -> list[str]:
        """The elements entered so far, in order."""
        return [event.element for event in self.happened if isinstance(event, ElementEntered | ElementPassed)]

    def play(self, example: dict[str, Any]) -> None:
        """Run *example* as far as it goes; raises `EngineError` where it cannot go on."""
        self.answers = Answers(example.get("services", {}), repeats=self.answers.repeats)
        if "now" in example:
            self.now = datetime.fromisoformat(example["now"])
        self._keep(Run.start(self.diagram, self._step(), dict(example.get("start", {}))))
        self._serve()
        for deed in example.get("do", []):
            self._act(deed)
            self._serve()

    def _step(self) -> Step:
        return Step(instance="EXAMPLE", actor="example", now=self.now, services=self.services, answer=self._answer)

    def _answer(self, operator: Operator, values: dict[str, Any], _call: Call) -> Json:
        return self.answers.next(operator.name, values)

    def _keep(self, run: Run) -> None:
        self.happened += run.events
        self.state = run.after
        self.workflow = json.loads(compact(run.dump()))  # as it is read live: nothing shared with what has run

    def _resume(self) -> Run:
        return Run.resume(self.diagram, self._step(), self.workflow, self.state)

    def _serve(self) -> None:
        """Answer the effects that wait, as the worker would."""
        while waiting := [here for here in self.state.requests if here not in self.unanswered]:
            here, operator = waiting[0], self.state.requests[waiting[0]]
            element, _, visit = here.rpartition(":")
            run = self._resume()
            try:
                answer = self.answers.next(operator, self._asked(here))
                if answer == SILENCE:
                    self.unanswered.add(here)
                    continue
                run.finish_service(element, int(visit), answer)
            except BusinessError as refusal:
                run.refuse_service(element, int(visit), refusal)
            self._keep(run)

    def _asked(self, here: str) -> dict[str, Any]:
        """What the effect that waits at *here* was requested with."""
        asked = [e for e in self.happened if isinstance(e, ServiceRequested) and f"{e.element}:{e.visit}" == here]
        return dict(asked[-1].parameters) if asked else {}

    def _act(self, deed: dict[str, Any]) -> None:
        if "fire" in deed or "message" in deed:
            self._bring(deed)
            return
        element = str(deed.get("complete") or deed.get("cancel"))
        here = next((key for key in self.state.tasks if key.rpartition(":")[0] == element), None)
        if here is None:
            waiting = ", ".join(self.state.at) or "nowhere"
            raise InvalidDefinition(f"{element} is not open; the case waits at {waiting}.")
        visit = int(here.rpartition(":")[2])
        run = self._resume()
        if "cancel" in deed:
            run.cancel_task(element, visit, str(deed.get("reason", "")))
        else:
            name = str(self.state.tasks[here].opened.get("form", ""))
            submission = dict(deed.get("with", {}))
            values = parse_form(self.diagram.package.text(name)).validate(submission, now=self.now) if name else {}
            run.complete(element, visit, values)
        self._keep(run)

    def _bring(self, deed: dict[str, Any]) -> None:
        """Let the time of a timer come, or deliver a message; the oldest wait that fits gets it."""
        field, wanted = ("element", deed["fire"]) if "fire" in deed else ("name", deed["message"])
        kind = "TimerStarted" if "fire" in deed else "MessageAwaited"
        waits = self.state.waits.values()
        wait = next((wait for wait in waits if wait["kind"] == kind and wait[field] == wanted), None)
        if wait is None:
            waiting = ", ".join(f"{w['element']} ({w.get('name') or w['due']})" for w in waits) or "nothing of the kind"
            raise InvalidDefinition(f"Nothing waits for {wanted}; the case waits for {waiting}.")
        run = self._resume_at(wait)
        if kind == "TimerStarted":
            run.fire_timer(wait["element"], wait["visit"])
        else:
            run.receive_message(wait["element"], wait["visit"], dict(deed.get("with", {})))
        self._keep(run)

    def _resume_at(self, wait: dict[str, Any]) -> Run:
        if "due" in wait:
            self.now = max(self.now, datetime.fromisoformat(wait["due"]))
        return self._resume()
