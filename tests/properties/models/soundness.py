"""Plays every path through a process without sub-processes to find whether it is sound: the oracle for the gate.

It does not evaluate conditions. Automatic nodes move first, inclusive joins last; then people, one at a time. A process
is sound if it always ends with no token left and never has two tokens on one node or one way into a join.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from itertools import combinations

from .graphs import Graph, Node

MAX_STATES = 3_000
RESTS = ("userTask", "manualTask", "serviceTask", "receiveTask", "sendTask", "intermediateCatchEvent")
JOINS = ("parallelGateway", "inclusiveGateway")

#: The places with a token, in order: flows on their way into a node, and nodes a token rests on.
State = tuple[str, ...]


class TooMany(Exception):
    """There are too many paths to play."""


def fault(graph: Graph) -> str:
    """Return why *graph* is unsound, or ""; raise `TooMany`."""
    return _Play(graph).run()


class _Unsafe(Exception):
    pass


class _Play:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.target = {flow.id: flow.target for node in graph.nodes.values() for flow in node.outgoing}

    def run(self) -> str:
        first: State = tuple(flow.id for flow in self.graph.start.outgoing)
        seen, waiting = {first}, [first]
        try:
            while waiting:
                state = waiting.pop()
                following = list(self._next(state))
                if not following and state:
                    return f"stuck at {list(state)}"
                waiting += [after for after in following if after not in seen]
                seen.update(following)
                if len(seen) > MAX_STATES:
                    raise TooMany
        except _Unsafe as unsafe:
            return f"two tokens at {unsafe}"
        return ""

    def _next(self, state: State) -> Iterator[State]:
        joins: dict[str, Node] = {}
        for place in state:
            node = self.graph.nodes.get(self.target.get(place, ""))
            if node is None:
                continue  # rests
            if node.kind == "inclusiveGateway":
                joins[node.id] = node
            elif (moves := self._automatic(state, place, node)) is not None:
                yield from moves
                return
        enabled = [node for node in joins.values() if self._can_join(state, node)]
        for node in enabled:
            filled = [flow.id for flow in node.incoming if flow.id in state]
            yield from (self._moved(state, filled, some) for some in _choices(node))
        if enabled:
            return
        for place in (place for place in state if place in self.graph.nodes):
            node = self.graph.nodes[place]
            for way in (node, *(bound for bound in node.bounds if bound.stops)):
                yield self._moved(state, [place], [flow.id for flow in way.outgoing])

    def _automatic(self, state: State, place: str, node: Node) -> list[State] | None:
        out = [flow.id for flow in node.outgoing]
        if node.kind == "parallelGateway":
            needed = [flow.id for flow in node.incoming]
            return [self._moved(state, needed, out)] if set(needed) <= set(state) else None
        if node.kind == "exclusiveGateway":
            return [self._moved(state, [place], [way]) for way in out]
        if node.kind in RESTS and node.on != "link":
            return [self._moved(state, [place], [node.id])]
        return [self._moved(state, [place], out)]

    def _can_join(self, state: State, join: Node) -> bool:
        own = {flow.id for flow in join.incoming}
        elsewhere = [self.target.get(place, place) for place in state if place not in own]
        return self.graph.can_join(join, own & set(state), elsewhere)

    def _moved(self, state: State, taken: Collection[str], put: Collection[str]) -> State:
        left = list(state)
        for place in taken:
            left.remove(place)
        if both := sorted(set(left) & set(put) & self._single):
            raise _Unsafe(both)
        return tuple(sorted([*left, *put]))

    @cached_property
    def _single(self) -> set[str]:
        """Places with at most one token; an automatic token is gone before the next arrives."""
        arms = (flow.id for node in self.graph.nodes.values() if node.kind in JOINS for flow in node.incoming)
        return {*self.graph.nodes, *arms}


def _choices(node: Node) -> Iterator[list[str]]:
    ways = [flow.id for flow in node.outgoing]
    for count in range(1, len(ways) + 1):
        yield from (list(some) for some in combinations(ways, count))
