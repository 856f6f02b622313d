"""Rules against several events that catch the same thing in the same place: only one of them would ever happen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from usher_engine.definitions import Node

from ..definitions.lint_finding import Finding
from .process_graph import Sheet, quoted

#: A place and an event that catches there.
Catcher: TypeAlias = tuple[str, Node]


def catcher_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings on every further catcher of one message, error or escalation in one place."""
    first: dict[tuple[str, str, str], Node] = {}
    escalations: dict[str, Node] = {}
    for place, node in _catchers(sheet):
        kind, name = _caught_event(node)
        other = first.setdefault((place, kind, name), node)
        first_here = escalations.setdefault(place, node) if kind == "escalation" else node
        if other is not node:
            what = f"the {kind} {quoted(name)}" if name else f"every {kind}"
            message = f"{quoted(other.id)} already catches {what} here, so this never happens. Keep one of them."
            yield sheet.finding(node.id, "catcher", message)
        elif first_here is not node and "" in (name, _caught_event(first_here)[1]):
            message = (
                f"{quoted(first_here.id)} catches escalations here too, and one of the two catches all of them. "
                "Keep that one, or give both a code."
            )
            yield sheet.finding(node.id, "catcher", message)


def _catchers(sheet: Sheet) -> Iterator[Catcher]:
    """Yield catching events, each with its place: an activity, a scope or an event-based gateway."""
    for node in sheet.process.nodes:
        around = sheet.nodes.get(node.scope)
        if node.kind == "receiveTask" and node.message:
            yield node.id, node
        if node.events not in (("message",), ("error",), ("escalation",)) or (node.refers and not any(node.codes)):
            continue
        if node.kind == "boundaryEvent":
            yield node.attached_to, node
        elif node.kind == "startEvent" and around is not None and "eventSubProcess" in around.markers:
            yield f"in {around.scope}", node
    for gateway in (node for node in sheet.process.nodes if node.kind == "eventBasedGateway"):
        behind = [sheet.nodes.get(flow.target) for flow in sheet.outgoing.get(gateway.id, ())]
        yield from ((f"behind {gateway.id}", node) for node in behind if node is not None and node.message)


def _caught_event(node: Node) -> tuple[str, str]:
    if node.kind == "receiveTask" or node.events == ("message",):
        return "message", node.message
    return node.events[0], next(iter(node.codes), "")
