"""Days as people type them, and the moments they begin and end in the practice's time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from ..site import site

NO_DAY = "This is not a date. Write it like 2026-05-04."
WRONG_WAY = "This is before the first day. Swap the two."

_FIRST, _LAST = date(1900, 1, 1), date(9000, 1, 1)


def day_of(text: str, name: str, errors: dict[str, str]) -> date | None:
    """The day in *text*; None if it is empty or not a day, which adds an error under *name*."""
    if not text.strip():
        return None
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        found = _LAST
    if not _FIRST <= found < _LAST:
        errors[name] = NO_DAY
        return None
    return found


def day_of_stored(text: str) -> str:
    """The day of a stored moment where the practice is, like ``2026-05-04``; other text is given back as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return site().settings.calendar.day_of(at).isoformat()


def begin_of(day: date) -> datetime:
    """The first moment of *day*."""
    return site().settings.calendar.begin_of(day)


def end_of(day: date) -> datetime:
    """The first moment after *day*."""
    return begin_of(day + timedelta(days=1))


def check_way(first: date | None, last: date | None, name: str, errors: dict[str, str]) -> None:
    """Add an error under *name*, the field of the last day, if it lies before the first day."""
    if first and last and last < first:
        errors[name] = WRONG_WAY
