"""Puts the code of a mutant into the functions of a module that has been imported already.

It saves the imports and the collection of tests, which take longer than the tests. Where a mutant changes what happens
at import (constants, defaults, classes), or another function than those that exist by then, it has to be imported.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType


class MustBeImportedError(Exception):
    """The mutant shows only when its module is imported."""


def functions_of(file: Path) -> dict[CodeType, list[FunctionType]]:
    """All functions that were made from *file* so far, whatever holds them, by their code."""
    found: dict[CodeType, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename == str(file):
            found.setdefault(thing.__code__, []).append(thing)
    return found


@contextlib.contextmanager
def calls_in(file: Path) -> Iterator[set[str]]:
    """The functions of *file* called meanwhile, named as mutants name theirs: by the `def`s and classes around."""
    names: set[str] = set()
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event == "call" and code not in seen and code.co_filename == str(file):
            seen.add(code)
            names.add(".".join(part for part in code.co_qualname.split(".") if not part.startswith("<")))

    sys.setprofile(note)
    try:
        yield names
    finally:
        sys.setprofile(None)


def exchange(before: CodeType, tree: ast.Module, functions: dict[CodeType, list[FunctionType]]) -> None:
    """Make *functions*, which ran code of the module *before*, run that of *tree*; raises `MustBeImportedError`."""
    after = compile(ast.fix_missing_locations(tree), before.co_filename, "exec")
    exchanged = False
    for old, new in _changed(before, after):
        for function in functions.get(old, ()):
            try:
                function.__code__ = new
            except ValueError as error:  # it uses other names of the function around it
                raise MustBeImportedError from error
            exchanged = True
    if not exchanged:
        raise MustBeImportedError


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """The functions that differ, each with what takes its place, the outer ones first."""
    inner_old, inner_new = _inside(old), _inside(new)
    same_parts = len(inner_old) == len(inner_new)
    if old.co_flags & inspect.CO_OPTIMIZED:
        if old == new:
            return
        yield old, new
    elif not same_parts or _runs_otherwise(old, new):  # the body of the module or of a class
        raise MustBeImportedError
    if same_parts:
        for one, other in zip(inner_old, inner_new, strict=True):
            yield from _changed(one, other)


def _inside(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _runs_otherwise(old: CodeType, new: CodeType) -> bool:
    plain_old, plain_new = ([repr(c) for c in code.co_consts if not isinstance(c, CodeType)] for code in (old, new))
    return (old.co_code, old.co_names, plain_old) != (new.co_code, new.co_names, plain_new)
