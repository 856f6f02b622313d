"""One process that the gate checks: its diagram file, its package, and its flow as a graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from usher_engine.definitions import Flow, Node, Package, Process
from usher_engine.services import Services

from ..definitions.lint_finding import Finding, Remedy, Rule, Severity
from .data_names import Names

PEOPLE = frozenset({"userTask", "manualTask"})
_WAITS = PEOPLE | {"receiveTask", "intermediateCatchEvent", "eventBasedGateway"}


@dataclass(frozen=True)
class Sheet:
    """
    *callable_processes* are all executable processes of the package by id, this one included.

    *names* are the names that their elements and the engine set in case data.
    """

    file: str
    process: Process
    package: Package
    services: Services
    callable_processes: Mapping[str, Process]
    names: Names = field(default_factory=Names)

    def finding(
        self, element: str, rule: Rule, message: str, severity: Severity = "error", *, remedy: Remedy | None = None
    ) -> Finding:
        return Finding(
            file=self.file, element=element, rule=rule, message=message, severity=severity, remedy=remedy
        )

    @cached_property
    def nodes(self) -> dict[str, Node]:
        return {node.id: node for node in self.process.nodes}

    @cached_property
    def ways(self) -> tuple[Flow, ...]:
        """The sequence flows and the jumps between link events, for which no flow is drawn."""
        return (*self.process.flows, *self.process.jumps)

    @cached_property
    def outgoing(self) -> dict[str, list[Flow]]:
        return _group((way.source, way) for way in self.ways)

    @cached_property
    def incoming(self) -> dict[str, list[Flow]]:
        return _group((way.target, way) for way in self.ways)

    @cached_property
    def targets(self) -> dict[str, str]:
        return {way.id: way.target for way in self.ways}

    @cached_property
    def boundaries(self) -> dict[str, list[Node]]:
        """Boundary events by the id of the activity they are attached to."""
        found: dict[str, list[Node]] = {}
        for node in self.process.nodes:
            if node.kind == "boundaryEvent":
                found.setdefault(node.attached_to, []).append(node)
        return found

    @cached_property
    def scopes(self) -> dict[str, list[Node]]:
        """Flow nodes by the process or sub-process that contains them; includes empty ones."""
        found: dict[str, list[Node]] = {self.process.id: []}
        for node in self.process.nodes:
            found.setdefault(node.scope, []).append(node)
            if node.kind == "subProcess":
                found.setdefault(node.id, [])
        return found

    def successors(self, key: str) -> Iterator[str]:
        """Yield the nodes a token on *key* may reach next, boundary events included."""
        yield from (flow.target for flow in self.outgoing.get(key, ()))
        yield from (node.id for node in self.boundaries.get(key, ()))


def throws_message(node: Node) -> bool:
    """Whether *node* is a send task or an event that throws a message."""
    thrown = node.kind in ("endEvent", "intermediateThrowEvent") and node.events == ("message",)
    return thrown or node.kind == "sendTask"


def waits(node: Node) -> bool:
    """Whether a token can rest on *node* until a person acts, a time comes or a message arrives."""
    return node.kind in _WAITS and node.events != ("link",)


def quoted(element: str) -> str:
    """Return *element* quoted for a message."""
    return f"“{element}”"


def _group(pairs: Iterable[tuple[str, Flow]]) -> dict[str, list[Flow]]:
    found: dict[str, list[Flow]] = {}
    for key, flow in pairs:
        found.setdefault(key, []).append(flow)
    return found
