"""Pages of a case's history: a long case is read in windows, so that a page costs the same at any length.

Damaged histories stay readable: a missing or unreadable step is marked as such, and the steps around it are shown.
The states at the start of windows are cached for recently viewed cases; the steps before a window are only folded.
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
from ..reexecution import unpack_step
from ..store import Step, Transaction, instance_rows, stored_cases
from ..store.stored_cases import StoredStep

#: Cases with at most this many steps are shown in one window.
WHOLE = 100
#: Steps in each window of a longer case.
WINDOW = 16
#: Steps read beyond a window, to show the results of what it requested.
AHEAD = 10
#: Distance in steps between cached states from which folding may start.
MARKED = 100
KEPT_CASES = 16

#: What events of a tampered step may raise: the JSON has the right outline but may contain any values.
ALTERED = (KeyError, TypeError, ValueError, AttributeError)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class PagedStep:
    """
    One step and the state after it.

    *step* is None if it is missing (*is_missing*) or unreadable; the state is then the one before it.
    *is_linked*: the stored hash is the hash of the stored bytes and the previous hash.
    """

    revision: int
    step: Step | None
    is_missing: bool
    is_linked: bool
    after: InstanceState


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryPage(Generic[T]):
    """
    Steps *first* to *last* of *total*; *before* is the state and *carried* the accumulated value before them.

    *size* is the number of steps in each window of this case except the last.
    """

    first: int
    last: int
    total: int
    size: int
    before: InstanceState
    carried: T
    seen: tuple[PagedStep, ...]
    ahead: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class _Place(Generic[T]):
    """The start of a window: the state after step *revision*, whose hash is *hash*."""

    revision: int
    hash: bytes
    state: InstanceState
    carried: T


class HistoryPages(Generic[T]):
    """Opens windows; the caller's *follow* folds each step into a value of its own, beginning with *start*."""

    def __init__(self, context: Context, follow: Callable[[T, Step], T], start: T) -> None:
        self.context = context
        self._follow = follow
        self._start: _Place[T] = _Place(0, instance_rows.GENESIS, InstanceState(), start)
        self._kept: OrderedDict[str, dict[int, _Place[T]]] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, instance: str, revision: int) -> HistoryPage[T]:
        """The window that contains step *revision*, or the nearest one; raises `NotFound`."""
        with self.context.database.read() as tx:
            row = instance_rows.find(tx, instance)
            newest = stored_cases.newest(tx, instance)
            total = max(newest, min(row.revision, newest + WHOLE))  # a tampered number must not fill the memory
            size = WHOLE if total <= WHOLE else WINDOW
            first = (min(max(revision, 1), max(total, 1)) - 1) // size * size + 1
            last = min(first + size - 1, total)
            place = self._go(tx, instance, self._nearest(tx, instance, first), first)
            stored = {step[0]: step for step in stored_cases.steps(tx, instance, first, last + AHEAD)}
        return HistoryPage(
            first=first,
            last=last,
            total=total,
            size=size,
            before=place.state,
            carried=place.carried,
            seen=tuple(_paged_steps(instance, place, stored, range(first, last + 1))),
            ahead=tuple(
                step
                for n in range(last + 1, last + AHEAD + 1)
                if n in stored and (step := readable_step(instance, stored[n]))
            ),
        )

    def sample(self, instance: str, total: int, every: int) -> list[tuple[int, Step | None]]:
        """Every *every*-th step and the last one; None for those that cannot be read."""
        with self.context.database.read() as tx:
            stored = stored_cases.steps(tx, instance, 1, total, every=every)
            return [(step[0], readable_step(instance, step)) for step in stored]

    def _nearest(self, tx: Transaction, instance: str, first: int) -> _Place[T]:
        with self._lock:
            kept = dict(self._kept.get(instance, {}))
        for revision in sorted((one for one in kept if one < first), reverse=True):
            here = [digest for _, _, digest in stored_cases.steps(tx, instance, revision, revision)]
            if here == [kept[revision].hash]:
                return kept[revision]
        return self._start

    def _go(self, tx: Transaction, instance: str, place: _Place[T], first: int) -> _Place[T]:
        """Fold from *place* to the start of the window of step *first*, and cache each window start passed."""
        passed: dict[int, _Place[T]] = {}
        between = stored_cases.steps(tx, instance, place.revision + 1, first - 1)
        for _, group in groupby(between, key=lambda stored: (stored[0] - 1) // MARKED):
            stored = list(group)
            steps = [step for one in stored if (step := readable_step(instance, one))]
            revision, _, digest = stored[-1]
            state, carried = _fold_readable(place.state, steps), reduce(self._follow, steps, place.carried)
            place = _Place(revision, digest, state, carried)
            passed[revision] = place
        if passed:
            with self._lock:
                self._kept.setdefault(instance, {}).update(passed)
                self._kept.move_to_end(instance)
                while len(self._kept) > KEPT_CASES:
                    self._kept.popitem(last=False)
        return place


def readable_steps(context: Context, instance: str) -> tuple[list[Step], int]:
    """
    The readable steps of a case, oldest first, and the number of unreadable ones; raises `NotFound` or `Purged`.

    For pages that narrate a case: they leave tampered steps out and show how many there are.
    """
    with context.database.read() as tx:
        instance_rows.find(tx, instance)
        stored = list(stored_cases.steps(tx, instance, 1, instance_rows.LARGEST_NUMBER))
    if stored and not any(packed for _, packed, _ in stored):
        raise Purged
    steps = [step for one in stored if (step := readable_step(instance, one)) is not None and _is_dated(step)]
    return steps, len(stored) - len(steps)


def _is_dated(step: Step) -> bool:
    try:
        return step.at.tzinfo is not None
    except ALTERED:
        return False


def readable_step(instance: str, stored: StoredStep) -> Step | None:
    """The stored step with an empty previous hash; None if it cannot be read."""
    return _decode(instance, stored, b"")[1]


def _decode(instance: str, stored: StoredStep, previous: bytes) -> tuple[bytes, Step | None]:
    """The bytes that were hashed, and the step they contain; None if they cannot be read as one."""
    revision, packed, digest = stored
    written, body = unpack_step(packed)
    if written is None or body is None or type(digest) is not bytes:
        return b"", None
    return written, Step(instance=instance, revision=revision, body=body, previous=previous, hash=digest)


def _paged_steps(
    instance: str, place: _Place[T], stored: dict[int, StoredStep], revisions: range
) -> Iterator[PagedStep]:
    state, previous = place.state, place.hash
    for revision in revisions:
        found = stored.get(revision)
        written, step = _decode(instance, found, previous) if found else (b"", None)
        state = _apply_step(state, step) if step else state
        linked = step is not None and instance_rows.chain_hash(previous, written) == step.hash
        yield PagedStep(revision=revision, step=step, is_missing=found is None, is_linked=linked, after=state)
        previous = step.hash if step else b""


def _fold_readable(state: InstanceState, steps: list[Step]) -> InstanceState:
    """The state after all *steps* at once; if one of them cannot be applied, fold step by step and skip it."""
    try:
        return fold(state, (from_json(event) for step in steps for event in step.events))
    except ALTERED:
        return reduce(_apply_step, steps, state)


def _apply_step(state: InstanceState, step: Step) -> InstanceState:
    """The state after *step*; *state* itself if the step's events cannot be applied."""
    try:
        return fold(state, map(from_json, step.events))
    except ALTERED:
        return state
