"""Rules for events that catch the same thing in the same place: only one of them would ever happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from usher_engine.definitions import Node

from ..definitions.lint_finding import Finding
from .process_graph import Sheet, called

#: What catches: its place and the event that does.
Catcher: TypeAlias = tuple[str, Node]


def catcher_findings(sheet: Sheet) -> Iterator[Finding]:
    """A second catcher of one message, error or escalation in one place; told on the second."""
    first: dict[tuple[str, str, str], Node] = {}
    escalations: dict[str, Node] = {}
    for place, node in _catchers(sheet):
        kind, name = _caught(node)
        other = first.setdefault((place, kind, name), node)
        beside = escalations.setdefault(place, node) if kind == "escalation" else node
        if other is not node:
            what = f"the {kind} {called(name)}" if name else f"every {kind}"
            message = f"{called(other.id)} catches {what} here already, so this never happens. Keep one of them."
            yield sheet.finding(node.id, "catcher", message)
        elif beside is not node and "" in (name, _caught(beside)[1]):
            message = (
                f"It stands beside {called(beside.id)}, and one of the two catches every escalation. "
                "Keep that one, or give both a code."
            )
            yield sheet.finding(node.id, "catcher", message)


def _catchers(sheet: Sheet) -> Iterator[Catcher]:
    """Events with the place they catch in: an activity, a scope, a gateway that waits for several."""
    for node in sheet.process.nodes:
        beside = sheet.nodes.get(node.scope)
        if node.kind == "receiveTask" and node.message:
            yield node.id, node
        if node.events not in (("message",), ("error",), ("escalation",)) or (node.refers and not any(node.codes)):
            continue
        if node.kind == "boundaryEvent":
            yield node.attached_to, node
        elif node.kind == "startEvent" and beside is not None and "eventSubProcess" in beside.markers:
            yield f"in {beside.scope}", node
    for gateway in (node for node in sheet.process.nodes if node.kind == "eventBasedGateway"):
        behind = [sheet.nodes.get(flow.target) for flow in sheet.outgoing.get(gateway.id, ())]
        yield from ((f"behind {gateway.id}", node) for node in behind if node is not None and node.message)


def _caught(node: Node) -> tuple[str, str]:
    if node.kind == "receiveTask" or node.events == ("message",):
        return "message", node.message
    return node.events[0], next(iter(node.codes), "")
