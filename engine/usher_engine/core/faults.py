"""Bugs in Usher: each is logged with its traceback but without values, counted, and given a reference.

Only boundaries call `report`: code with a broad `except`, or code that shows the reference to a person.
"""

from __future__ import annotations

import logging
import secrets
import threading
import traceback
from collections.abc import Iterator, Mapping
from typing import Literal, get_args

log = logging.getLogger("usher.faults")

#: The boundaries that catch and count faults. "step" is an element of a diagram that could not be run.
Where = Literal["checkpoints", "checks", "migration", "operator", "step", "time limit", "web", "worker"]

_counted: dict[str, int] = dict.fromkeys(get_args(Where), 0)
_lock = threading.Lock()


def report(error: BaseException, *, where: Where, at: str = "") -> str:
    """
    Log and count *error*; return the reference that leads from a person's report to the log line.

    Args:
        error: The exception. Its text is withheld: it may contain what a patient or a person typed.
        where: The boundary that caught it; the metrics count by it.
        at: An element, case, operator or endpoint; never data.
    """
    reference = secrets.token_hex(4)
    with _lock:
        _counted[where] += 1
    place = f"{where}, {at}" if at else where
    log.error("fault %s (%s): %s\n%s", reference, place, type(error).__name__, trace(error))
    return reference


def counts() -> Mapping[str, int]:
    """How many faults this process has reported, by boundary."""
    with _lock:
        return dict(_counted)


def trace(error: BaseException) -> str:
    """The traceback of *error* and its causes: types, files and lines, no values."""
    return "".join(_traceback_lines(error)).rstrip("\n")


def _traceback_lines(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        chain.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    for one in reversed(chain):
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(one.__traceback__)
        yield f"{type(one).__qualname__} (text withheld)\n"
