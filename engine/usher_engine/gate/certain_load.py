"""The load a package is certain to cause, by the numbers in it: the gate refuses beforehand what a run would refuse.

It counts the elements one command is certain to enter: from a start event to the first wait or choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from usher_engine.core.limits import MAX_ELEMENTS
from usher_engine.definitions import Node

from ..definitions.lint_finding import Finding
from .known_values import known_value
from .process_graph import Sheet, waits

_MOST = 10**9  # counting stops here
_DEEPEST = 50  # depth of calls within calls that this module follows
#: Kinds that a token is certain to pass at once; a service may be a request that waits.
_PASSED = {"startEvent", "endEvent", "intermediateThrowEvent", "parallelGateway", "exclusiveGateway", "scriptTask"}


def load_findings(sheets: Mapping[str, Sheet]) -> Iterator[Finding]:
    """Findings on the innermost elements or processes that enter more elements than one command may."""
    load = _Load(sheets)
    for sheet in sheets.values():
        heavy = [node for node in sheet.process.nodes if load.of_node(sheet, node)[0] > MAX_ELEMENTS]
        for node in heavy:
            if not any(load.of_node(around, one)[0] > MAX_ELEMENTS for around, one in load.inside(sheet, node)):
                yield sheet.finding(node.id, "load", _message(load.of_node(sheet, node)[0]))
        total = load.of_scope(sheet, sheet.process.id)[0]
        if total > MAX_ELEMENTS and not heavy:
            yield sheet.finding(sheet.process.id, "load", _message(total))


def _message(count: int) -> str:
    return (
        f"At least {count:,} elements are entered at once here; one command may enter {MAX_ELEMENTS}. "
        "Repeat fewer items, or let a person act in between."
    )


@dataclass
class _Load:
    """Counts of entered elements, each with whether the token is certain to go on afterwards."""

    sheets: Mapping[str, Sheet]
    scopes: dict[tuple[str, str], tuple[int, bool]] = field(default_factory=dict)

    def of_node(self, sheet: Sheet, node: Node, depth: int = 0) -> tuple[int, bool]:
        """Return how many elements *node* enters for each token."""
        inside, goes_on = self._once(sheet, node, depth)
        if node.repeat is None:
            return inside, goes_on
        times = known_value(node.repeat.cardinality) if node.repeat.cardinality else None
        if type(times) is not int or "loop" in node.markers:
            return 0, False
        if node.repeat.in_turn and not goes_on:
            return (inside if times else 0), False
        return min(inside * times, _MOST), goes_on

    def of_scope(self, sheet: Sheet, scope: str, depth: int = 0) -> tuple[int, bool]:
        """Return how many elements are entered when a token starts in *scope*."""
        key = (sheet.process.id, scope)
        if key not in self.scopes:
            self.scopes[key] = (0, False)  # for a scope that leads back to itself, which another rule refuses
            self.scopes[key] = self._walk(sheet, scope, depth)
        return self.scopes[key]

    def inside(self, sheet: Sheet, node: Node) -> list[tuple[Sheet, Node]]:
        """Return the elements inside *node*, each with the sheet of its process."""
        if node.kind == "callActivity" and node.called in self.sheets:
            around = self.sheets[node.called]
            return [(around, one) for one in around.process.nodes]
        return [(sheet, one) for one in sheet.scopes.get(node.id, ())]

    def _once(self, sheet: Sheet, node: Node, depth: int) -> tuple[int, bool]:
        if node.kind in ("subProcess", "callActivity"):
            around = self.sheets.get(node.called) if node.kind == "callActivity" else sheet
            if around is None or depth >= _DEEPEST:
                return 1, False
            count, goes_on = self.of_scope(around, around.process.id if around is not sheet else node.id, depth + 1)
            return min(count + 1, _MOST), goes_on
        works = node.kind.endswith("Task")
        return int(works), node.kind in _PASSED and not waits(node) and "message" not in node.events

    def _walk(self, sheet: Sheet, scope: str, depth: int) -> tuple[int, bool]:
        waiting = [node.id for node in sheet.scopes[scope] if node.kind == "startEvent"]
        seen: set[str] = set()
        total, ends = 0, False
        while waiting:
            node = sheet.nodes[waiting.pop()]
            if node.id in seen or (node.kind == "parallelGateway" and len(sheet.incoming.get(node.id, ())) > 1):
                continue
            seen.add(node.id)
            count, goes_on = self.of_node(sheet, node, depth)
            total = min(total + count, _MOST)
            ways = sheet.outgoing.get(node.id, [])
            ends |= goes_on and node.kind == "endEvent"
            if goes_on and (len(ways) == 1 or node.kind == "parallelGateway"):
                waiting += [way.target for way in ways]
        return total, ends
