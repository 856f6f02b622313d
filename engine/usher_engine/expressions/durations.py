"""ISO 8601 durations of fixed length, for due dates and timers: P2D, PT1H30M, P1W. Due dates also take working days."""

from __future__ import annotations

import re
from datetime import timedelta

from usher_engine.core.errors import ExpressionError

_DURATION = re.compile(
    r"P(?:(?P<weeks>[0-9]{1,5})W)?(?:(?P<days>[0-9]{1,6})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,7})H)?(?:(?P<minutes>[0-9]{1,9})M)?(?:(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?"
)
_CALENDAR = re.compile(r"P[0-9.,]*[0-9][YM]")
_WORKING = re.compile(r"([0-9]{1,6}) working days?")
#: The most working days in which something is due: about a year.
MOST_WORKING_DAYS = 250


def parse_duration(text: str) -> timedelta:
    """
    Parse *text* as a length of time.

    Years and months are refused, because their length depends on the day they start.

    Raises:
        ExpressionError: *text* is not a duration; the message shows valid ones.
    """
    wanted = text.strip()
    if _CALENDAR.match(wanted):
        raise ExpressionError("Years and months have no fixed length; write days or weeks, like P30D or P4W.")
    found = _DURATION.fullmatch(wanted)
    given = {unit: float(number) for unit, number in found.groupdict().items() if number} if found else {}
    if not given:
        raise ExpressionError("A duration is written like P2D (days), PT1H (hours), PT30M (minutes) or P1W (weeks).")
    return timedelta(**given)


def parse_due(text: str) -> timedelta | int:
    """
    Parse when something is due: a duration, or a number of the practice's working days, like ``3 working days``.

    ISO 8601 has no working days, so they are written in words. Returns the length of time, or that number (1 to 250).

    Raises:
        ExpressionError: *text* is neither; the message shows valid ones.
    """
    found = _WORKING.fullmatch(text.strip())
    if found and 1 <= int(found[1]) <= MOST_WORKING_DAYS:
        return int(found[1])
    if "working" in text:
        raise ExpressionError(f"Working days are written like 3 working days: a number from 1 to {MOST_WORKING_DAYS}.")
    try:
        return parse_duration(text)
    except ExpressionError as error:
        if _CALENDAR.match(text.strip()):
            raise
        raise ExpressionError(f"{error.message.removesuffix('.')}, or like 3 working days.") from None
