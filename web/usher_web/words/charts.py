"""The geometry of bar charts: numbers for SVG, nothing else. Pure; a table next to each chart has the same figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 640
BAR, GAP = 22, 10
#: The left edge of the bars; names stand left of it.
LEFT = 150
#: Room for the number after the longest bar.
RIGHT = 110

#: Classes of a heat map.
CLASSES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar with its name and the words after it; *y* is its upper edge, *text* the line words stand on."""

    name: str
    words: str
    y: int
    text: int
    width: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """A chart of horizontal bars that all begin at *left*."""

    width: int
    height: int
    left: int
    bar: int
    bars: tuple[Bar, ...]


def bars(rows: Sequence[tuple[str, int, str]]) -> Bars:
    """*rows* are (name, number, words), from the top; the largest number is as long as there is room."""
    most = max((number for _, number, _ in rows), default=0) or 1
    room = WIDTH - LEFT - RIGHT
    return Bars(
        width=WIDTH,
        height=len(rows) * (BAR + GAP),
        left=LEFT,
        bar=BAR,
        bars=tuple(
            Bar(
                name=name,
                words=words,
                y=place * (BAR + GAP) + GAP // 2,
                text=place * (BAR + GAP) + GAP // 2 + 16,
                width=max(round(room * number / most), 1 if number else 0),
            )
            for place, (name, number, words) in enumerate(rows)
        ),
    )


def heat(value: float, most: float) -> int:
    """The class of *value* from 1 to `CLASSES` on a logarithmic scale up to *most*; 0 for nothing."""
    if value <= 0 or most <= 0:
        return 0
    return max(1, math.ceil(CLASSES * math.log1p(value) / math.log1p(most)))
