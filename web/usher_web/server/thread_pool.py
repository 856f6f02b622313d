"""Threads that run calls in the order they came in. They are daemons: a call that hangs does not keep the process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from usher_engine.core.faults import report as report_fault


class ThreadPool:
    """*threads* threads; `submit` never blocks and never refuses, because connections are limited already."""

    def __init__(self, threads: int, name: str = "usher-web") -> None:
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[[], object]) -> None:
        self._calls.put(call)

    def close(self) -> None:
        """Let the threads end once they have nothing left to do; does not wait for them."""
        for _ in self._threads:
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call()
            except BaseException as error:  # noqa: BLE001 - also the end of a time limit; the thread serves on
                report_fault(error, where="web", at="a thread of the server")
