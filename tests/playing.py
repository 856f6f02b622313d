"""Small processes written in a line or two, and played in every order people could answer in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from usher_engine.bpmn import RULES, Diagram, Run, Step, compile_diagram
from usher_engine.core.state import InstanceState
from usher_engine.definitions import Package
from usher_engine.services import Services

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'
)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def process(*parts: str, head: str = "") -> Package:
    """A package of one process with these *parts*; *head* holds the root elements before it."""
    body = "".join(parts)
    text = f'<definitions {NAMESPACES} id="d" targetNamespace="t">{head}<process id="p" isExecutable="true">{body}'
    return Package({"p.bpmn": f"{text}</process></definitions>".encode()})


def node(kind: str, *keys: str, **attributes: str) -> str:
    """Elements of one *kind*, named as their ids."""
    said = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return "".join(f'<{kind} id="{key}" name="{key}"{said}/>' for key in keys)


def tasks(*keys: str) -> str:
    return node("userTask", *keys)


def script(key: str, text: str) -> str:
    return f'<scriptTask id="{key}"><script>{text}</script></scriptTask>'


def scope(key: str, *parts: str, **attributes: str) -> str:
    """A sub-process of these *parts*."""
    said = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<subProcess id="{key}"{said}>{"".join(parts)}</subProcess>'


def flow(source: str, target: str, condition: str = "") -> str:
    inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'


def row(*keys: str) -> str:
    """Flows from each of *keys* to the next."""
    return "".join(flow(one, other) for one, other in pairwise(keys))


#: What an element of a sketch is, by how its id begins; all others are user tasks.
SKETCHED = {
    "S": "startEvent", "E": "endEvent", "Fork": "parallelGateway", "Join": "parallelGateway", "Or": "exclusiveGateway",
}  # fmt: skip


def sketch(flows: str, *elements: str) -> str:
    """*flows* written ``A>B``, separated by spaces; *elements* whose kind does not follow from the id."""
    ways = [way.split(">") for way in flows.split()]
    known = {key for element in elements for key in re.findall(r'^<\w+ id="([^"]+)"', element)}
    keys = [key for key in dict.fromkeys(key for way in ways for key in way) if key not in known]
    kinds = {key: next((SKETCHED[start] for start in SKETCHED if key.startswith(start)), "userTask") for key in keys}
    return "".join((*(node(kinds[key], key) for key in keys), *elements, *(flow(*way) for way in ways)))


def step(rules: int = RULES) -> Step:
    return Step(
        instance="I",
        actor="alice",
        now=NOON,
        services=Services(),
        answer=lambda operator, values, call: operator.call(values, call),
        rules=rules,
    )


@dataclass(frozen=True)
class Played:
    """How one order of answers went: the tasks answered, and the state after each."""

    order: tuple[str, ...]
    states: tuple[InstanceState, ...]

    @property
    def last(self) -> InstanceState:
        return self.states[-1]

    def open_after(self, *order: str) -> list[str]:
        """The tasks open when *order* was answered."""
        assert self.order[: len(order)] == order
        return [key.rpartition(":")[0] for key in self.states[len(order)].tasks]


def every_order(
    package: Package, data: dict[str, Any] | None = None, *, at_most: int = 12, rules: int = RULES
) -> list[Played]:
    """*package* played in every order of answers to its user tasks, every state written and read back."""
    diagram = compile_diagram(package)
    run = Run.start(diagram, step(rules), dict(data or {}))
    return list(_orders(diagram, _written(run), (), (run.after,), at_most, rules))


def _orders(
    diagram: Diagram, stored: Any, order: tuple[str, ...], states: tuple[InstanceState, ...], left: int, rules: int
) -> Iterator[Played]:
    if not states[-1].tasks or not left:
        yield Played(order, states)
        return
    for here in states[-1].tasks:
        element, _, visit = here.rpartition(":")
        run = Run.resume(diagram, step(rules), stored, states[-1])
        run.complete(element, int(visit), {})
        yield from _orders(diagram, _written(run), (*order, element), (*states, run.after), left - 1, rules)


def _written(run: Run) -> Any:
    return json.loads(json.dumps(run.dump()))
