"""The marks of the timeline: evenly spaced, long waits written between them, days where they fit. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from usher_engine.core import Calendar

LONG = timedelta(days=1)
#: The share of the line that a label needs.
ROOM = 0.13
#: With more steps than this the marks would touch; only what differs from its neighbour keeps one.
CROWDED = 48


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """One step: its shape, the day if it is labelled, and the wait until the next step if it was long."""

    kind: str
    day: str
    wait: str
    waited: bool
    shown: bool


def timeline(moments: Sequence[tuple[datetime, str]], calendar: Calendar, *, sampled: bool = False) -> list[Mark]:
    """
    *moments* are (when, kind of mark), oldest first; days and waits are written where they do not overlap.

    If they are *sampled*, the time between two of them is not a wait.
    """
    days = [calendar.day_of(at) for at, _ in moments]
    nothing = [timedelta(0)]
    waits = nothing * len(moments) if sampled else [b - a for (a, _), (b, _) in pairwise(moments)] + nothing
    apart = max(1, math.ceil(ROOM * (len(moments) - 1)))
    written, shown = _written_days(days, apart), _shown_waits(waits, apart)
    return [
        Mark(
            kind=kind,
            day=_short(days[n]) if n in written else "",
            wait=wait_words(waits[n]) if n in shown else "",
            waited=waits[n] >= LONG,
            shown=_keeps_its_mark(moments, n),
        )
        for n, (_, kind) in enumerate(moments)
    ]


def _written_days(days: Sequence[date], apart: int) -> set[int]:
    """The first step of each day, as long as labels stay apart; the first and the last day always."""
    written = [0]
    for n, day in enumerate(days):
        if day != days[written[-1]] and n - written[-1] >= apart:
            written.append(n)
    last = next((n for n, day in enumerate(days) if day == days[-1]), 0)
    while len(written) > 1 and 0 < last - written[-1] < apart:
        written.pop()
    if last - written[-1] >= apart:
        written.append(last)
    return set(written)


def _shown_waits(waits: Sequence[timedelta], apart: int) -> set[int]:
    """The longest waits first, as long as their labels stay apart."""
    shown: set[int] = set()
    for n in sorted(range(len(waits)), key=lambda n: (-waits[n], n)):
        if waits[n] < LONG:
            break
        if all(abs(n - other) >= (apart + 1) / 2 for other in shown):
            shown.add(n)
    return shown


def _keeps_its_mark(moments: Sequence[tuple[datetime, str]], n: int) -> bool:
    if len(moments) <= CROWDED or n in (0, len(moments) - 1) or moments[n][1] == "incident":
        return True
    return n % math.ceil(len(moments) / CROWDED) == 0


def _short(day: date) -> str:
    return f"{day.day} {day:%b}"


def wait_words(wait: timedelta) -> str:
    """ "30 d", "4 mo", "3 y": short enough to stand between two marks."""
    if wait.days < 60:
        return f"{wait.days} d"
    return f"{round(wait.days / 30.44)} mo" if wait.days < 730 else f"{wait.days // 365} y"
