"""Calculates when a timer is due, from ISO 8601 text in the diagram or the value of an expression.

The step's recorded time is the only clock, so re-execution gets the same moment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from ..core.errors import ExpressionError
from ..core.practice_calendar import UTC_CALENDAR, Calendar
from ..expressions import parse_duration
from .step_context import RULES

_LITERAL = re.compile(r"P[0-9T][0-9TWDHMSY.,]*|R(?:-1|[0-9]*)/.*|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T.*)?")
_ENDLESS = "R-1/"  # R/ as other products write it
_CYCLE = re.compile(r"R(?:-1|(?P<times>[0-9]{0,4}))/(?P<every>P.+)")
_READS_ENDLESS = 2  # the first version of the rules that reads R-1/… as a cycle and not as an expression
#: Shortest time between repeated waits: a loop of waits that end at once would never rest.
SHORTEST = timedelta(minutes=1)
FORMS = ("timeDate", "timeDuration", "timeCycle")


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A moment in UTC; a cycle repeats *left* more times, each *every* (ISO 8601) later; None means endlessly."""

    at: datetime
    every: str = ""
    left: int | None = None

    @property
    def iso(self) -> str:
        return self.at.isoformat().replace("+00:00", "Z")


def literal(text: str, rules: int = RULES) -> str | None:
    """Return *text* if it is ISO 8601 without quotes, or None if it is an expression."""
    plain = text.strip()
    if rules < _READS_ENDLESS and plain.startswith(_ENDLESS):
        return None
    return plain if _LITERAL.fullmatch(plain) else None


def due(form: str, text: object, now: datetime, calendar: Calendar = UTC_CALENDAR) -> Due:
    """
    Return when a timer that starts *now* is due.

    Args:
        form: ``timeDate``, ``timeDuration`` or ``timeCycle``.
        text: ISO 8601: a day, a moment (UTC if it names no zone), a duration, or a repeated one like R3/PT1H.
        now: The time of the step.
        calendar: Says when a day begins.

    Raises:
        ExpressionError: With an example of the form.
    """
    if not isinstance(text, str):
        raise ExpressionError("A timer is set by text: a date, a duration like P2D, or a cycle like R3/PT1H.")
    try:
        if form == "timeDate":
            return Due(at=_moment(text.strip(), calendar))
        if form == "timeDuration":
            return Due(at=now + parse_duration(text))
        return _cycle(text, now)
    except OverflowError:
        raise ExpressionError("This time lies too far in the future.") from None


def not_before(due: Due, earliest: datetime) -> Due:
    """Return *due*, or *earliest* if *due* is before it."""
    return due if due.at >= earliest else replace(due, at=earliest)


def following(at: str, every: str, left: int | None, missed_until: datetime | None = None) -> Due | None:
    """
    Return the time of a cycle after *at*, or None if none is left.

    Skip times up to *missed_until*, but still count them among the *left* ones.
    """
    if not every or left == 0:
        return None
    began, length = datetime.fromisoformat(at), parse_duration(every)
    times = 1 if missed_until is None else max(1, (missed_until - began) // length + 1)
    if left is not None and times > left:
        return None
    try:
        return Due(at=began + times * length, every=every, left=None if left is None else left - times)
    except OverflowError:
        return None


def _moment(text: str, calendar: Calendar) -> datetime:
    try:
        return calendar.begin_of(date.fromisoformat(text))
    except ValueError:
        pass  # not a day alone
    except OverflowError:
        raise ExpressionError("A date lies in the years 1 to 9999, counted in UTC.") from None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        raise ExpressionError("A date is written like 2026-05-03 or 2026-05-03T09:00:00Z.") from None
    except OverflowError:
        raise ExpressionError("A date lies in the years 1 to 9999, counted in UTC.") from None


def _cycle(text: str, now: datetime) -> Due:
    found = _CYCLE.fullmatch(text.strip())
    if found is None:
        raise ExpressionError("A cycle is written like R3/PT1H (three times, an hour apart) or R/P1D (without end).")
    every = parse_duration(found["every"])
    if every < SHORTEST:
        raise ExpressionError("A cycle comes once a minute at most.")
    left = int(found["times"]) - 1 if found["times"] else None
    if left is not None and left < 0:
        raise ExpressionError("A cycle comes at least once: R1/PT1H.")
    return Due(at=now + every, every=found["every"], left=left)
