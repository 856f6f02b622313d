"""
Dates for people, and the step's time as text. Uses no clock and no locale, so `usher verify` can repeat it.

Days and hours are those of the step's calendar (`core.step_calendar`), which is the practice's.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from usher_engine.core.errors import ExpressionError
from usher_engine.core.practice_calendar import UTC_CALENDAR

from .budget import Run, kind_of

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LONGEST = 40


def today(run: Run) -> str:
    """The date of this step where the practice is, like ``2026-11-23``."""
    return run.calendar.day_of(run.now).isoformat()


def now(run: Run) -> str:
    """The time of this step in UTC, like ``2026-11-23T13:40:00Z``."""
    return run.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_text(run: Run, iso: Any) -> str:
    """Format ``2026-05-03`` as ``3 May 2026``; for a date with a time, the day where the practice is."""
    return _day(_local(run, iso, "date_text"))


def datetime_text(run: Run, iso: Any) -> str:
    """Format ``2026-05-03T09:12:00Z`` as ``3 May 2026, 11:12`` in Berlin; in UTC as ``3 May 2026, 09:12 UTC``."""
    moment = _local(run, iso, "datetime_text")
    named = " UTC" if run.calendar.zone == UTC_CALENDAR.zone else ""
    return f"{_day(moment)}, {moment:%H:%M}{named}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _local(run: Run, iso: Any, function: str) -> datetime:
    """*iso* as the practice's clock shows it; a date alone stays what it is, at midnight."""
    if type(iso) is not str:
        raise ExpressionError(f"{function} takes a text like 2026-05-03T09:12:00Z, not {kind_of(iso)}.")
    text = iso.strip() if len(iso) <= _LONGEST else ""
    try:
        moment = datetime.fromisoformat(text)
        if _is_day(text):
            return moment
        return run.calendar.local(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ExpressionError(f"{function} takes a date like 2026-05-03 or 2026-05-03T09:12:00Z.") from None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
