"""Work under a time limit: stopped where it is Python, named where it does not heed, and never hit afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from usher_engine.core import Deadlines, OutOfTime
from usher_engine.core.deadlines import GRACE_S

PATIENCE_S = 60


class Room:
    """Runs work in a thread of its own, under a limit of a minute by a clock that only `enforce` looks at."""

    def __init__(self) -> None:
        self.deadlines = Deadlines()
        self.begun = threading.Event()
        self.raised: list[BaseException] = []
        self._thread: threading.Thread | None = None

    def begin(self, work: Callable[[], Any]) -> None:
        def run() -> None:
            try:
                self.deadlines.within(60, work)
            except BaseException as error:  # noqa: BLE001 - what is looked for
                self.raised.append(error)

        self._thread = threading.Thread(target=run)
        self._thread.start()
        assert self.begun.wait(PATIENCE_S)

    def enforce_after(self, seconds: float) -> int:
        return self.deadlines.enforce(time.monotonic() + seconds)

    def end(self) -> None:
        assert self._thread is not None
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.end()


def test_work_within_its_limit_gives_its_result() -> None:
    deadlines = Deadlines()
    assert deadlines.within(60, lambda: 7) == 7
    assert deadlines.enforce(time.monotonic() + 3600) == 0


def test_what_work_raises_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        Deadlines().within(60, lambda: 1 // 0)


def test_a_loop_in_python_is_stopped(room: Room) -> None:
    def loop() -> None:
        room.begun.set()
        try:
            while True:
                pass
        except Exception:  # noqa: BLE001 - what a careless loop does
            pass

    room.begin(loop)
    assert room.enforce_after(59) == 0
    assert room.raised == []
    room.enforce_after(61)
    room.end()
    assert [type(error) for error in room.raised] == [OutOfTime]
    assert room.enforce_after(3600) == 0


def test_what_does_not_heed_is_counted_after_the_time_of_grace(room: Room) -> None:
    """It waits inside one call, as C code does: the exception has to wait too."""
    goes_on = threading.Lock()
    goes_on.acquire()

    def wait() -> None:
        room.begun.set()
        goes_on.acquire()

    room.begin(wait)
    assert room.enforce_after(61) == 0
    assert room.enforce_after(61 + GRACE_S / 2) == 0
    assert room.enforce_after(61 + GRACE_S * 2) == 1
    goes_on.release()
    room.end()
    assert [type(error) for error in room.raised] == [OutOfTime]


def test_the_exception_hits_nothing_that_comes_after_the_work() -> None:
    """Stopped again and again at the moment it ends: what follows in the thread is never hit."""
    deadlines, ended = Deadlines(), threading.Event()
    hit: list[BaseException] = []

    def work() -> None:
        for _ in range(3_000):
            try:
                deadlines.within(0, lambda: sum(range(20)))
            except OutOfTime:
                continue
            try:
                sum(range(20))
            except OutOfTime as error:
                hit.append(error)
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not ended.is_set():
        deadlines.enforce(time.monotonic() + 1)
    thread.join(PATIENCE_S)
    assert hit == []
    assert deadlines.enforce(time.monotonic() + 3600) == 0


def test_what_a_thread_waits_for_is_ended_once(room: Room) -> None:
    asked: list[int] = []
    goes_on = threading.Lock()
    goes_on.acquire()
    room.deadlines = Deadlines(asked.append)
    threads: list[int] = []

    def wait() -> None:
        threads.append(threading.get_ident())
        room.begun.set()
        goes_on.acquire()

    room.begin(wait)
    room.enforce_after(59)
    assert asked == []
    room.enforce_after(61)
    room.enforce_after(62)
    assert asked == threads
    goes_on.release()
