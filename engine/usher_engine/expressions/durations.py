"""ISO 8601 durations of fixed length, as due dates and timers use them: P2D, PT1H30M, P1W."""

from __future__ import annotations

import re
from datetime import timedelta

from usher_engine.core.errors import ExpressionError

_DURATION = re.compile(
    r"P(?:(?P<weeks>[0-9]{1,5})W)?(?:(?P<days>[0-9]{1,6})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,7})H)?(?:(?P<minutes>[0-9]{1,9})M)?(?:(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?"
)
_CALENDAR = re.compile(r"P[0-9.,]*[0-9][YM]")


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
