"""Runs a package's `examples/*.json`: a start, what services would say, what people do, and the way it must take.

In memory, without database and without services; the same engine and forms as in production. The format is described
in the package's README.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .bpmn import Diagram, Run, Step, compile_diagram
from .canonical import Json
from .definitions import Package, translate
from .errors import BusinessError, EngineError, InvalidDefinition, InvalidSubmission
from .events import ElementEntered, ElementPassed, Event
from .forms import parse_form
from .services import Call, Operator, Services
from .state import InstanceState

#: The moment examples run at, unless one names its own.
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)

#: The answer of an effect that is still under way when the example ends, or until a timer ends the wait.
SILENCE = {"silent": True}


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one example; *problem* is empty when it took the way it promises."""

    file: str
    name: str
    path: tuple[str, ...]
    flows: frozenset[str]
    problem: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """All examples of a package; coverage is the part of the runnable elements and flows they pass, 0 to 1."""

    outcomes: tuple[Outcome, ...]
    elements: float
    flows: float
    missed: tuple[str, ...]

    @property
    def failed(self) -> int:
        return sum(1 for outcome in self.outcomes if outcome.problem)


@dataclass(slots=True)
class _Answers:
    """The canned answers of one example, taken in order; the last one repeats."""

    by_operator: Mapping[str, list[dict[str, Any]]]
    used: dict[str, int] = field(default_factory=dict)

    def next(self, operator: str) -> Json:
        answers = self.by_operator.get(operator)
        if not answers:
            raise InvalidDefinition(f"The example gives no answer of the service {operator}.")
        turn = self.used.get(operator, 0)
        self.used[operator] = turn + 1
        answer = answers[min(turn, len(answers) - 1)]
        if set(answer) == {"error"}:
            raise BusinessError(str(answer["error"]["code"]), str(answer["error"].get("message", "")))
        return answer


def run_examples(package: Package, services: Services) -> Report:
    """Run every example of *package*; raises `InvalidDefinition` when the package itself cannot run."""
    package, _ = translate(package)
    diagram = compile_diagram(package)
    names = sorted(n for n in package.files if n.startswith("examples/") and n.endswith(".json"))
    outcomes = tuple(run_example(diagram, services, name) for name in names)
    elements = {element for outcome in outcomes for element in outcome.path}
    flows = {flow for outcome in outcomes for flow in outcome.flows}
    every_flow = set(diagram.flows.values())
    missed = sorted(set(diagram.elements) - elements) + sorted(every_flow - flows)
    return Report(
        outcomes=outcomes,
        elements=_part(elements, set(diagram.elements)),
        flows=_part(flows, every_flow),
        missed=tuple(missed),
    )


def _part(reached: Iterable[str], every: set[str]) -> float:
    return len(every & set(reached)) / len(every) if every else 1.0


def run_example(diagram: Diagram, services: Services, file: str) -> Outcome:
    """Run one example; what goes wrong is told in the outcome."""
    player = _Player(diagram, services)
    name, problem = file, ""
    try:
        example = json.loads(diagram.package.text(file))
        name = str(example.get("name", file))
        problem = player.play(example)
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}: this is not JSON ({error.msg})"
    except InvalidSubmission as error:
        problem = f"{error.message} {error.fields}"
    except EngineError as error:
        problem = error.message
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"the example is not built as the README says ({type(error).__name__}: {error})"
    path = tuple(event.element for event in player.happened if isinstance(event, ElementEntered | ElementPassed))
    return Outcome(file=file, name=name, path=path, flows=frozenset(player.state.flows), problem=problem)


class _Player:
    """Plays one example from start to end."""

    def __init__(self, diagram: Diagram, services: Services) -> None:
        self.diagram = diagram
        self.services = services
        self.state = InstanceState()
        self.happened: list[Event] = []
        self.workflow: dict[str, Any] = {}
        self.now = NOON
        self.unanswered: set[str] = set()

    def play(self, example: dict[str, Any]) -> str:
        self.answers = _Answers(example.get("services", {}))
        if "now" in example:
            self.now = datetime.fromisoformat(example["now"])
        self._keep(Run.start(self.diagram, self._step(), dict(example.get("start", {}))))
        self._serve()
        for deed in example.get("do", []):
            self._act(deed)
            self._serve()
        return self._compare(example)

    def _step(self) -> Step:
        return Step(instance="EXAMPLE", actor="example", now=self.now, services=self.services, answer=self._answer)

    def _answer(self, operator: Operator, _values: dict[str, Any], _call: Call) -> Json:
        return self.answers.next(operator.name)

    def _keep(self, run: Run) -> None:
        self.happened += run.events
        self.state = run.after
        self.workflow = run.dump()

    def _resume(self) -> Run:
        return Run.resume(self.diagram, self._step(), self.workflow, self.state)

    def _serve(self) -> None:
        """Answer the effects that wait, as the worker would."""
        while waiting := [here for here in self.state.requests if here not in self.unanswered]:
            here, operator = waiting[0], self.state.requests[waiting[0]]
            element, _, visit = here.rpartition(":")
            run = self._resume()
            try:
                answer = self.answers.next(operator)
                if answer == SILENCE:
                    self.unanswered.add(here)
                    continue
                run.finish_service(element, int(visit), answer)
            except BusinessError as refusal:
                run.refuse_service(element, int(visit), refusal)
            self._keep(run)

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

    def _compare(self, example: dict[str, Any]) -> str:
        path = [event.element for event in self.happened if isinstance(event, ElementEntered | ElementPassed)]
        expected = list(example["path"])
        if path != expected:
            pairs = enumerate(zip(path, expected, strict=False))
            at = next((i for i, (taken, said) in pairs if taken != said), min(len(path), len(expected)))
            return f"step {at + 1} of the path is {_at(path, at)}, the example says {_at(expected, at)}"
        if self.state.outcome != example.get("end", ""):
            return f"it ends at {self.state.outcome or 'no end'}, the example says {example.get('end') or 'no end'}"
        return ""


def _at(path: list[str], index: int) -> str:
    return path[index] if index < len(path) else "the end"
