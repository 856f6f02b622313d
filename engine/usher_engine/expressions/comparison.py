"""What equals what and what comes first, for conditions, scripts and decision tables alike (decisions/0022).

Kinds never mix: true is not 1, and 1 is not "1". Two texts that are dates with a time compare as the moments they
name, whatever their offsets; other texts compare letter by letter, which is right for dates without a time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

#: Numbers that are no truth values.
NUMERIC = frozenset({int, float})
_LONGEST_MOMENT = 40


def moment(text: str) -> datetime | None:
    """The moment a text like ``2026-05-03T09:00:00+02:00`` names, without an offset in UTC; None for any other text."""
    if len(text) > _LONGEST_MOMENT or "T" not in text or not text[0].isdigit():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def same(left: Any, right: Any) -> bool:
    """Whether *left* equals *right*, lists and records to the last element; both are JSON and not nested too deeply."""
    kind = type(left)
    if kind is not type(right):
        return kind in NUMERIC and type(right) in NUMERIC and bool(left == right)
    if kind is str:
        return bool(left == right) or same_moment(left, right)
    if kind is list:
        return len(left) == len(right) and all(map(same, left, right))
    if kind is dict:
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    return bool(left == right)


def same_moment(left: str, right: str) -> bool:
    """Whether two texts that differ name one moment."""
    found = moment(left)
    return found is not None and found == moment(right)


def ordered(texts: list[str]) -> list[Any]:
    """What *texts* are ordered by: the moments they name if every one names one, else themselves."""
    moments: list[Any] = []
    for text in texts:
        found = moment(text)
        if found is None:
            return list(texts)
        moments.append(found)
    return moments
