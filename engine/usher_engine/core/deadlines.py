"""Time limits for work in threads: work past its limit gets an exception; work that does not stop is counted.

Only Python code reacts to the exception. The process decides what to do about other code (decisions/0021).
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

#: How long work may take to stop after the exception: to roll back and to close what it opened.
GRACE_S = 2.0


class OutOfTime(BaseException):
    """The work was stopped at its time limit. Not an `Exception`, so that no `except Exception` catches it."""


@dataclass(slots=True, eq=False)
class _Work:
    thread: int
    until: float
    stopped_at: float | None = None
    interrupted: bool = False


class Deadlines:
    """The work under a time limit in this process. A separate thread must call `enforce` at short intervals."""

    def __init__(self, interrupt: Callable[[int], None] | None = None) -> None:
        """*interrupt* ends a thread's wait outside Python, so that the thread receives the exception."""
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._running: set[_Work] = set()

    def within(self, seconds: float, work: Callable[[], T]) -> T:
        """Return the result of *work*; raise `OutOfTime` inside it when it takes longer than *seconds*."""
        mine = _Work(threading.get_ident(), time.monotonic() + seconds)
        try:
            try:
                with self._lock:
                    self._running.add(mine)
                return work()
            finally:
                self._leave(mine)
        except OutOfTime:
            self._leave(mine)  # the exception may have arrived during the first call
            raise

    def _leave(self, work: _Work) -> None:
        with self._lock:
            if work in self._running and work.stopped_at is not None:
                _raise_in(work.thread, None)  # scheduled but not raised yet: it must not hit later work
            self._running.discard(work)

    def enforce(self, now: float) -> int:
        """Stop work past its limit at *now* (monotonic); return how much still runs `GRACE_S` after it was stopped."""
        stuck = 0
        with self._lock:
            for work in self._running:
                if work.stopped_at is None:
                    if now > work.until:
                        work.stopped_at = now
                        _raise_in(work.thread, OutOfTime)
                    continue
                stuck += now - work.stopped_at > GRACE_S
                if self._interrupt is not None and not work.interrupted:  # not at once: it may be rolling back
                    work.interrupted = True
                    self._interrupt(work.thread)
        return stuck


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    """Raise *kind* in *thread* at its next Python instruction; None withdraws an exception not raised yet."""
    raised = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
