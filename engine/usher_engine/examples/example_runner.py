"""Runs a package's `examples/*.json`, compares each actual path with the expected one, and computes the coverage."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from usher_engine.bpmn import Diagram, compile_diagram
from usher_engine.core.errors import EngineError, InvalidSubmission
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar
from usher_engine.definitions import Package, translate
from usher_engine.services import Services

from .player import Player


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """The result of one example; *problem* is empty if it took the expected path."""

    file: str
    name: str
    path: tuple[str, ...]
    flows: frozenset[str]
    problem: str = ""


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
    package, _ = translate(package)
    diagram = compile_diagram(package)
    names = sorted(n for n in package.files if n.startswith("examples/") and n.endswith(".json"))
    outcomes = tuple(run_example(diagram, services, name, calendar) for name in names)
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


def run_example(diagram: Diagram, services: Services, file: str, calendar: Calendar = UTC_CALENDAR) -> Outcome:
    """Run one example; faults go into the outcome's *problem*."""
    player = Player(diagram, services, calendar=calendar)
    name, problem = file, ""
    try:
        example = json.loads(diagram.package.text(file))
        name = str(example.get("name", file))
        player.play(example)
        problem = _difference(player, example)
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}: this is not JSON ({error.msg})"
    except InvalidSubmission as error:
        problem = f"{error.message} {error.fields}"
    except EngineError as error:
        problem = error.message
    except (KeyError, TypeError, AttributeError) as error:
        problem = f"the example does not have the format in the README ({type(error).__name__}: {error})"
    return Outcome(file=file, name=name, path=tuple(player.path), flows=frozenset(player.state.flows), problem=problem)


def _difference(player: Player, example: dict[str, Any]) -> str:
    """The first difference between the actual path and the one *example* expects; empty if there is none."""
    path, expected = player.path, list(example["path"])
    if path != expected:
        pairs = enumerate(zip(path, expected, strict=False))
        at = next((i for i, (actual, promised) in pairs if actual != promised), min(len(path), len(expected)))
        return f"step {at + 1} of the path is {_at(path, at)}, but the example expects {_at(expected, at)}"
    outcome, end = player.state.outcome, example.get("end", "")
    if outcome != end:
        return f"it ends at {outcome or 'no end'}, but the example expects {end or 'no end'}"
    return ""


def _at(path: list[str], index: int) -> str:
    return path[index] if index < len(path) else "the end"
