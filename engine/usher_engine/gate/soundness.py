"""A bounded token game: does every way through a process come to its end?

Refused are joins that wait for a branch that never comes, and tokens that pile up on one place. Automatic elements
run at once and people in any order, as in the engine. Conditions are not evaluated: every branch is thought possible.
Boundary events that do not interrupt are played by themselves, as they may happen never or often.
Inclusive gateways are not played; a sub-process counts as one task.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from usher_engine.definitions import Node

from .finding import Finding
from .sheet import Sheet, called

MAX_STATES = 20_000
MAX_MOVES = 60_000  # about a second

#: Tokens by place, sorted; a place is the id of a flow, or of an element where a token waits.
State: TypeAlias = tuple[tuple[str, int], ...]

_AUTOMATIC = {
    *("exclusiveGateway", "parallelGateway", "eventBasedGateway"),
    *("startEvent", "scriptTask", "boundaryEvent", "intermediateThrowEvent"),
}


def soundness_findings(sheet: Sheet) -> Iterator[Finding]:
    """The first thing each scope of the process gets stuck on."""
    for scope, nodes in sheet.scopes.items():
        starts = [node.id for node in nodes if node.kind == "startEvent"]
        if len(starts) != 1 or any(node.kind == "inclusiveGateway" for node in nodes):
            continue
        for first in (starts[0], *(node.id for node in nodes if _is_beside(node))):
            problem = _Game(sheet, {node.id: node for node in nodes}).play(first)
            if problem:
                element, message = problem
                yield sheet.finding(element or scope, "soundness", message)
                break


class _Stuck(Exception):
    def __init__(self, element: str, message: str) -> None:
        super().__init__(message)
        self.element = element
        self.message = message


@dataclass
class _Game:
    sheet: Sheet
    nodes: dict[str, Node]
    moves: int = 0
    seen: set[State] = field(default_factory=set)

    def play(self, start: str) -> tuple[str, str] | None:
        """Element and message of the first fault, None when every way ends."""
        waiting = [_frozen(Counter(flow.id for flow in self.sheet.outgoing.get(start, ())))]
        try:
            while waiting:
                state = waiting.pop()
                if state in self.seen:
                    continue
                self.seen.add(state)
                if len(self.seen) > MAX_STATES or self.moves > MAX_MOVES:
                    message = "There are too many ways through to check them all. Use fewer parallel branches."
                    return "", message
                waiting.extend(self._next(state))
        except _Stuck as stuck:
            return stuck.element, stuck.message
        return None

    def _next(self, state: State) -> list[State]:
        """The states after the automatic move that comes first, else after each move a person could make."""
        tokens = Counter(dict(state))
        for place in tokens:
            moved = self._automatic(tokens, place)
            if moved is not None:
                return moved
        following = [after for place in tokens for after in self._leave(tokens, place)]
        if not following and tokens:
            self._explain(tokens)
        return following

    def _automatic(self, tokens: Counter[str], place: str) -> list[State] | None:
        """States after the token on flow *place* has moved on by itself; None when it has to wait."""
        target = self.sheet.targets.get(place)
        if target is None:
            return None
        node = self.nodes[target]
        if node.kind == "endEvent":
            return [() if {"terminate", "error"} & set(node.events) else self._moved(tokens, [place], [])]
        if node.kind == "parallelGateway":
            needed = [f.id for f in self.sheet.incoming.get(node.id, ())]
            ready = all(tokens[other] for other in needed)
            return [self._moved(tokens, needed, self._after(node.id))] if ready else None
        if node.kind in _AUTOMATIC:
            return [self._moved(tokens, [place], [target]) for target in self._after(node.id)]
        return [self._moved(tokens, [place], [node.id])]

    def _leave(self, tokens: Counter[str], place: str) -> list[State]:
        """States after the element *place* was completed, or left through one of its boundary events."""
        if place not in self.nodes:
            return []
        boundaries = (b for b in self.sheet.boundaries.get(place, ()) if not _is_beside(b))
        ways = [self._after(place)] + [self._after(b.id) for b in boundaries]
        return [self._moved(tokens, [place], way) for way in ways]

    def _moved(self, tokens: Counter[str], taken: list[str], put: list[str]) -> State:
        self.moves += 1
        after = tokens.copy()
        after.subtract(taken)
        after.update(put)
        for place in put:
            if after[place] > 1:
                element = self.sheet.targets.get(place, place)
                message = f"Two tokens can arrive at {called(element)} at once. Join the branches before it."
                raise _Stuck(element, message)
        return _frozen(after)

    def _explain(self, tokens: Counter[str]) -> None:
        join = self.sheet.targets[next(iter(tokens))]
        absent = [flow.source for flow in self.sheet.incoming.get(join, ()) if not tokens[flow.id]]
        message = (
            f"It can wait for ever: a branch from {', '.join(map(called, absent[:3]))} does not always come. "
            "Join with the same kind of gateway that split."
        )
        raise _Stuck(join, message)

    def _after(self, key: str) -> list[str]:
        return [flow.id for flow in self.sheet.outgoing.get(key, ())]


def _is_beside(node: Node) -> bool:
    return node.kind == "boundaryEvent" and "nonInterrupting" in node.markers


def _frozen(tokens: Counter[str]) -> State:
    return tuple(sorted((place, count) for place, count in tokens.items() if count > 0))
