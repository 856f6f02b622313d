"""Dates for people, and the step's time as text. Uses no clock and no locale, so `usher verify` can repeat it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from usher_engine.core.errors import ExpressionError

from .budget import Run, kind_of

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LONGEST = 40


def today(run: Run) -> str:
    """The date of this step in UTC, like ``2026-11-23``."""
    return run.now.astimezone(UTC).date().isoformat()


def now(run: Run) -> str:
    """The time of this step in UTC, like ``2026-11-23T13:40:00Z``."""
    return run.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_text(_run: Run, iso: Any) -> str:
    """Format ``2026-05-03`` as ``3 May 2026``; for a date with a time, the day in UTC."""
    return _day(_moment(iso, "date_text"))


def datetime_text(_run: Run, iso: Any) -> str:
    """Format ``2026-05-03T09:12:00Z`` as ``3 May 2026, 09:12 UTC``."""
    moment = _moment(iso, "datetime_text")
    return f"{_day(moment)}, {moment:%H:%M} UTC"


def _day(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _moment(iso: Any, function: str) -> datetime:
    if type(iso) is not str:
        raise ExpressionError(f"{function} takes a text like 2026-05-03T09:12:00Z, not {kind_of(iso)}.")
    try:
        moment = datetime.fromisoformat(iso.strip() if len(iso) <= _LONGEST else "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ExpressionError(f"{function} takes a date like 2026-05-03 or 2026-05-03T09:12:00Z.") from None
