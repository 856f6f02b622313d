"""A bounded token game on a net: does every path through it reach its end?

Faults are joins that wait for a branch that never comes, and two tokens in one place; each fault carries the shortest
path to it. As in the engine, automatic steps run at once and people act in any order. The game does not evaluate
conditions: it takes every branch to be possible.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

from usher_engine.definitions import inclusive_join

from .process_graph import quoted
from .token_net import START, Arc, Net

MAX_STATES = 20_000
MOVES = 3  # at most this many moves for each state: well below a second
MAX_CHOICES = 6  # an inclusive gateway with more ways out has too many combinations to play

#: The tokens after a move, and the elements it passed.
Move: TypeAlias = tuple[int, tuple[str, ...]]


class TooManyWays(Exception):
    """The game stopped before it had played every path; the paths played had no fault."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """A fault: the *element* where it shows, and the path to it from the start."""

    element: str
    message: str
    path: tuple[str, ...]


class _Fault(Exception):
    def __init__(self, element: str, message: str, passed: Iterable[str]) -> None:
        super().__init__(message)
        self.stuck = Stuck(element, message, (*passed, element))


def play(net: Net, most: int = MAX_STATES) -> Stuck | None:
    """Return the first fault, or None if every path ends; raise `TooManyWays` after *most* states."""
    return _Game(net).play(most)


class _Game:
    """A state is a bit set of places with a token: each arc has one where a token rests, one where it has arrived."""

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
        #: How each state was first reached: the previous state and the elements passed.
        self.reached_from: dict[int, tuple[int, tuple[str, ...]]] = {}

    def play(self, most: int) -> Stuck | None:
        state, passed = self._move(0, [], self.net.out(START))
        self.reached_from[state] = (-1, passed)
        waiting = deque([state])
        try:
            while waiting:
                state = waiting.popleft()
                for after, passed in self._next(state):
                    if after not in self.reached_from:
                        self.reached_from[after] = (state, passed)
                        waiting.append(after)
                if len(self.reached_from) > most or self.moves > most * MOVES:
                    raise TooManyWays
        except _Fault as fault:
            found = fault.stuck
            return Stuck(found.element, found.message, (*self._path_to(state), *found.path))
        return None

    def _path_to(self, state: int) -> list[str]:
        """Return the elements passed from the start to *state*."""
        parts: list[tuple[str, ...]] = []
        while state != -1:
            state, passed = self.reached_from[state]
            parts.append(passed)
        return [key for part in reversed(parts) for key in part]

    # moves

    def _next(self, state: int) -> list[Move]:
        """Return the states after automatic steps, else after each inclusive join, else after each act of a person."""
        arrived = [arc for arc in self.arcs if state & self._arrival(arc)]
        # A token may reach a terminate end late, so no other branch may rely on it.
        for arc in sorted(arrived, key=lambda arc: self.net.spots[arc.target].kind == "stop"):
            if moved := self._automatic(state, arc):
                return moved
        joined = [move for key in self.joins for move in self._join_inclusive(state, key, arrived)]
        if joined:
            return joined
        acts = [arc for arc in self.arcs if state & self.bits[arc.id]]
        if state and not acts:
            self._raise_stuck_join(state, arrived[-1].target)  # the other joins may be waiting for this one
        return [self._let_person_act(state, arc) for arc in acts]

    def _let_person_act(self, state: int, arc: Arc) -> Move:
        self.moves += 1
        if state & self._arrival(arc):
            raise self._two_tokens(self.net.spots[arc.target].label, ())
        return state ^ self.bits[arc.id] ^ self._arrival(arc), ()

    def _automatic(self, state: int, arc: Arc) -> list[Move]:
        """Return the states after the token that arrived by *arc* moves on automatically; none if it must wait."""
        spot, ways = self.net.spots[arc.target], self.net.out(arc.target)
        if spot.kind == "stop":
            return [(0, (spot.label,))]
        if spot.kind == "and":
            needed = self.net.into(arc.target)
            ready = all(state & self._arrival(way) for way in needed)
            return [self._move(state, needed, ways)] if ready else []
        if spot.kind == "or" and arc.target not in self.joins:
            return self._choices(state, [arc], ways)
        if spot.kind == "xor" and ways:
            return [self._move(state, [arc], [way]) for way in ways]
        return [] if spot.kind == "or" else [self._move(state, [arc], [])]

    def _join_inclusive(self, state: int, key: str, arrived: list[Arc]) -> list[Move]:
        """Join the arrived tokens if no more can arrive, then take every combination of ways out."""
        filled = [arc for arc in arrived if arc.target == key]
        resting = (arc.id for arc in self.arcs if state & (self.bits[arc.id] | self._arrival(arc)))
        if not self.joins[key].goes_on({arc.id for arc in filled}, resting):
            return []
        return self._choices(state, filled, self.net.out(key))

    def _choices(self, state: int, taken: list[Arc], ways: list[Arc]) -> list[Move]:
        if len(ways) > MAX_CHOICES:
            raise TooManyWays
        chosen = [list(some) for count in range(1, len(ways) + 1) for some in combinations(ways, count)]
        return [self._move(state, taken, some) for some in chosen]

    def _move(self, state: int, taken: list[Arc], put: list[Arc]) -> Move:
        self.moves += 1
        passed = tuple(self._elements_passed(taken, put))
        for arc in taken:
            state &= ~self._arrival(arc)
        for arc in put:
            place = self.bits[arc.id] if arc.waits else self._arrival(arc)
            if state & place and (arc.waits or self.net.spots[arc.target].kind != "stop"):
                raise self._two_tokens(arc.waits or self.net.spots[arc.target].label, passed)
            state |= place
        return state, passed

    def _elements_passed(self, taken: list[Arc], put: list[Arc]) -> Iterator[str]:
        spot = self.net.spots[taken[0].target] if taken else None
        if spot is not None and spot.drawn:
            yield spot.label
        for arc in put:
            yield from arc.passed

    @staticmethod
    def _two_tokens(element: str, passed: Iterable[str]) -> _Fault:
        message = f"Two tokens can arrive at {quoted(element)} at once. Join the branches before it."
        return _Fault(element, message, [key for key in passed if key != element])

    def _raise_stuck_join(self, state: int, join: str) -> None:
        absent = [arc for arc in self.net.into(join) if not state & self._arrival(arc)]
        branches = dict.fromkeys(arc.last or self.net.spots[arc.source].label for arc in absent)
        message = (
            f"It can wait forever: a branch from {', '.join(map(quoted, list(branches)[:3]))} does not always come. "
            "Join with the same kind of gateway that split."
        )
        raise _Fault(self.net.spots[join].label, message, ())

    def _arrival(self, arc: Arc) -> int:
        """Return the place of a token that has arrived at the end of *arc*."""
        return self.bits[arc.id] << 1


def _backwards(net: Net) -> Iterator[Arc]:
    """Yield each arc after those that can follow it, so that automatic tokens move before the next one arrives."""
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
