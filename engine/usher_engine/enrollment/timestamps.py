"""Converts instants to text and back (ISO 8601, UTC, whole seconds), and computes days and years for the rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo


def iso(at: datetime) -> str:
    """``2026-11-23T13:40:00Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_or_none(at: datetime | None) -> str | None:
    return None if at is None else iso(at)


def parse_instant(text: object) -> datetime | None:
    """The instant in *text*, in UTC; None unless it is an ISO 8601 instant. Without an offset it counts as UTC."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: the last day of 9999, where it is tomorrow in UTC
        return None


def parse_day(text: object) -> date | None:
    """The day in *text*, a full ``YYYY-MM-DD``; None for anything else."""
    if not isinstance(text, str) or len(text) != 10:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def first_instant(text: object, zone: tzinfo | None = UTC) -> datetime | None:
    """The first instant of a FHIR dateTime, as in `last_instant`; None when it is none."""
    if not isinstance(text, str):
        return None
    if len(text) > 10:
        return parse_instant(text)
    day = parse_day(text + {4: "-01-01", 7: "-01"}.get(len(text), ""))
    return None if day is None else datetime.combine(day, time.min, zone)


def last_instant(text: object, zone: tzinfo | None = UTC) -> datetime | None:
    """
    The last instant of a FHIR dateTime, which may be a year, a month, a day or an instant; None for anything else.

    Days are those of *zone*.

    Source: FHIR R4, Period.end: a day as end includes all of that day.
    """
    if not isinstance(text, str):
        return None
    if len(text) > 10:
        return parse_instant(text)
    day = parse_day(text if len(text) == 10 else _last_day(text))
    return None if day is None else datetime.combine(day, time.max, zone)


def _last_day(text: str) -> str:
    if len(text) == 4:
        return f"{text}-12-31"
    for day in ("31", "30", "29", "28"):
        if parse_day(f"{text}-{day}") is not None:
            return f"{text}-{day}"
    return ""
