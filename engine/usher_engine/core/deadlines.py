"""Time limits for work in threads: work past its limit gets an exception, work that does not heed it is named.

Only Python code heeds the exception. What to do about code that does not is up to the process (decisions/0021).
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

#: How long work may take to heed the exception: to roll back and to close what it opened.
GRACE_S = 2.0


class OutOfTime(BaseException):
    """The work was stopped at its time limit. Not an `Exception`, so that no `except Exception` on its way stops it."""


@dataclass(slots=True, eq=False)
class _Work:
    thread: int
    until: float
    stopped_at: float | None = None
    interrupted: bool = False


class Deadlines:
    """What runs under a limit in this process. `enforce` has to be called again and again, by a thread of its own."""

    def __init__(self, interrupt: Callable[[int], None] | None = None) -> None:
        """*interrupt* ends what a thread waits for outside Python, so that it can heed the exception."""
        self._interrupt = interrupt
        self._lock = threading.Lock()
        self._running: set[_Work] = set()

    def within(self, seconds: float, work: Callable[[], T]) -> T:
        """What *work* gives; raises `OutOfTime` inside it when it takes longer than *seconds*."""
        mine = _Work(threading.get_ident(), time.monotonic() + seconds)
        try:
            try:
                with self._lock:
                    self._running.add(mine)
                return work()
            finally:
                self._leave(mine)
        except OutOfTime:
            self._leave(mine)  # it may have come in the middle of leaving
            raise

    def _leave(self, work: _Work) -> None:
        with self._lock:
            if work in self._running and work.stopped_at is not None:
                _raise_in(work.thread, None)  # on its way, but not there yet: it must not hit what comes next
            self._running.discard(work)

    def enforce(self, now: float) -> int:
        """Stop what is past its limit at *now* (monotonic); returns how much was stopped and has not heeded it."""
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
    """Raise *kind* in *thread* at its next Python instruction; None takes back what has not been raised yet."""
    raised = ctypes.py_object(kind) if kind is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
