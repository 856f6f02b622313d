"""The port to what carries out jobs. Steps write job rows; a queue decides when and in which order they are done.

`worker` is the embedded queue: threads that look for due rows. `procrastinate_worker` is Procrastinate, on PostgreSQL.
"""

from __future__ import annotations

from abc import ABC, abstractmethod


class JobQueue(ABC):
    """Does jobs in threads between `start` and `stop`, and runs over many cases beside them."""

    @abstractmethod
    def start(self) -> None:
        """Start the threads."""

    @abstractmethod
    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish the current jobs and end the threads; a job that takes longer is repeated after its lease."""

    @abstractmethod
    def run_due(self, at_most: int = 1_000) -> int:
        """Without `start`: do due jobs and return how many were tried; about *at_most*."""
