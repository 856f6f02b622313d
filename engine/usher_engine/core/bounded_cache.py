"""What was compiled from a text, kept by that text up to a number of bytes: texts come from analysts as they type."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from threading import Lock
from typing import Generic, TypeVar

Made = TypeVar("Made")

MEGABYTE = 2**20
#: Bytes of an entry beside what grows with its text.
ENTRY = 1_000


class BoundedCache(Generic[Made]):
    """
    Calls *make* once for each text, as long as the results have room; the oldest make room for new ones.

    A result is taken to need `ENTRY` bytes and *per_character* for each character of its text, which is measured
    where the cache is declared (tests/unit/test_bounded_cache.py). What fails is not kept.
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
    """Keep what a function of one text makes, up to so many *megabytes*."""
    return lambda make: BoundedCache(make, limit=megabytes * MEGABYTE, per_character=per_character)
