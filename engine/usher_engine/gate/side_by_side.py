"""Which flow nodes of one scope may hold tokens at the same time; what one sets, another may find changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from usher_engine.definitions import Node

from .process_graph import Sheet

_SPLITS = {"parallelGateway", "inclusiveGateway"}


def side_by_side(sheet: Sheet, scope: str) -> Mapping[str, set[str]]:
    """
    Map each node of *scope* to those of it that may run at the same time.

    Branches of a split run side by side up to where they can meet: no two tokens meet on one element, as the rule
    `soundness` demands. What does not interrupt goes on beside the activity it belongs to and beside all after it.
    """
    nodes = sheet.scopes.get(scope, [])
    found: dict[str, set[str]] = {node.id: set() for node in nodes}
    for node in nodes:
        branches = [_reached(sheet, starts, but=node.id) for starts in _branches(sheet, node)]
        for one, other in combinations(branches, 2):
            for first in one - other:
                found[first] |= other - one
            for second in other - one:
                found[second] |= one - other
    return found


def _branches(sheet: Sheet, node: Node) -> Iterator[Iterable[str]]:
    """The first nodes of each branch that begins at *node*."""
    targets = [flow.target for flow in sheet.outgoing.get(node.id, ())]
    beside = [b.id for b in sheet.boundaries.get(node.id, ()) if "nonInterrupting" in b.markers]
    if beside:
        yield (node.id, *targets)
        yield from ((key,) for key in beside)
    elif node.kind in _SPLITS and len(targets) > 1:
        yield from ((key,) for key in targets)


def _reached(sheet: Sheet, starts: Iterable[str], *, but: str) -> set[str]:
    waiting = list(starts)
    seen = {but} & {*waiting}
    first = bool(seen)
    while waiting:
        key = waiting.pop()
        if key in seen and not (first and key == but):
            continue
        seen.add(key)
        if key == but:
            continue  # the node itself may be in a branch, but is not passed again
        waiting.extend(sheet.successors(key))
    return seen - (set() if first else {but})
