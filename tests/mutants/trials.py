"""Runs the unit tests of one module on its mutants, each in a forked child.

Most children get the tests collected and the module imported, and exchange the code of one function. What survives
that, or cannot be exchanged, is tried again with the changed module in the place where the import system finds it, so
that everything that rests on it, its constants and classes too, is the mutant's.
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
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest

from .changes import Mutant, mutants
from .children import BROKEN, Verdict, bound, fork, side_by_side, silence, verdict, waited
from .exchange import MustBeImportedError, calls_in, exchange, functions_of

#: The exit code of a child whose tests never imported the module: they cannot say anything about it.
NOT_IMPORTED = 77
#: Of one that has to be tried by importing the mutant, and pytest's own for nothing collected.
NOT_EXCHANGED, NO_TESTS = 76, 5
#: The one database of a contract suite that costs nothing to make is enough.
OPTIONS = (
    "-x", "-q", "--no-header", "--assert=plain", "--timeout=0",
    "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:playwright", "-k", "not postgresql",
)  # fmt: skip
#: Processor time a child may take, in seconds and as a multiple of what the tests take normally.
SECONDS, TIMES = 5, 4


class TrialError(Exception):
    """The run has no verdict: its tests fail without any mutant, or do not touch the module."""


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
    scratch: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)


def prepared(target: Target) -> Trial:
    """The mutants of *target*, once its tests have passed without one; raises `TrialError`."""
    source = target.file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    trial = Trial(target=target, tree=tree, mutants=mutants(target.module, source, tree))
    loaded = Path(trial.scratch.name) / "loaded.json"
    for file in (loaded, None):  # the second time as every mutant will: with the libraries there
        code, trial.seconds = waited(fork(partial(_imported, trial, lambda: None, seconds=600, loaded=file)))
        if code:
            why = "never import it" if code == NOT_IMPORTED else f"end with {code} when nothing is changed"
            raise TrialError(f"The tests of {target.module} {why}.")
        for name in json.loads(loaded.read_text()):
            with contextlib.suppress(Exception):  # what cannot be had before is imported by each child
                importlib.import_module(name)
    return trial


def run(trial: Trial, *, jobs: int, sample: int | None = None, seed: int = 0) -> Iterator[tuple[Mutant, Verdict]]:
    """What became of each mutant, or of *sample* of them; *jobs* run side by side."""
    numbers = list(range(len(trial.mutants)))
    if sample is not None and sample < len(numbers):
        numbers = sorted(random.Random(seed).sample(numbers, sample))
    seconds = SECONDS + TIMES * trial.seconds
    quick = _exchanged(trial, numbers, jobs, seconds)
    again = {number for number, code in quick.items() if code in {0, NOT_EXCHANGED}}
    works = ((n, partial(_imported, trial, trial.mutants[n].apply, seconds=seconds)) for n in sorted(again))
    settled = (outcome for outcome in quick.items() if outcome[0] not in again)
    for number, code in chain(settled, side_by_side(works, jobs)):
        yield trial.mutants[number], _verdict(trial.target, code)
    if waited(fork(partial(_imported, trial, lambda: None, seconds=600)))[0]:
        raise TrialError(f"The tests of {trial.target.module} fail at the end. Was a file changed meanwhile?")


def _verdict(target: Target, code: int) -> Verdict:
    if code in {NOT_IMPORTED, NO_TESTS, BROKEN}:
        raise TrialError(f"The tests of {target.module} did not run against a mutant (exit code {code}).")
    return verdict(code)


# with the mutant's code in a function of the module


def _exchanged(trial: Trial, numbers: list[int], jobs: int, seconds: float) -> dict[int, int]:
    """The exit code for each mutant, tried by the children of one process that has collected the tests."""
    results = Path(trial.scratch.name) / "exchanged.json"
    loop = _Loop(trial, numbers, jobs, seconds, results)
    code, _ = waited(fork(partial(_tested, trial, [loop])))
    if code:
        raise TrialError(f"The tests of {trial.target.module} fail in a child though nothing is changed ({code}).")
    return {int(number): result for number, result in json.loads(results.read_text()).items()}


@dataclass
class _Loop:
    """In the place of pytest's own loop over the tests: one over the mutants, each in a child with the tests."""

    trial: Trial
    numbers: list[int]
    jobs: int
    seconds: float
    results: Path

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        functions = functions_of(self.trial.target.file)
        before = compile(self.trial.tree, str(self.trial.target.file), "exec")
        reached = self._reached(session)

        def work(mutant: Mutant) -> int:
            bound(self.seconds)
            mutant.apply()
            try:
                exchange(before, self.trial.tree, functions)
            except MustBeImportedError:
                return NOT_EXCHANGED
            tests = (item for item in session.items if mutant.key.function in reached[item.nodeid])
            return 1 if any(_fails(item) for item in tests) else 0

        works = ((number, partial(work, self.trial.mutants[number])) for number in self.numbers)
        self.results.write_text(json.dumps(dict(side_by_side(works, self.jobs))))
        return True

    def _reached(self, session: pytest.Session) -> dict[str, list[str]]:
        """By test, the functions of the module it runs, found by running all of them in a child."""
        notes = Path(self.trial.scratch.name) / "reached.json"

        def work() -> int:
            reached: dict[str, list[str]] = {}
            for item in session.items:
                with calls_in(self.trial.target.file) as names:
                    if _fails(item):
                        return 1
                reached[item.nodeid] = sorted(names)
            notes.write_text(json.dumps(reached))
            return 0

        if waited(fork(work))[0]:
            pytest.exit("The tests fail though nothing is changed.", returncode=1)
        found: dict[str, list[str]] = json.loads(notes.read_text())
        return found


def _fails(item: pytest.Item) -> bool:
    try:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    except BaseException:  # noqa: BLE001 - even what ends pytest: without the mutant no test does that
        return True
    return bool(item.session.testsfailed)


# with the mutant imported


def _imported(trial: Trial, change: Callable[[], None], *, seconds: float, loaded: Path | None = None) -> int:
    """Run the tests on the tree after *change*, in a process of its own; gives pytest's exit code."""
    bound(seconds)
    change()
    return _tested(trial, [], loaded)


def _tested(trial: Trial, plugins: list[object], loaded: Path | None = None) -> int:
    silence()
    os.environ["PYTEST_DEBUG_TEMPROOT"] = trial.scratch.name
    _calm_hypothesis()
    finder = _Finder(trial.target, trial.tree)
    sys.meta_path.insert(0, finder)
    code = int(pytest.main([*OPTIONS, *map(str, trial.target.tests)], plugins))
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
