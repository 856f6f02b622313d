"""Chooses the kind of job a worker takes next, so that no kind starves and no hanging service blocks all threads.

A kind is an operator, or timers, or messages. The kind served longest ago comes first. If there are several threads,
one is reserved for timers and messages, which call no outside system, and one operator never takes all the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from ..store import Job
from ..store.job_rows import is_effect


class Turns:
    """The jobs that the threads of one worker are doing, and the order of the kinds."""

    def __init__(self, threads: int) -> None:
        self.threads = max(1, threads)
        #: The most threads for all operators together, and for one of them.
        self._outside, self._of_one = max(1, self.threads - 1), max(1, self.threads - 2)
        self._lock = threading.Lock()
        #: Keyed by what the job does, not by its number: SQLite reuses the numbers of deleted jobs.
        self._in_hand: dict[str, Job] = {}
        self._served: dict[str, float] = {}

    def order(self, due: Iterable[str]) -> list[str]:
        """The kinds of *due* that a thread may take now, the one served longest ago first, else in the given order."""
        with self._lock:
            busy = [job.operator for job in self._in_hand.values() if is_effect(job.operator)]
            open_to = [kind for kind in due if not is_effect(kind) or self._has_room(kind, busy)]
            return sorted(open_to, key=lambda kind: self._served.get(kind, 0.0))

    def _has_room(self, kind: str, busy: list[str]) -> bool:
        return len(busy) < self._outside and busy.count(kind) < self._of_one

    def begin(self, job: Job) -> bool:
        """Record that *job* is being done; False when a thread is still doing it after its lease ended."""
        with self._lock:
            self._served[job.operator] = time.monotonic()
            return self._in_hand.setdefault(job.key, job) is job

    def end(self, job: Job) -> None:
        with self._lock:
            del self._in_hand[job.key]

    def number_of(self, operator: str) -> int:
        """How many jobs of *operator* are being done now."""
        with self._lock:
            return sum(job.operator == operator for job in self._in_hand.values())

    def in_hand(self) -> list[Job]:
        """The jobs being done now."""
        with self._lock:
            return list(self._in_hand.values())
