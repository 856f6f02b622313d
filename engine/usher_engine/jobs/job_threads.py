"""Threads that work for an event loop. They are daemons: a job that hangs does not keep the process from ending."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue


class JobThreads:
    """*number* threads; `run` is awaited in the loop while one of them works."""

    def __init__(self, number: int) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"usher-worker-{one + 1}", daemon=True) for one in range(number)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, call: Callable[[], object]) -> None:
        """Wait until a thread has done *call*, which must not raise."""
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def and_say_so() -> None:
            try:
                call()
            finally:
                with contextlib.suppress(RuntimeError):  # the loop has ended: it does not wait for ever
                    loop.call_soon_threadsafe(done.set)

        self._calls.put(and_say_so)
        await done.wait()

    def close(self, timeout_s: float) -> None:
        """Let the threads end once they have nothing left to do, and wait for them at most *timeout_s* in all."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join(timeout_s / len(self._threads))

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
