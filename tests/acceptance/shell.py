"""
A shell to run the command line in: each command is a process of its own, forked from one that has imported it already.

Every forked process reads this module again, so it imports little and nothing of the tests.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from usher_engine.store import database
from usher_web.cli import main
from usher_web.commands import COMMANDS

PATIENCE_S = 120
EXECUTABLE = str(Path(sys.executable).with_name("usher"))

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["__main__", *(f"usher_web.commands.{module}" for module in set(COMMANDS.values()))])


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shell:
    """A folder, and an environment with nothing in it but what Usher needs."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def usher(self, *words: object) -> Ran:
        """Run the executable to its end."""
        return self._run(_executable, words, self.environment)

    def quick(self, *words: object, **changed: str | None) -> Ran:
        """Run a command to its end; *changed* are variables for it alone, None takes one away."""
        merged = {**self.environment, **changed}
        return self._run(_impatient_main, words, {name: value for name, value in merged.items() if value is not None})

    def _run(self, program: Callable[[], object], words: tuple[object, ...], environment: dict[str, str]) -> Ran:
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            given = (program, self.folder, environment, [*map(str, words)], out, err)
            process = _FORKS.Process(target=_forked, args=given)
            process.start()
            process.join(PATIENCE_S)
            code = process.exitcode
            process.kill()
            process.join()
            process.close()
            assert code is not None, f"usher {words} does not end"
            return self._seen(Ran(code, out.read_text(), err.read_text()))

    def started(self, *words: object) -> subprocess.Popen[str]:
        """Start the executable; the caller waits for its end."""
        return subprocess.Popen(
            [EXECUTABLE, *map(str, words)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def _seen(ran: Ran) -> Ran:
        assert "Traceback" not in ran.err, ran.err
        assert ran.code in (0, 1, 2), ran
        return ran


def _forked(
    program: Callable[[], object], folder: Path, environment: dict[str, str], words: list[str], out: Path, err: Path
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [EXECUTABLE, *words]
    with Path(os.devnull).open() as sys.stdin, out.open("w") as sys.stdout, err.open("w") as sys.stderr:
        program()


def _executable() -> None:
    """The executable, to which nothing of ours is known yet."""
    for module in [*sys.modules]:
        if module.partition(".")[0] in ("usher_engine", "usher_web"):
            del sys.modules[module]
    sys.dont_write_bytecode = False  # as a shell has it: only the first command compiles what is ours
    runpy.run_path(EXECUTABLE, run_name="__main__")


def _impatient_main() -> None:
    database.BUSY_TIMEOUT_MS = 100  # no test here waits for a lock it hopes to get
    main()
