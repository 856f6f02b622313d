"""Whether every way through a process comes to its end: structured blocks are one step, what is left is played.

Boundary events that do not interrupt are played by themselves, as they may happen never or often. A sub-process counts
as one task.
"""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import Node

from ..definitions.lint_finding import Finding
from .block_reduction import reduced
from .process_graph import Sheet
from .token_game import MAX_STATES, Stuck, TooManyWays, play
from .token_net import Net, net_of

#: States played to find the shortest way to a fault that is known already; else the way leads through blocks.
SHORTEST_WAY = 4_000
_UNFINISHED = (
    f"Its ways could not be checked completely: there are too many. In the first {MAX_STATES:,} states no join waits "
    "for ever. Move parts with many parallel branches into sub-processes to have all of it checked."
)


def soundness_findings(sheet: Sheet) -> Iterator[Finding]:
    """The first thing each scope of the process gets stuck on."""
    for scope, nodes in sheet.scopes.items():
        starts = [node.id for node in nodes if node.kind == "startEvent"]
        if len(starts) != 1:
            continue
        for first in (starts[0], *(node.id for node in nodes if _is_beside(node))):
            found = _first_fault(sheet, scope, net_of(sheet, nodes, first))
            if found:
                yield found
                break


def _is_beside(node: Node) -> bool:
    return node.kind == "boundaryEvent" and "nonInterrupting" in node.markers


def _first_fault(sheet: Sheet, scope: str, net: Net) -> Finding | None:
    try:
        stuck = play(reduced(net))
    except TooManyWays:
        return sheet.finding(scope, "soundness", _UNFINISHED, "warning")
    return _fault(sheet, net, stuck) if stuck else None


def _fault(sheet: Sheet, net: Net, stuck: Stuck) -> Finding | None:
    """The fault with the shortest way to it, which only the net with all its elements knows."""
    try:
        whole = play(net, SHORTEST_WAY)
    except TooManyWays:
        whole = stuck
    if whole is None:
        return None
    jumps = {way.id for way in sheet.process.jumps}  # nothing is drawn for them
    path = tuple(key for key in whole.path if key not in jumps)
    return Finding(file=sheet.file, element=whole.element, rule="soundness", message=whole.message, path=path)
