"""A case whole, or in windows where it is long, so that its first page costs the same for ten steps and ten thousand.

Reads what others refuse: a step that is missing or unreadable is told as such, and the steps around it stay readable.
Where each window begins is kept for the cases looked at last; the way there is folded, never shown.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from typing import Generic, TypeVar

from ..context import Context
from ..core.errors import Purged
from ..core.events import from_json
from ..core.state import InstanceState, fold
from ..reexecution import unpacked
from ..store import Step, Transaction, instance_rows, stored_cases
from ..store.stored_cases import StoredStep

#: Cases up to so many steps are one window.
WHOLE = 100
#: Steps in each window of a longer one.
WINDOW = 16
#: Steps read beyond a window, to tell what became of what it asked for.
AHEAD = 10
#: Every so many steps a place is kept where folding may begin.
MARKED = 100
KEPT_CASES = 16

#: What events of an altered step may raise: the text is JSON of the right outline, and may hold anything.
ALTERED = (KeyError, TypeError, ValueError, AttributeError)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """
    One step and the state after it.

    *step* is None where none is there (*is_missing*) or it cannot be read; the state is then the one before it.
    *is_linked* tells that the stored bytes have the stored hash after the hash before.
    """

    revision: int
    step: Step | None
    is_missing: bool
    is_linked: bool
    after: InstanceState


@dataclass(frozen=True, kw_only=True, slots=True)
class Window(Generic[T]):
    """
    Steps *first* to *last* of *total*; *before* and *carried* are the state and what was followed until then.

    *size* is how many steps the windows of this case have, but for the last one.
    """

    first: int
    last: int
    total: int
    size: int
    before: InstanceState
    carried: T
    seen: tuple[Seen, ...]
    ahead: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _Place(Generic[T]):
    """Where a window begins: after step *revision*, whose hash is *hash*."""

    revision: int
    hash: bytes
    state: InstanceState
    carried: T


class Windows(Generic[T]):
    """Opens windows; *follow* adds a step to what whoever reads keeps beside the state, beginning with *start*."""

    def __init__(self, context: Context, follow: Callable[[T, Step], T], start: T) -> None:
        self.context = context
        self._follow = follow
        self._start: _Place[T] = _Place(0, instance_rows.GENESIS, InstanceState(), start)
        self._kept: OrderedDict[str, dict[int, _Place[T]]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, instance: str, revision: int) -> Window[T]:
        """The window with step *revision* in it, or the nearest there is; raises `NotFound`."""
        with self.context.database.read() as tx:
            row = instance_rows.find(tx, instance)
            newest = stored_cases.newest(tx, instance)
            total = max(newest, min(row.revision, newest + WHOLE))  # an altered number must not fill the memory
            size = WHOLE if total <= WHOLE else WINDOW
            first = (min(max(revision, 1), max(total, 1)) - 1) // size * size + 1
            last = min(first + size - 1, total)
            place = self._go(tx, instance, self._nearest(tx, instance, first), first)
            stored = {step[0]: step for step in stored_cases.steps(tx, instance, first, last + AHEAD)}
        return Window(
            first=first,
            last=last,
            total=total,
            size=size,
            before=place.state,
            carried=place.carried,
            seen=tuple(_seen(instance, place, stored, range(first, last + 1))),
            ahead=tuple(
                step for n in range(last + 1, last + AHEAD + 1) if n in stored and (step := read(instance, stored[n]))
            ),
        )

    def sample(self, instance: str, total: int, every: int) -> list[tuple[int, Step | None]]:
        """Each *every*-th step and the last, as far as they can be read."""
        with self.context.database.read() as tx:
            return [(step[0], read(instance, step)) for step in stored_cases.steps(tx, instance, 1, total, every=every)]

    def _nearest(self, tx: Transaction, instance: str, first: int) -> _Place[T]:
        with self._lock:
            kept = dict(self._kept.get(instance, {}))
        for revision in sorted((one for one in kept if one < first), reverse=True):
            here = [digest for _, _, digest in stored_cases.steps(tx, instance, revision, revision)]
            if here == [kept[revision].hash]:
                return kept[revision]
        return self._start

    def _go(self, tx: Transaction, instance: str, place: _Place[T], first: int) -> _Place[T]:
        """From *place* to where the window of step *first* begins; remembers every window passed."""
        passed: dict[int, _Place[T]] = {}
        between = stored_cases.steps(tx, instance, place.revision + 1, first - 1)
        for _, group in groupby(between, key=lambda stored: (stored[0] - 1) // MARKED):
            stored = list(group)
            steps = [step for one in stored if (step := read(instance, one))]
            revision, _, digest = stored[-1]
            place = _Place(revision, digest, _folded(place.state, steps), reduce(self._follow, steps, place.carried))
            passed[revision] = place
        if passed:
            with self._lock:
                self._kept.setdefault(instance, {}).update(passed)
                self._kept.move_to_end(instance)
                while len(self._kept) > KEPT_CASES:
                    self._kept.popitem(last=False)
        return place


def legible(context: Context, instance: str) -> tuple[list[Step], int]:
    """
    The steps of a case that can be read, oldest first, and how many cannot; raises `NotFound`, or `Purged`.

    For pages that tell what happened: what was altered is left out there, and counted.
    """
    with context.database.read() as tx:
        instance_rows.find(tx, instance)
        stored = list(stored_cases.steps(tx, instance, 1, instance_rows.LARGEST_NUMBER))
    if stored and not any(packed for _, packed, _ in stored):
        raise Purged
    steps = [step for one in stored if (step := read(instance, one)) is not None and _is_dated(step)]
    return steps, len(stored) - len(steps)


def _is_dated(step: Step) -> bool:
    try:
        return step.at.tzinfo is not None
    except ALTERED:
        return False


def read(instance: str, stored: StoredStep) -> Step | None:
    """The stored step, the hash before it left empty; None where it cannot be read as one."""
    return _read(instance, stored, b"")[1]


def _read(instance: str, stored: StoredStep, previous: bytes) -> tuple[bytes, Step | None]:
    """The bytes that were hashed, and the step they say."""
    revision, packed, digest = stored
    written, body = unpacked(packed)
    if written is None or body is None or type(digest) is not bytes:
        return b"", None
    return written, Step(instance=instance, revision=revision, body=body, previous=previous, hash=digest)


def _seen(instance: str, place: _Place[T], stored: dict[int, StoredStep], revisions: range) -> Iterator[Seen]:
    state, previous = place.state, place.hash
    for revision in revisions:
        found = stored.get(revision)
        written, step = _read(instance, found, previous) if found else (b"", None)
        state = _after(state, step) if step else state
        linked = step is not None and instance_rows.chained(previous, written) == step.hash
        yield Seen(revision=revision, step=step, is_missing=found is None, is_linked=linked, after=state)
        previous = step.hash if step else b""


def _folded(state: InstanceState, steps: list[Step]) -> InstanceState:
    """The state after all *steps*, in one go; where one of them cannot be, step by step around it."""
    try:
        return fold(state, (from_json(event) for step in steps for event in step.events))
    except ALTERED:
        return reduce(_after, steps, state)


def _after(state: InstanceState, step: Step) -> InstanceState:
    """The state after *step*; the one before it where its events tell of what could not be."""
    try:
        return fold(state, map(from_json, step.events))
    except ALTERED:
        return state
