"""Equality and order, shared by conditions, scripts and decision tables (decisions/0022).

Types never mix: true is not 1, and 1 is not "1". Two date-and-time texts compare as the moments they name, whatever
their offsets. Other texts compare letter by letter, which is correct for dates without a time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

#: Numeric types, without bool.
NUMERIC = frozenset({int, float})
_LONGEST_MOMENT = 40


def moment(text: str) -> datetime | None:
    """Parse a text like ``2026-05-03T09:00:00+02:00``, in UTC if it has no offset; None for any other text."""
    if len(text) > _LONGEST_MOMENT or "T" not in text or not text[0].isdigit():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def same(left: Any, right: Any) -> bool:
    """Whether *left* deeply equals *right*; both must be JSON and not nested too deeply."""
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
    """Whether two different texts name the same moment."""
    found = moment(left)
    return found is not None and found == moment(right)


def order_keys(texts: list[str]) -> list[Any]:
    """Return the sort keys of *texts*: their moments if every text names one, otherwise the texts themselves."""
    moments: list[Any] = []
    for text in texts:
        found = moment(text)
        if found is None:
            return list(texts)
        moments.append(found)
    return moments
