"""A bounded token game on a net: does every way through it come to its end?

Refused are joins that wait for a branch that never comes, and tokens that pile up on one place; the fault carries the
shortest way there. What runs by itself runs at once, people act in any order, as in the engine. Conditions are not
evaluated: every branch is thought possible.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from usher_engine.definitions import inclusive_join

from .process_graph import called
from .token_net import START, Arc, Net

MAX_STATES = 20_000
MOVES = 3  # so many times more moves than states: well below a second
MAX_CHOICES = 6  # ways out of an inclusive gateway that are played in every combination

#: The tokens after a move, and what the move passed.
Move: TypeAlias = tuple[int, tuple[str, ...]]


class TooManyWays(Exception):
    """The game was given up before every way was played; none of those played had a fault."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """What does not come to its end: the *element*, and the way to it from the start."""

    element: str
    message: str
    path: tuple[str, ...]


class _Fault(Exception):
    def __init__(self, element: str, message: str, passed: Iterable[str]) -> None:
        super().__init__(message)
        self.stuck = Stuck(element, message, (*passed, element))


def play(net: Net, most: int = MAX_STATES) -> Stuck | None:
    """The first fault, None when every way ends; raises `TooManyWays` when that takes more than *most* states."""
    return _Game(net).play(most)


class _Game:
    """A state is the set of places with a token, as bits: each arc has one where it rests and one where it has come."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.arcs = list(_backwards(net))
        self.bits = {arc.id: 1 << (2 * number) for number, arc in enumerate(self.arcs)}
        self.joins = {
            key: inclusive_join(key, ((arc.id, arc.source, arc.target) for arc in self.arcs), {})
            for key, spot in net.spots.items()
            if spot.kind == "or" and len(net.into(key)) > 1
        }
        self.moves = 0
        #: How each state was first reached: the one before, and what the move passed.
        self.came: dict[int, tuple[int, tuple[str, ...]]] = {}

    def play(self, most: int) -> Stuck | None:
        state, passed = self._moved(0, [], self.net.out(START))
        self.came[state] = (-1, passed)
        waiting = deque([state])
        try:
            while waiting:
                state = waiting.popleft()
                for after, passed in self._next(state):
                    if after not in self.came:
                        self.came[after] = (state, passed)
                        waiting.append(after)
                if len(self.came) > most or self.moves > most * MOVES:
                    raise TooManyWays
        except _Fault as fault:
            found = fault.stuck
            return Stuck(found.element, found.message, (*self._way(state), *found.path))
        return None

    def _way(self, state: int) -> list[str]:
        """What was passed from the start to *state*."""
        parts: list[tuple[str, ...]] = []
        while state != -1:
            state, passed = self.came[state]
            parts.append(passed)
        return [key for part in reversed(parts) for key in part]

    # moves

    def _next(self, state: int) -> list[Move]:
        """The states after what runs by itself, else after each inclusive join, else after each act of a person."""
        arrived = [arc for arc in self.arcs if state & self._come(arc)]
        # What ends everything may come late: nothing else may rely on it.
        for arc in sorted(arrived, key=lambda arc: self.net.spots[arc.target].kind == "stop"):
            if moved := self._automatic(state, arc):
                return moved
        joined = [move for key in self.joins for move in self._inclusive(state, key, arrived)]
        if joined:
            return joined
        acts = [arc for arc in self.arcs if state & self.bits[arc.id]]
        if state and not acts:
            self._explain(state, arrived[-1].target)  # the others may only wait for this one
        return [self._act(state, arc) for arc in acts]

    def _act(self, state: int, arc: Arc) -> Move:
        self.moves += 1
        if state & self._come(arc):
            raise self._two_tokens(self.net.spots[arc.target].label, ())
        return state ^ self.bits[arc.id] ^ self._come(arc), ()

    def _automatic(self, state: int, arc: Arc) -> list[Move]:
        """The states after the token that has come by *arc* moved on by itself; none when it has to wait."""
        spot, ways = self.net.spots[arc.target], self.net.out(arc.target)
        if spot.kind == "stop":
            return [(0, (spot.label,))]
        if spot.kind == "and":
            needed = self.net.into(arc.target)
            ready = all(state & self._come(way) for way in needed)
            return [self._moved(state, needed, ways)] if ready else []
        if spot.kind == "or" and arc.target not in self.joins:
            return self._choices(state, [arc], ways)
        if spot.kind == "xor" and ways:
            return [self._moved(state, [arc], [way]) for way in ways]
        return [] if spot.kind == "or" else [self._moved(state, [arc], [])]

    def _inclusive(self, state: int, key: str, arrived: list[Arc]) -> list[Move]:
        """Joins what has come when nothing more can come, then takes every combination of its ways out."""
        filled = [arc for arc in arrived if arc.target == key]
        resting = (arc.id for arc in self.arcs if state & (self.bits[arc.id] | self._come(arc)))
        if not self.joins[key].goes_on({arc.id for arc in filled}, resting):
            return []
        return self._choices(state, filled, self.net.out(key))

    def _choices(self, state: int, taken: list[Arc], ways: list[Arc]) -> list[Move]:
        if len(ways) > MAX_CHOICES:
            raise TooManyWays
        chosen = [list(some) for count in range(1, len(ways) + 1) for some in combinations(ways, count)]
        return [self._moved(state, taken, some) for some in chosen]

    def _moved(self, state: int, taken: list[Arc], put: list[Arc]) -> Move:
        self.moves += 1
        passed = tuple(self._passed(taken, put))
        for arc in taken:
            state &= ~self._come(arc)
        for arc in put:
            place = self.bits[arc.id] if arc.waits else self._come(arc)
            if state & place and (arc.waits or self.net.spots[arc.target].kind != "stop"):
                raise self._two_tokens(arc.waits or self.net.spots[arc.target].label, passed)
            state |= place
        return state, passed

    def _passed(self, taken: list[Arc], put: list[Arc]) -> Iterator[str]:
        spot = self.net.spots[taken[0].target] if taken else None
        if spot is not None and spot.drawn:
            yield spot.label
        for arc in put:
            yield from arc.passed

    @staticmethod
    def _two_tokens(element: str, passed: Iterable[str]) -> _Fault:
        message = f"Two tokens can arrive at {called(element)} at once. Join the branches before it."
        return _Fault(element, message, [key for key in passed if key != element])

    def _explain(self, state: int, join: str) -> None:
        absent = [arc for arc in self.net.into(join) if not state & self._come(arc)]
        branches = dict.fromkeys(arc.last or self.net.spots[arc.source].label for arc in absent)
        message = (
            f"It can wait for ever: a branch from {', '.join(map(called, list(branches)[:3]))} does not always come. "
            "Join with the same kind of gateway that split."
        )
        raise _Fault(self.net.spots[join].label, message, ())

    def _come(self, arc: Arc) -> int:
        """The place of a token that has come to the end of *arc*."""
        return self.bits[arc.id] << 1


def _backwards(net: Net) -> Iterator[Arc]:
    """Each arc behind those that can follow it: what moves by itself rests or is gone before the next token comes."""
    seen: set[str] = set()
    waiting = [(START, iter(net.out(START)))]
    behind: list[Arc] = []
    while waiting:
        arc = next(waiting[-1][1], None)
        if arc is None:
            waiting.pop()
            if behind:
                yield behind.pop()
        elif arc.id not in seen:
            seen.add(arc.id)
            behind.append(arc)
            waiting.append((arc.target, iter(net.out(arc.target))))
    yield from (arc for arc in net.arcs.values() if arc.id not in seen)
