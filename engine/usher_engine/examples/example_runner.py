"""Runs a package's `examples/*.json` and compares the way each takes with the way it promises; tells the coverage."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from usher_engine.bpmn import Diagram, compile_diagram
from usher_engine.core.errors import EngineError, InvalidSubmission
from usher_engine.definitions import Package, translate
from usher_engine.services import Services

from .player import Player


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
    player = Player(diagram, services)
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
        problem = f"the example is not built as the README says ({type(error).__name__}: {error})"
    return Outcome(file=file, name=name, path=tuple(player.path), flows=frozenset(player.state.flows), problem=problem)


def _difference(player: Player, example: dict[str, Any]) -> str:
    """Where the way taken leaves the one *example* promises; empty where it does not."""
    path, expected = player.path, list(example["path"])
    if path != expected:
        pairs = enumerate(zip(path, expected, strict=False))
        at = next((i for i, (taken, said) in pairs if taken != said), min(len(path), len(expected)))
        return f"step {at + 1} of the path is {_at(path, at)}, the example says {_at(expected, at)}"
    outcome, end = player.state.outcome, example.get("end", "")
    if outcome != end:
        return f"it ends at {outcome or 'no end'}, the example says {end or 'no end'}"
    return ""


def _at(path: list[str], index: int) -> str:
    return path[index] if index < len(path) else "the end"
