"""Rules for examples: what they answer for operators has the operators' shapes, and somebody asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from usher_engine.core.shapes import Shape, value_problems
from usher_engine.definitions import Package, Process
from usher_engine.expressions import close_to, did_you_mean
from usher_engine.services import SEND, Services

from ..definitions.lint_finding import Finding
from .known_at_start import examples
from .process_graph import throws_message
from .service_use import result_shape

#: What an example says instead of an answer: the operator refuses, or does not answer.
_INSTEAD = ({"error"}, {"silent"})


def example_findings(package: Package, services: Services, processes: Iterable[Process]) -> Iterator[Finding]:
    """Findings about examples that cannot be read, or that answer otherwise than the operators do."""
    for file, content in package.files.items():
        if file.startswith("examples/") and not _is_json_object(content):
            yield _finding(file, "An example is a JSON object; `usher test` cannot run this one.")
    asked = _operators_asked(processes := [*processes])
    shapes = _result_shapes(package, services, processes)
    for file, example in examples(package).items():
        given = example.get("services")
        if isinstance(given, dict):
            for message in _answers(given, shapes, asked):
                yield _finding(file, message)


def _finding(file: str, message: str) -> Finding:
    return Finding(file=file, element="", rule="example", message=message, severity="warning")


def _operators_asked(processes: Iterable[Process]) -> set[str]:
    nodes = [node for process in processes for node in process.nodes]
    called = {node.service.operator for node in nodes if node.service is not None}
    return called | ({SEND.name} if any(throws_message(node) for node in nodes) else set())


def _result_shapes(package: Package, services: Services, processes: list[Process]) -> dict[str, list[Shape]]:
    """By operator, the shapes of what it answers to each element that asks it."""
    found: dict[str, list[Shape]] = {}
    for node in (node for process in processes for node in process.nodes):
        name = node.service.operator if node.service is not None else SEND.name
        if name in services:
            operator = services.get(name)
            shape = operator.result if node.service is None else result_shape(operator, package, node.service)
            found.setdefault(name, []).append(_without_required(shape))
    return found


def _answers(given: dict[str, Any], shapes: dict[str, list[Shape]], asked: set[str]) -> Iterator[str]:
    for name, answers in given.items():
        if name not in asked:
            yield f"It answers for “{name[:100]}”, which no element asks.{did_you_mean(close_to(name, asked))}"
        elif name in shapes and isinstance(answers, list):
            for number, answer in enumerate(answers, start=1):
                if not (isinstance(answer, dict) and set(answer) in _INSTEAD):
                    where = f"Answer {number} of {name}"
                    problems = [value_problems(shape, answer, where=where, most=1) for shape in shapes[name]]
                    yield from [] if [] in problems else problems[0]


def _without_required(shape: Shape) -> Shape:
    """*shape* of answers that may leave out what the example does not need; an example that reads it fails anyway."""
    made = {word: value for word, value in shape.items() if word != "required"}
    if "properties" in made:
        made["properties"] = {name: _without_required(field) for name, field in made["properties"].items()}
    if "items" in made:
        made["items"] = _without_required(made["items"])
    return made


def _is_json_object(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return False
