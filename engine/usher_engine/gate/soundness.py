"""Checks that every path through a process reaches its end: reduce structured blocks, then play the token game.

Boundary events that do not interrupt are played separately, as they may happen never or often. A sub-process counts
as one task.
"""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import Node

from ..definitions.lint_finding import Finding
from .block_reduction import reduce_blocks
from .process_graph import Sheet
from .token_game import MAX_STATES, Stuck, TooManyWays, play
from .token_net import Net, net_of

#: States to play for the shortest path to a fault already found; beyond it, the path of the reduced net remains.
SHORTEST_WAY = 4_000
_UNFINISHED = (
    f"Its paths could not be checked completely: there are too many. In the first {MAX_STATES:,} states no join waits "
    "forever. Move parts with many parallel branches into sub-processes to have all of it checked."
)


def soundness_findings(sheet: Sheet) -> Iterator[Finding]:
    """The first fault of each scope in the process."""
    for scope, nodes in sheet.scopes.items():
        starts = [node.id for node in nodes if node.kind == "startEvent"]
        if len(starts) != 1:
            continue
        for first in (starts[0], *(node.id for node in nodes if _is_non_interrupting(node))):
            found = _first_fault(sheet, scope, net_of(sheet, nodes, first))
            if found:
                yield found
                break


def _is_non_interrupting(node: Node) -> bool:
    return node.kind == "boundaryEvent" and "nonInterrupting" in node.markers


def _first_fault(sheet: Sheet, scope: str, net: Net) -> Finding | None:
    try:
        stuck = play(reduce_blocks(net))
    except TooManyWays:
        return sheet.finding(scope, "soundness", _UNFINISHED, "warning")
    return _shortest_fault(sheet, net, stuck) if stuck else None


def _shortest_fault(sheet: Sheet, net: Net, stuck: Stuck) -> Finding | None:
    """Return the finding with the shortest path to the fault, which requires playing the unreduced net."""
    try:
        whole = play(net, SHORTEST_WAY)
    except TooManyWays:
        whole = stuck
    if whole is None:
        return None
    jumps = {way.id for way in sheet.process.jumps}  # not drawn
    path = tuple(key for key in whole.path if key not in jumps)
    return Finding(file=sheet.file, element=whole.element, rule="soundness", message=whole.message, path=path)
