"""Which kind of job a worker takes next, so that no kind waits for another and nothing that hangs takes every thread.

A kind is an operator, or timers, or messages. The kind that was served longest ago comes first. Of several threads one
is kept for what needs nobody outside, timers and messages, and one operator leaves another thread to the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from ..store import Job
from ..store.job_rows import is_effect


class Turns:
    """What the threads of one worker have in hand, and whose turn it is."""

    def __init__(self, threads: int) -> None:
        self.threads = max(1, threads)
        #: Threads for all operators together, and for one of them.
        self._outside, self._of_one = max(1, self.threads - 1), max(1, self.threads - 2)
        self._lock = threading.Lock()
        #: By what is done, not by the job's number: SQLite gives that of a job that is gone to another.
        self._in_hand: dict[str, Job] = {}
        self._served: dict[str, float] = {}

    def order(self, due: Iterable[str]) -> list[str]:
        """The kinds of *due* that a thread may take now, the one served longest ago first, else as they stand there."""
        with self._lock:
            busy = [job.operator for job in self._in_hand.values() if is_effect(job.operator)]
            open_to = [kind for kind in due if not is_effect(kind) or self._has_room(kind, busy)]
            return sorted(open_to, key=lambda kind: self._served.get(kind, 0.0))

    def _has_room(self, kind: str, busy: list[str]) -> bool:
        return len(busy) < self._outside and busy.count(kind) < self._of_one

    def begin(self, job: Job) -> bool:
        """Note that *job* is being done; False when a thread is still at it, though its lease has ended."""
        with self._lock:
            self._served[job.operator] = time.monotonic()
            return self._in_hand.setdefault(job.key, job) is job

    def end(self, job: Job) -> None:
        with self._lock:
            del self._in_hand[job.key]

    def in_hand(self) -> list[Job]:
        """The jobs being done."""
        with self._lock:
            return list(self._in_hand.values())
