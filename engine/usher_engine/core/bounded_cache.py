"""A cache of values compiled from texts, bounded in bytes, because analysts produce new texts as they type."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from threading import Lock
from typing import Generic, TypeVar

Made = TypeVar("Made")

MEGABYTE = 2**20
#: Fixed size of an entry in bytes, in addition to the part that grows with its text.
ENTRY = 1_000


class BoundedCache(Generic[Made]):
    """
    Calls *make* once for each text and keeps the result while there is room; new results evict the oldest.

    A result is assumed to need `ENTRY` bytes plus *per_character* for each character of its text, as measured for
    each cache (tests/unit/test_bounded_cache.py). Failures are not kept.
    """

    def __init__(self, make: Callable[[str], Made], *, limit: int, per_character: int) -> None:
        update_wrapper(self, make)
        self._make = make
        self._limit = limit
        self._per_character = per_character
        self._kept: dict[str, Made] = {}
        self._lock = Lock()
        self.size = 0

    def __call__(self, text: str) -> Made:
        found = self._kept.get(text)  # without the lock: the commonest path, and one step of the interpreter
        if found is None:
            found = self._make(text)
            self._keep(text, found)
        return found

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self.size = 0

    def _keep(self, text: str, made: Made) -> None:
        with self._lock:
            if text in self._kept:
                return
            self._kept[text] = made
            self.size += self._weight(text)
            while self.size > self._limit:
                oldest = next(iter(self._kept))
                del self._kept[oldest]
                self.size -= self._weight(oldest)

    def _weight(self, text: str) -> int:
        return ENTRY + len(text) * self._per_character


def cached_by_size(*, megabytes: int, per_character: int) -> Callable[[Callable[[str], Made]], BoundedCache[Made]]:
    """Decorate a function of one text to cache its results, up to *megabytes*."""
    return lambda make: BoundedCache(make, limit=megabytes * MEGABYTE, per_character=per_character)
