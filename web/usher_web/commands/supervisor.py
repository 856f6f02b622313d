"""Keeps one process of `usher serve` or `usher worker` alive: starts another when it dies or falls silent.

Runs by its path with the standard library alone, to stay small; `supervision` is the other side.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from types import FrameType

#: Environment variables of a replacement process: the listening socket and the pipe for heartbeats.
INHERITED = "SUPERVISED_USHER"

LOOK_EVERY_S = 0.5

#: How long a process may take from its start to its first heartbeat, and from the stop signal to its end.
START_S = 120.0
STOP_S = 25.0

#: How long a silent process may take to write its stack traces.
LAST_WORDS_S = 2.0

#: After a process lived shorter than this, the next one starts with a delay, doubled each time.
SHORT_LIFE_S = 60.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


class Supervisor:
    """Watches the process *pid*, which sends heartbeats on the pipe *beats*; *command* starts a replacement."""

    def __init__(self, pid: int, beats: int, *, listening: int, silent_s: float, command: list[str]) -> None:
        self._pid = pid
        self._beats = beats
        self._listening = listening
        self._silent_s = silent_s
        self._command = command
        self._asked_to_end: float | None = None

    def run(self) -> int:
        """Watch until a signal arrives or a process ends for good; return the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background jobs begin with it ignored
            signal.signal(number, self._stop)
        pause_s, is_first = 0.0, True
        while True:
            born = time.monotonic()
            code, has_served = self._wait_for_end()
            if self._is_to_end():
                return 0 if code in (0, -signal.SIGTERM, -signal.SIGINT) else 1
            if code == 0 or (is_first and not has_served):  # its error message is on the screen already
                return max(code, 0) or int(code != 0)
            is_first = False
            is_short = time.monotonic() - born < SHORT_LIFE_S
            pause_s = min(pause_s * 2 or FIRST_PAUSE_S, LONGEST_PAUSE_S) if is_short else 0.0
            ended = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
            _say(f"Process {self._pid} {ended}; another takes its place.")
            self._rest(pause_s)
            if self._is_to_end():
                return 0
            self._start_another()

    def _is_to_end(self) -> bool:
        return self._asked_to_end is not None

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        if self._asked_to_end is None:
            self._asked_to_end = time.monotonic()
            self._send(signal.SIGTERM)

    def _send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._is_to_end() and time.monotonic() < until:
            time.sleep(0.05)

    def _wait_for_end(self) -> tuple[int, bool]:
        """Wait until the process ends, or end it if it is silent; return its exit code and whether it ever served."""
        pipe = select.poll()
        pipe.register(self._beats, select.POLLIN)
        has_served, silent_s = False, 0.0
        code: int | None = None
        while code is None:
            heard = False
            if pipe.poll(LOOK_EVERY_S * 1000):
                heard = bool(os.read(self._beats, 4096))
                code = self._exit_code(wait=not heard)  # the process closes its end of the pipe when it ends
            else:
                silent_s += LOOK_EVERY_S  # counts looks, not time: a suspended supervisor must not blame the process
                code = self._exit_code(wait=False)
            has_served, silent_s = has_served or heard, 0.0 if heard else silent_s
            if code is None and (why := self._why_lost(silent_s, self._silent_s if has_served else START_S)):
                code = self._kill(why)
        os.close(self._beats)
        return code, has_served

    def _exit_code(self, *, wait: bool) -> int | None:
        """The exit code of the process, negative for a signal; None while it lives."""
        pid, status = os.waitpid(self._pid, 0 if wait else os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def _why_lost(self, silent_s: float, limit_s: float) -> str:
        if silent_s >= limit_s:
            return f"gave no sign of life for {silent_s:.0f} seconds"
        if self._asked_to_end is not None and time.monotonic() - self._asked_to_end > STOP_S:
            return f"did not end within {STOP_S:.0f} seconds"
        return ""

    def _kill(self, why: str) -> int:
        """End the process; if it still can, it first writes its stack traces (`faulthandler`)."""
        _say(f"Process {self._pid} {why}; it is ended. Where it stood:")
        self._send(signal.SIGABRT)
        until = time.monotonic() + LAST_WORDS_S
        while time.monotonic() < until:
            if (code := self._exit_code(wait=False)) is not None:
                return code
            time.sleep(0.05)
        self._send(signal.SIGKILL)
        return self._exit_code(wait=True) or -signal.SIGKILL

    def _start_another(self) -> None:
        self._beats, beat = os.pipe()
        pid = os.fork()
        if not pid:
            os.set_inheritable(beat, True)
            environment = {**os.environ, INHERITED: f"{self._listening} {beat}"}
            os.execve(self._command[0], self._command, environment)  # noqa: S606 - as this was started
        self._pid = pid
        os.close(beat)
        if self._is_to_end():  # since the last look
            self._send(signal.SIGTERM)


def _say(words: str) -> None:
    sys.stderr.write(f"usher: {words}\n")
    sys.stderr.flush()


def main(given: list[str]) -> int:
    pid, beats, listening, silent_s = given[:4]
    return Supervisor(
        int(pid), int(beats), listening=int(listening), silent_s=float(silent_s), command=given[4:]
    ).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
