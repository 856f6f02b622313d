"""The supervised side of `usher serve` and `usher worker`: the `supervisor` can replace it (decisions/0021)."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import NoReturn

from usher_engine import Settings
from usher_engine.core import Deadlines

from . import supervisor

if sys.platform != "win32":
    import resource

log = logging.getLogger("usher.watchdog")

#: If one call holds the interpreter this long, the process is replaced: it serves nobody meanwhile.
SILENT_S = 10.0
BEAT_EVERY_S = 0.5

#: Memory that the system reserves for the stack of a thread.
STACK_MB = 8

#: Exit code of a process that wants to be replaced.
STUCK = 70


@dataclass(frozen=True, kw_only=True, slots=True)
class Lifeline:
    """The pipe to the supervisor; None on systems without fork, where no process can replace this one."""

    pipe: int | None
    listening: int | None = None

    def beat(self) -> None:
        """Send a heartbeat. If the supervisor is gone, end this process."""
        if self.pipe is not None:
            try:
                os.write(self.pipe, b".")
            except BrokenPipeError:
                os.kill(os.getpid(), signal.SIGTERM)

    def socket(self) -> socket.socket | None:
        """The socket the process before this one listened on."""
        return None if self.listening is None else socket.socket(fileno=self.listening)


def inherited_lifeline() -> Lifeline | None:
    """The lifeline of a replacement process; None in the first process."""
    given = os.environ.pop(supervisor.INHERITED, None)
    if given is None:
        return None
    listening, pipe = map(int, given.split())
    os.set_inheritable(pipe, False)
    return Lifeline(pipe=pipe, listening=listening if listening >= 0 else None)


def start_supervisor(listening: socket.socket | None, settings: Settings) -> Lifeline:
    """
    Continue in a child process; this one becomes its supervisor and keeps *listening* open for its successors.

    The first child is a fork, which avoids a second start; the supervisor is a separate program that replaces this
    process, so it holds none of its memory.
    """
    if not hasattr(os, "fork"):
        return Lifeline(pipe=None)
    sys.stdout.flush()
    sys.stderr.flush()
    beats, pipe = os.pipe()
    child = os.fork()
    if child:
        _supervise(child, beats, listening, silence(settings))
    os.close(beats)
    return Lifeline(pipe=pipe)


def silence(settings: Settings) -> float:
    """Seconds without a heartbeat after which the process is replaced; even under load a thread runs within four."""
    return max(4.0, min(SILENT_S, settings.request_limit_s))


def _supervise(child: int, beats: int, listening: socket.socket | None, silent_s: float) -> NoReturn:
    os.set_inheritable(beats, True)
    if listening is not None:
        listening.set_inheritable(True)
    held = -1 if listening is None else listening.fileno()
    given = [child, beats, held, silent_s, sys.executable, *sys.orig_argv[1:]]
    program = [sys.executable, "-I", "-S", supervisor.__file__, *map(str, given)]
    os.execv(sys.executable, program)  # noqa: S606 - a file of ours, and how this process was started


def watch(lifeline: Lifeline, deadlines: Deadlines, settings: Settings) -> None:
    """Start enforcing *deadlines*, limit memory, and send heartbeats to the supervisor."""
    faulthandler.enable()
    if sys.platform != "win32" and settings.memory_limit_mb:
        stacks = (settings.threads + settings.worker_threads) * STACK_MB  # counts as data, mostly never touched
        most, given = (settings.memory_limit_mb + stacks) * 2**20, resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (most if given == resource.RLIM_INFINITY else min(most, given), given))
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # patients' data
    threading.Thread(target=_watch, args=(lifeline, deadlines), name="usher-watchdog", daemon=True).start()


def _watch(lifeline: Lifeline, deadlines: Deadlines) -> NoReturn:
    while True:
        stuck = deadlines.enforce(time.monotonic())
        if stuck and lifeline.pipe is not None:
            _give_up(stuck)
        lifeline.beat()
        time.sleep(BEAT_EVERY_S)


def _give_up(stuck: int) -> NoReturn:
    """End at once: waiting for threads would take forever if one of them does not end."""
    try:
        log.error("%d requests or jobs do not end at their time limit; this process ends. Where it stood:", stuck)
        faulthandler.dump_traceback()
    finally:
        os._exit(STUCK)
