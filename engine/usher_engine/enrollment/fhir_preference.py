"""Chooses among the names, addresses and contacts of a FHIR R4 Patient by use, rank and period. Pure.

An entry whose use is old, or whose period has not begun or has ended, is not in use. Among contacts the lowest rank
wins (FHIR R4, ContactPoint.rank: a lower value is preferred); entries of one rank, and names and addresses, which have
none, are ordered by their use. Between equals the first in the record wins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from .timestamps import first_instant, last_instant

Entry = dict[str, Any]

#: Stands in an order of uses for an entry that names no use.
NO_USE = ""

#: Temporary, informal and former names count only if there is no other name.
NAME_USES = ("official", "usual", NO_USE, "temp", "nickname", "maiden")
ADDRESS_USES = ("home", NO_USE, "work", "billing", "temp")
#: An invitation is private: it goes to an employer's address only if there is no other.
EMAIL_USES = ("home", "mobile", NO_USE, "work", "temp")
MOBILE_USES = ("mobile", "home", NO_USE, "work", "temp")

#: Uses of a name that staff correct by adding a name, because the entry says something else about the person.
SUBSTITUTE_NAMES = frozenset({"temp", "nickname", "maiden"})

#: Uses of entries that never count.
_NEVER = ("old", "anonymous")


def is_in_use(entry: Entry, now: datetime) -> bool:
    """
    Whether an entry may count at all and *now* lies in its period; a bound that cannot be read is none.

    A bound without a time is a day of the clock that *now* is read from, which is the practice's.
    """
    period = entry.get("period")
    bounds = period if isinstance(period, dict) else {}
    start, end = first_instant(bounds.get("start"), now.tzinfo), last_instant(bounds.get("end"), now.tzinfo)
    return entry.get("use") not in _NEVER and (start is None or start <= now) and (end is None or now < end)


def preferred(
    entries: Sequence[Entry], uses: Sequence[str], now: datetime, *, has_value: Callable[[Entry], bool]
) -> Entry | None:
    """
    The entry to use; None if no entry is in use.

    Args:
        entries: The entries of one kind, in the order of the record.
        uses: The uses of this kind of entry, best first; an entry of another use counts as one that names none.
        now: The moment that must lie in the period.
        has_value: Whether an entry has the wanted value; one without it counts only if no entry has it.
    """
    usable = [entry for entry in entries if is_in_use(entry, now)]
    return min(usable, key=lambda entry: (not has_value(entry), _rank(entry), _place(entry, uses)), default=None)


def _place(entry: Entry, uses: Sequence[str]) -> int:
    use = entry.get("use")
    return uses.index(use if isinstance(use, str) and use in uses else NO_USE)


def _rank(entry: Entry) -> float:
    """The rank of a contact; after all ranks where it has none, or none the standard allows (1 and more)."""
    rank = entry.get("rank")
    return rank if isinstance(rank, int) and not isinstance(rank, bool) and rank > 0 else float("inf")
