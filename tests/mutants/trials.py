"""Runs the unit tests of one module on its mutants, each in a forked child that has the libraries loaded already.

A child puts the changed module where the import system looks for it, so that everything that rests on the module, its
constants and classes too, is the mutant's. Time and memory of a child are bounded by the system: a mutant may loop.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

from .changes import Mutant, mutants

ROOM = 3 << 30
#: The exit code of a child whose tests never imported the module: they cannot say anything about it.
NOT_IMPORTED = 77
#: pytest's own exit code for nothing collected, and ours for a child that failed outside of the tests.
NO_TESTS, BROKEN = 5, 78
OPTIONS = (
    "-x", "-q", "--no-header", "--assert=plain", "--timeout=0",
    "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:playwright",
)  # fmt: skip


class Verdict(Enum):
    #: A test failed, or the module could not even be imported.
    KILLED = "killed"
    #: The tests did not come to their end in the time or memory they normally need many times over.
    STOPPED = "stopped"
    #: No test noticed.
    SURVIVED = "survived"


class TrialError(Exception):
    """The run itself says nothing: its tests fail without any mutant, or do not touch the module."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """*module* lies under *folder*; *tests* are the unit tests that hold it."""

    module: str
    folder: Path
    tests: Sequence[Path]

    @property
    def file(self) -> Path:
        return self.folder / (self.module.replace(".", "/") + ".py")


@dataclass(kw_only=True)
class Trial:
    """The mutants of one module; *seconds* of processor time are what its tests need when nothing is changed."""

    target: Target
    tree: ast.Module
    mutants: list[Mutant]
    seconds: float = 0.0
    verdicts: dict[int, Verdict] = field(default_factory=dict)


def prepared(target: Target) -> Trial:
    """The mutants of *target*, once its tests have passed without one; raises `TrialError`."""
    source = target.file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    trial = Trial(target=target, tree=tree, mutants=mutants(target.module, source, tree))
    with tempfile.TemporaryDirectory() as folder:
        loaded = Path(folder) / "loaded.json"
        code, _ = _waited(_child(trial, lambda: None, seconds=600, loaded=loaded))
        if code:
            why = "never import it" if code == NOT_IMPORTED else f"end with {code} when nothing is changed"
            raise TrialError(f"The tests of {target.module} {why}.")
        for name in json.loads(loaded.read_text()):
            with contextlib.suppress(Exception):  # what a child cannot find loaded it imports by itself
                importlib.import_module(name)
    code, trial.seconds = _waited(_child(trial, lambda: None, seconds=600))
    if code:
        raise TrialError(f"The tests of {target.module} end with {code} when run a second time.")
    return trial


def run(trial: Trial, *, jobs: int, sample: int | None = None, seed: int = 0) -> Iterator[tuple[Mutant, Verdict]]:
    """What became of each mutant, or of *sample* of them, as they come to their ends; *jobs* run side by side."""
    numbers = list(range(len(trial.mutants)))
    if sample is not None and sample < len(numbers):
        numbers = sorted(random.Random(seed).sample(numbers, sample))
    running: dict[int, Mutant] = {}
    pending = iter(numbers)
    while True:
        while len(running) < jobs and (number := next(pending, None)) is not None:
            mutant = trial.mutants[number]
            running[_child(trial, mutant.apply, seconds=5 + 4 * trial.seconds)] = mutant
        if not running:
            return
        child, status = os.wait()
        yield running.pop(child), _verdict(trial.target, os.waitstatus_to_exitcode(status))


def _verdict(target: Target, code: int) -> Verdict:
    if code in {NOT_IMPORTED, NO_TESTS, BROKEN}:
        raise TrialError(f"The tests of {target.module} did not run against a mutant (exit code {code}).")
    if code < 0:
        return Verdict.STOPPED
    return Verdict.KILLED if code else Verdict.SURVIVED


def _waited(child: int) -> tuple[int, float]:
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime


def _child(trial: Trial, change: Callable[[], None], *, seconds: float, loaded: Path | None = None) -> int:
    """The id of a process that runs the tests on the tree after *change* and ends with pytest's exit code."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = BROKEN
    try:
        _bound(seconds)
        change()
        code = _tested(trial, loaded)
    finally:  # whatever happens, a child never goes on with its parent's work
        os._exit(code)


def _bound(seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
    signal.setitimer(signal.ITIMER_REAL, 20 * seconds)  # for one that waits without working


def _tested(trial: Trial, loaded: Path | None) -> int:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    _calm_hypothesis()
    finder = _Finder(trial.target, trial.tree)
    sys.meta_path.insert(0, finder)
    code = int(pytest.main([*OPTIONS, *map(str, trial.target.tests)]))
    if loaded is not None:
        loaded.write_text(json.dumps(_libraries(trial.target.folder.parent)))
    return code if code or finder.used else NOT_IMPORTED


def _calm_hypothesis() -> None:
    """The same examples for every mutant, none kept for later, and no clock: the machine may be busy."""
    from hypothesis import settings

    settings.register_profile("mutants", database=None, derandomize=True, deadline=None)
    settings.load_profile("mutants")


def _libraries(root: Path) -> list[str]:
    """The modules loaded that are not ours, so that no mutant can be in them."""
    ours = [root / name for name in ("engine", "web", "tests")]
    return [
        name
        for name, module in sys.modules.items()
        if (file := getattr(module, "__file__", None)) and not any(Path(file).is_relative_to(folder) for folder in ours)
    ]


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the changed module under its name."""

    def __init__(self, target: Target, tree: ast.Module) -> None:
        self.target = target
        self.code = compile(ast.fix_missing_locations(tree), str(target.file), "exec")
        self.used = False

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name != self.target.module:
            return None
        return importlib.util.spec_from_file_location(name, self.target.file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        self.used = True
        exec(self.code, module.__dict__)
