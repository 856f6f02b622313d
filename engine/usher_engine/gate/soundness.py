"""A bounded token game: does every way through a process come to its end?

Refused are joins that wait for a branch that never comes, and tokens that pile up on one place; the finding carries the
shortest way there. Automatic elements run at once and people in any order, as in the engine. Conditions are not
evaluated: every branch is thought possible. Boundary events that do not interrupt are played by themselves, as they may
happen never or often. A sub-process counts as one task.

A place is a flow, or an element where a token waits; a state is the set of places with a token, the bits of a number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

from usher_engine.definitions import Node

from .finding import Finding
from .sheet import Sheet, called, throws_message

MAX_STATES = 20_000
MAX_MOVES = 60_000  # well below a second
MAX_CHOICES = 6  # ways out of an inclusive gateway that are played in every combination

_AUTOMATIC = {
    *("exclusiveGateway", "parallelGateway", "eventBasedGateway"),
    *("startEvent", "scriptTask", "boundaryEvent", "intermediateThrowEvent"),
}


def soundness_findings(sheet: Sheet) -> Iterator[Finding]:
    """The first thing each scope of the process gets stuck on."""
    jumps = {way.id for way in sheet.process.jumps}  # nothing is drawn for them
    for scope, nodes in sheet.scopes.items():
        starts = [node.id for node in nodes if node.kind == "startEvent"]
        if len(starts) != 1 or any(_is_too_wide(sheet, node) for node in nodes):
            continue
        for first in (starts[0], *(node.id for node in nodes if _is_beside(node))):
            stuck = _Game(sheet, {node.id: node for node in nodes}).play(first)
            if stuck:
                element, path = stuck.element or scope, tuple(key for key in stuck.path if key not in jumps)
                yield Finding(
                    file=sheet.file, element=element, rule="soundness", message=stuck.message, path=path
                )
                break


def _is_too_wide(sheet: Sheet, node: Node) -> bool:
    return node.kind == "inclusiveGateway" and len(sheet.outgoing.get(node.id, ())) > MAX_CHOICES


def _is_beside(node: Node) -> bool:
    return node.kind == "boundaryEvent" and "nonInterrupting" in node.markers


class _Stuck(Exception):
    def __init__(self, element: str, message: str, path: list[str] | None = None) -> None:
        super().__init__(message)
        self.element = element
        self.message = message
        self.path = path or []


@dataclass
class _Game:
    sheet: Sheet
    nodes: dict[str, Node]
    moves: int = 0
    places: list[str] = field(default_factory=list)
    bits: dict[str, int] = field(default_factory=dict)
    #: How each state was first reached: the one before, and what the move passed.
    came: dict[int, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    upstream: dict[str, int] = field(default_factory=dict)

    def play(self, start: str) -> _Stuck | None:
        """The first fault with the way to it, None when every way ends."""
        first = self._bits(self._after(start))
        self.came[first] = (-1, (start, *self._after(start)))
        waiting = deque([first])
        state = first
        try:
            while waiting:
                state = waiting.popleft()
                for after, passed in self._next(state):
                    if after in self.came:
                        continue
                    self.came[after] = (state, passed)
                    waiting.append(after)
                if len(self.came) > MAX_STATES or self.moves > MAX_MOVES:
                    message = "There are too many ways through to check them all. Use fewer parallel branches."
                    return _Stuck("", message)
        except _Stuck as stuck:
            stuck.path = [*self._way(state), *stuck.path]
            return stuck
        return None

    def _way(self, state: int) -> list[str]:
        """What was passed from the start to *state*."""
        parts: list[tuple[str, ...]] = []
        while state != -1:
            state, passed = self.came[state]
            parts.append(passed)
        return [key for part in reversed(parts) for key in part]

    # moves

    def _next(self, state: int) -> list[tuple[int, tuple[str, ...]]]:
        """The states after the automatic move that comes first, else after each move a person could make."""
        occupied = list(self._occupied(state))
        for place in occupied:
            moved = self._automatic(state, place)
            if moved is not None:
                return moved
        following = [after for place in occupied for after in self._leave(state, place)]
        if not following and state:
            self._explain(state, occupied)
        return following

    def _automatic(self, state: int, place: str) -> list[tuple[int, tuple[str, ...]]] | None:
        """States after the token on flow *place* has moved on by itself; None when it has to wait."""
        target = self.sheet.targets.get(place)
        if target is None:
            return None
        node = self.nodes[target]
        if node.kind == "endEvent":
            ends = bool({"terminate", "error"} & set(node.events))
            return [(0, (target,)) if ends else self._moved(state, [place], [], target)]
        if node.kind == "parallelGateway":
            needed = [flow.id for flow in self.sheet.incoming.get(target, ())]
            ready = state & (mask := self._bits(needed)) == mask
            return [self._moved(state, needed, self._after(target), target)] if ready else None
        if node.kind == "inclusiveGateway":
            return self._inclusive(state, target)
        if (node.kind in _AUTOMATIC and not throws_message(node)) or node.events == ("link",):
            return [self._moved(state, [place], [flow], target) for flow in self._after(target)]
        return [self._moved(state, [place], [target], target)]

    def _inclusive(self, state: int, key: str) -> list[tuple[int, tuple[str, ...]]] | None:
        """Joins what has come when nothing more can come, then takes every combination of its ways out."""
        arrived = [flow.id for flow in self.sheet.incoming.get(key, ()) if state & self._bits([flow.id])]
        if state & self._before(key) & ~self._bits(arrived):
            return None
        ways = self._after(key)
        chosen = [list(some) for count in range(1, len(ways) + 1) for some in combinations(ways, count)]
        return [self._moved(state, arrived, some, key) for some in chosen]

    def _before(self, key: str) -> int:
        """The places from which a token can still come to the gateway *key*."""
        if key not in self.upstream:
            mask, seen, waiting = 0, {key}, list(self.sheet.incoming.get(key, ()))
            while waiting:
                flow = waiting.pop()
                mask |= self._bits([flow.id])
                node = self.nodes[flow.source]
                source = node.attached_to if node.kind == "boundaryEvent" else node.id
                if source not in seen:
                    seen.add(source)
                    mask |= self._bits([source])
                    waiting += self.sheet.incoming.get(source, ())
            self.upstream[key] = mask
        return self.upstream[key]

    def _leave(self, state: int, place: str) -> Iterator[tuple[int, tuple[str, ...]]]:
        """States after the element *place* was completed, or left through one of its boundary events."""
        if place not in self.nodes:
            return
        yield self._moved(state, [place], self._after(place), "")
        for boundary in self.sheet.boundaries.get(place, ()):
            if not _is_beside(boundary):
                yield self._moved(state, [place], self._after(boundary.id), boundary.id)

    def _moved(self, state: int, taken: list[str], put: list[str], through: str) -> tuple[int, tuple[str, ...]]:
        self.moves += 1
        passed = tuple(dict.fromkeys(key for key in (through, *put) if key))
        left = state & ~self._bits(taken)
        for place in put:
            if left & self._bits([place]):
                element = self.sheet.targets.get(place, place)
                message = f"Two tokens can arrive at {called(element)} at once. Join the branches before it."
                raise _Stuck(element, message, [*passed, element])
        return left | self._bits(put), passed

    def _explain(self, state: int, occupied: list[str]) -> None:
        join = self.sheet.targets[occupied[0]]
        absent = [f.source for f in self.sheet.incoming.get(join, ()) if not state & self._bits([f.id])]
        message = (
            f"It can wait for ever: a branch from {', '.join(map(called, absent[:3]))} does not always come. "
            "Join with the same kind of gateway that split."
        )
        raise _Stuck(join, message, [join])

    # places

    def _after(self, key: str) -> list[str]:
        return [flow.id for flow in self.sheet.outgoing.get(key, ())]

    def _bits(self, places: list[str]) -> int:
        mask = 0
        for place in places:
            if place not in self.bits:
                self.bits[place] = 1 << len(self.places)
                self.places.append(place)
            mask |= self.bits[place]
        return mask

    def _occupied(self, state: int) -> Iterator[str]:
        while state:
            lowest = state & -state
            yield self.places[lowest.bit_length() - 1]
            state ^= lowest
