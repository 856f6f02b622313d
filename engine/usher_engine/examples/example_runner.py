"""Runs a package's `examples/*.json`, compares each actual path with the expected one, and computes the coverage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from usher_engine.bpmn import Diagram, compile_diagram
from usher_engine.core.canonical import Json
from usher_engine.core.errors import EngineError, InvalidSubmission
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar
from usher_engine.definitions import Package, translate
from usher_engine.services import Services

from .made_up_answers import made_up_answer, with_answers
from .player import Player, Unanswered

NO_PROMISE = "the example promises no way: “path” lists the ids of elements, “end” is one of them"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """
    The result of one example; *problem* is empty if it took the expected path.

    *end* is the end event it reached; *expected* and *expected_end* are what it promises. *acceptable* says that the
    promise can be rewritten to what happened (`acceptance`): each input fitted, or the case stands where the action
    after the first *performed* ones does not fit (*stopped*).
    """

    file: str
    name: str
    path: tuple[str, ...]
    flows: frozenset[str]
    problem: str = ""
    end: str = ""
    expected: tuple[str, ...] = ()
    expected_end: str = ""
    performed: int = 0
    stopped: bool = False
    acceptable: bool = False
    #: Answers of services that it lacks, by operator, made up of the shapes these declare.
    made_up: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The results of all examples; coverage is the share of elements and flows that they pass, from 0 to 1."""

    outcomes: tuple[Outcome, ...]
    elements: float
    flows: float
    missed: tuple[str, ...]

    @property
    def failed(self) -> int:
        return sum(1 for outcome in self.outcomes if outcome.problem)


def run_examples(package: Package, services: Services, calendar: Calendar = UTC_CALENDAR) -> Report:
    """
    Run every example of *package*; one that names no zone lives by *calendar*.

    Raises:
        InvalidDefinition: The package itself cannot run.
    """
    translated, _ = translate(package)
    return run_on(compile_diagram(translated), services, calendar)


def run_on(diagram: Diagram, services: Services, calendar: Calendar = UTC_CALENDAR) -> Report:
    """Run every example of the package that *diagram* was compiled from."""
    outcomes = tuple(run_example(diagram, services, name, calendar) for name in example_files(diagram.package))
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


def example_files(package: Package) -> list[str]:
    """The paths of the examples of *package*, in order."""
    return sorted(path for path in package.files if path.startswith("examples/") and path.endswith(".json"))


def _part(reached: Iterable[str], every: set[str]) -> float:
    return len(every & set(reached)) / len(every) if every else 1.0


def run_example(diagram: Diagram, services: Services, file: str, calendar: Calendar = UTC_CALENDAR) -> Outcome:
    """Run one example; faults go into the outcome's *problem*."""
    player = Player(diagram, services, calendar=calendar)
    name, problem, acceptable = file, "", False
    promise: tuple[tuple[str, ...], str] | None = None
    made: dict[str, dict[str, Json]] = {}
    try:
        example = json.loads(diagram.package.text(file))
        name = str(example.get("name", file))
        promise = _promise(example)
        while (lacking := _played(player, example, made)) is not None:
            made |= lacking
            player = Player(diagram, services, calendar=calendar)
        acceptable = True
        problem = _problem(player, promise, made)
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}: this is not JSON ({error.msg})"
    except InvalidSubmission as error:
        problem = f"{error.message} {error.fields}"
    except EngineError as error:
        problem = error.message
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        problem = f"the example does not have the format in the README ({type(error).__name__}: {error})"
    return Outcome(
        file=file,
        name=name,
        path=tuple(player.path),
        flows=frozenset(player.state.flows),
        problem=problem,
        end=player.state.outcome,
        expected=promise[0] if promise else (),
        expected_end=promise[1] if promise else "",
        performed=player.performed,
        stopped=player.stopped,
        acceptable=acceptable or player.stopped,
        made_up=made,
    )


def _played(player: Player, example: dict[str, Any], made: dict[str, dict[str, Json]]) -> dict[str, Any] | None:
    """Play *example* with the answers *made* up so far; returns the one that it lacks, None at its end."""
    try:
        player.play(with_answers(example, made) if made else example)
    except Unanswered as lacking:
        answer = made_up_answer(player.services, lacking.operator)
        if answer is None or lacking.operator in made:
            raise
        return {lacking.operator: answer}
    return None


def _problem(
    player: Player, promise: tuple[tuple[str, ...], str] | None, made: Mapping[str, Mapping[str, Json]]
) -> str:
    """Why a played example is not as it promises; it never is where an answer was made up."""
    if promise is None:
        return NO_PROMISE
    lacks = f"it has no answer for the service {', '.join(sorted(made))}; one was made up" if made else ""
    return lacks or _difference(player, *promise)


def _promise(example: dict[str, Any]) -> tuple[tuple[str, ...], str] | None:
    """The path and the end that *example* expects; None where it names none."""
    path, end = example.get("path"), example.get("end", "")
    if not isinstance(path, list) or not all(isinstance(element, str) for element in path) or not isinstance(end, str):
        return None
    return tuple(path), end


def _difference(player: Player, expected: tuple[str, ...], end: str) -> str:
    """The first difference between the actual path and the *expected* one; empty if there is none."""
    path = tuple(player.path)
    if path != expected:
        pairs = enumerate(zip(path, expected, strict=False))
        at = next((i for i, (actual, promised) in pairs if actual != promised), min(len(path), len(expected)))
        return f"step {at + 1} of the path is {_at(path, at)}, but the example expects {_at(expected, at)}"
    if player.state.outcome != end:
        return f"it ends at {player.state.outcome or 'no end'}, but the example expects {end or 'no end'}"
    return ""


def _at(path: tuple[str, ...], index: int) -> str:
    return path[index] if index < len(path) else "the end"
