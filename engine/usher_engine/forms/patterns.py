"""Patterns in forms are untrusted: only those are taken whose work stays small on the longest value (`values.py`).

Refused are repeats inside repeats, alternatives inside repeats, back-references and look-arounds: what makes a
regular expression's time grow without bound.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

MAX_PATTERN = 200
MAX_OPEN_REPEATS = 2  # `+`, `*`: the work grows with the value's length to this power
MAX_VARIABLE = 8  # `?`, `{1,3}` and alternatives: at most two to this power ways
MAX_REPEAT = 100
WIDE_REPEAT = 3  # {1,5} and wider count as open

# The standard library's own reading of a pattern; `sre_parse`, its public name until 3.10, is deprecated.
_sre: Any = importlib.import_module("re._parser")

_LEAVES = {"LITERAL", "NOT_LITERAL", "ANY", "IN", "CATEGORY", "RANGE", "AT"}


def pattern_problem(pattern: str) -> str:
    """Why *pattern* is not taken; empty when it is."""
    if len(pattern) > MAX_PATTERN:
        return f"The pattern is longer than {MAX_PATTERN} characters."
    if not pattern.startswith("^") or not pattern.endswith("$"):
        return "The pattern must begin with ^ and end with $, so that it stands for the whole value."
    try:
        re.compile(pattern, re.ASCII)
        parsed = _sre.parse(pattern, re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        return f"The pattern cannot be read: {error}."
    counts = {"open": 0, "variable": 0}
    problem = _walk(parsed, counts, repeated=False)
    if not problem and (counts["open"] > MAX_OPEN_REPEATS or counts["variable"] > MAX_VARIABLE):
        problem = "The pattern has too many repeats and alternatives; write fixed counts like {5}."
    return problem


def _walk(parsed: Any, counts: dict[str, int], *, repeated: bool) -> str:
    for operation, argument in parsed:
        name = str(operation)
        if name in _LEAVES:
            continue
        if name == "SUBPATTERN":
            problem = _walk(argument[3], counts, repeated=repeated)
        elif name == "BRANCH":
            problem = _branch(argument[1], counts, repeated=repeated)
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            problem = _repeat(argument, counts, repeated=repeated)
        else:
            problem = f"The pattern uses {name.lower().replace('_', ' ')}, which is not taken here."
        if problem:
            return problem
    return ""


def _branch(branches: Any, counts: dict[str, int], *, repeated: bool) -> str:
    if repeated:
        return "The pattern repeats alternatives; that can take for ever."
    counts["variable"] += len(branches) - 1
    return next((problem for branch in branches if (problem := _walk(branch, counts, repeated=False))), "")


def _repeat(argument: Any, counts: dict[str, int], *, repeated: bool) -> str:
    least, most, inner = argument
    unbounded = str(most) == "MAXREPEAT"
    if not unbounded and most > MAX_REPEAT:
        return f"The pattern repeats something more than {MAX_REPEAT} times; set the maximum length instead."
    if least != most:
        counts["open" if unbounded or most - least > WIDE_REPEAT else "variable"] += 1
    if repeated and least != most:
        return "The pattern has a repeat inside a repeat; that can take for ever."
    return _walk(inner, counts, repeated=repeated or unbounded or most > 1)
