"""Forked children that run tests on a mutant: bounded by the system in time and memory, because a mutant may loop."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from itertools import islice

ROOM = 3 << 30

#: The exit code of a child that failed outside of the tests: of it nothing is known.
BROKEN = 78


class Verdict(Enum):
    #: A test failed, or the module could not even be imported.
    KILLED = "killed"
    #: The tests did not come to their end in the time or memory they normally need many times over.
    STOPPED = "stopped"
    #: No test noticed.
    SURVIVED = "survived"


def verdict(code: int) -> Verdict:
    """What the exit *code* of a child means; a negative one is the signal that ended it."""
    if code < 0:
        return Verdict.STOPPED
    return Verdict.KILLED if code else Verdict.SURVIVED


def fork(work: Callable[[], int]) -> int:
    """The id of a process that does *work* and ends with the exit code it gives."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = BROKEN
    try:
        code = work()
    finally:  # whatever happens, a child never goes on with its parent's work
        os._exit(code)


def waited(child: int) -> tuple[int, float]:
    """The exit code of *child* once it has ended, and the processor time it took in seconds."""
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime


def side_by_side(works: Iterator[tuple[int, Callable[[], int]]], jobs: int) -> Iterator[tuple[int, int]]:
    """The number and exit code of each of the numbered *works*, *jobs* at a time, as they come to their ends."""
    running = {fork(work): number for number, work in islice(works, jobs)}
    while running:
        child, status = os.wait()
        yield running.pop(child), os.waitstatus_to_exitcode(status)
        running |= {fork(work): number for number, work in islice(works, 1)}


def bound(seconds: float) -> None:
    """Let this process take so much processor time, twenty times as long by the clock, and no more than `ROOM`."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    signal.setitimer(signal.ITIMER_REAL, 20 * seconds)  # for one that waits without working


def silence() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
