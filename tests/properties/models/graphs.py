"""Reads a BPMN file as graphs with an independent parser, and makes random graphs that are not nested blocks.

The oracle of `reference` and `soundness` rests on these graphs alone, never on what the engine or the gate reads.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_CONDITION = re.compile(r"(\w+)(?:\.(\w+))? (==|<) (\w+)")
_EVENTS = ("timer", "message", "error", "escalation", "terminate", "link")


@dataclass(frozen=True)
class Flow:
    id: str
    source: str
    target: str
    condition: str = ""


@dataclass(eq=False)
class Node:
    """One flow node; *on* is the kind of its event, *code* the code or name of that, *inside* the graph in it."""

    id: str
    kind: str
    element: ET.Element
    on: str = ""
    code: str = ""
    incoming: list[Flow] = field(default_factory=list)
    outgoing: list[Flow] = field(default_factory=list)
    bounds: list[Node] = field(default_factory=list)
    inside: Graph | None = None

    @property
    def default(self) -> str:
        return self.element.get("default", "")

    @property
    def stops(self) -> bool:
        return "false" not in (self.element.get("cancelActivity"), self.element.get("isInterrupting"))


@dataclass(eq=False)
class Graph:
    """The nodes of one process or sub-process; *beside* are its event sub-processes."""

    nodes: dict[str, Node]
    beside: list[Node]

    @cached_property
    def start(self) -> Node:
        return next(node for node in self.nodes.values() if node.kind == "startEvent")

    @cached_property
    def joins(self) -> list[Node]:
        """The inclusive gateways."""
        return [node for node in self.nodes.values() if node.kind == "inclusiveGateway"]

    @cached_property
    def reach(self) -> dict[str, frozenset[str]]:
        """For each way into an inclusive gateway: the nodes from which a token can come there, not through it."""
        return {flow.id: self._behind(flow.source, join.id) for join in self.joins for flow in join.incoming}

    def _behind(self, first: str, join: str) -> frozenset[str]:
        hosts = {bound.id: node.id for node in self.nodes.values() for bound in node.bounds}
        seen: set[str] = set()
        waiting = [first]
        while waiting:
            key = waiting.pop()
            if key in seen or key == join:
                continue
            seen.add(key)
            waiting += [hosts[key]] if key in hosts else [flow.source for flow in self.nodes[key].incoming]
        return frozenset(seen)

    def can_join(self, join: Node, filled: Collection[str], elsewhere: Iterable[str]) -> bool:
        """
        Whether an inclusive gateway with a token on each flow of *filled* goes on (BPMN 2.0.2, 13.4.3, table 13.3).

        It waits for every token *elsewhere*, given by the node it rests on or goes to, that can reach an empty way in
        and cannot reach a filled one.
        """
        empty = [self.reach[flow.id] for flow in join.incoming if flow.id not in filled]
        full = [self.reach[flow.id] for flow in join.incoming if flow.id in filled]
        return bool(filled) and all(
            not any(place in ways for ways in empty) or any(place in ways for ways in full) for place in elsewhere
        )


def read(xml: str) -> tuple[Graph, dict[str, Graph]]:
    """The main process of the file, and every process by its id."""
    root = ET.fromstring(xml)
    named = {str(one.get("id")): one for one in root}
    processes = {str(one.get("id")): _graph(one, named) for one in root.iter(f"{BPMN}process")}
    called = {str(one.get("calledElement")) for one in root.iter(f"{BPMN}callActivity")}
    main = next(key for key in processes if key not in called)
    return processes[main], processes


def holds(condition: str, data: Any) -> bool:
    """Whether *condition*, of the kind in these models, is true on *data*."""
    found = _CONDITION.fullmatch(condition.strip())
    if found is None:
        raise ValueError(condition)
    name, key, sign, other = found.groups()
    left = int(name) if name.isdigit() else data[name] if key is None else data[name][key]
    right = int(other) if other.isdigit() else data[other]
    return bool(left == right if sign == "==" else left < right)


def _graph(element: ET.Element, named: dict[str, ET.Element]) -> Graph:
    nodes = {str(one.get("id")): _node(one, named) for one in element if _is_node(one)}
    for one in element.iterfind(f"{BPMN}sequenceFlow"):
        condition = one.findtext(f"{BPMN}conditionExpression") or ""
        flow = Flow(str(one.get("id")), str(one.get("sourceRef")), str(one.get("targetRef")), condition)
        nodes[flow.source].outgoing.append(flow)
        nodes[flow.target].incoming.append(flow)
    for node in nodes.values():
        if node.kind == "boundaryEvent":
            nodes[str(node.element.get("attachedToRef"))].bounds.append(node)
    _link(nodes)
    beside = [node for node in nodes.values() if node.element.get("triggeredByEvent") == "true"]
    return Graph(nodes, beside)


def _link(nodes: dict[str, Node]) -> None:
    links = [node for node in nodes.values() if node.on == "link"]
    for thrown in (node for node in links if node.kind == "intermediateThrowEvent"):
        caught = next(node for node in links if node.kind == "intermediateCatchEvent" and node.code == thrown.code)
        flow = Flow(f"{thrown.id}->{caught.id}", thrown.id, caught.id)
        thrown.outgoing.append(flow)
        caught.incoming.append(flow)


def _is_node(element: ET.Element) -> bool:
    kind = element.tag.removeprefix(BPMN)
    return kind.endswith(("Event", "Task", "Gateway", "Activity")) or kind == "subProcess"


def _node(element: ET.Element, named: dict[str, ET.Element]) -> Node:
    node = Node(str(element.get("id")), element.tag.removeprefix(BPMN), element)
    for event in _EVENTS:
        definition = element.find(f"{BPMN}{event}EventDefinition")
        if definition is not None:
            node.on = event
            root = named.get(definition.get(f"{event}Ref", ""))
            node.code = definition.get("name", "") if root is None else root.get(f"{event}Code", "")
    if node.kind == "subProcess":
        node.inside = _graph(element, named)
    return node


# random ones


def random_graph(random: Random, size: int) -> dict[str, Any]:
    """*size* nodes in a row of flows from left to right, some back; joins and splits of kinds that may not fit."""
    mode = random.choice(("and", "and", "incl", "incl", "mixed", "mixed"))
    flows = {(random.randrange(number), number) for number in range(1, size)}
    flows |= {tuple(sorted(random.sample(range(size), 2))) for _ in range(random.randint(0, size // 2))}
    flows |= {(number, random.randint(number + 1, size - 1)) for number in range(size - 1)
              if not any(source == number for source, _ in flows)}  # fmt: skip
    splits = {"and": ("and",), "incl": ("and", "incl", "xor"), "mixed": ("and", "incl", "xor")}[mode]
    joins = {"and": ("and",), "incl": ("incl",), "mixed": ("and", "incl", "xor")}[mode]
    nodes = [
        {"k": random.choice(("user", "user", "script", "timer", "none")), "split": random.choice(splits),
         "join": random.choice(joins)}
        for _ in range(size)
    ]  # fmt: skip
    back = []
    if random.random() < 0.25:
        i, j = sorted((random.randrange(size - 1), random.randrange(size - 1)))
        back.append([j, i])
    return {"nodes": nodes, "flows": [list(flow) for flow in sorted(flows)], "back": back, "pick": random.randint(0, 2)}
