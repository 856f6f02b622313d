"""The practice's calendar: which day an instant belongs to, and when a day begins and ends, in the practice's zone.

The one place that turns instants into days and days into instants. A day has 23 or 25 hours where clocks change, and a
zone that moves across the date line leaves one out. What a step of a case asks is recorded: `step_calendar`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from .working_days import USUAL, WorkingDays

_TICK = timedelta(microseconds=1)


class Calendar(ABC):
    """Days and wall clocks of one zone; *zone* is its IANA name. Instants are aware, those given back are in UTC."""

    def __init__(self, zone: str) -> None:
        self.zone = zone

    @abstractmethod
    def local(self, at: datetime) -> datetime:
        """*at* as the wall clock shows it."""

    @abstractmethod
    def begin_of(self, day: date) -> datetime:
        """The first instant of *day*."""

    @abstractmethod
    def is_working(self, day: date) -> bool:
        """Whether the practice works on *day*."""

    def day_of(self, at: datetime) -> date:
        """The day *at* belongs to; of the step's or the request's own time, that is today."""
        return self.local(at).date()

    def end_of(self, day: date) -> datetime:
        """The last instant of *day*, a microsecond before the next one begins."""
        return self.begin_of(day + timedelta(days=1)) - _TICK

    def working_day_after(self, day: date, count: int = 1) -> date:
        """The working day that comes *count* working days after *day*, which need not be one itself."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_working(day)
        return day


class PracticeCalendar(Calendar):
    """The calendar of the time zone database, with the *working* days of the practice."""

    def __init__(self, zone: str, working: WorkingDays = USUAL) -> None:
        super().__init__(zone)
        self.tz, self.working = ZoneInfo(zone), working

    def is_working(self, day: date) -> bool:
        return self.working.is_working(day)

    def local(self, at: datetime) -> datetime:
        return at.astimezone(self.tz)

    def begin_of(self, day: date) -> datetime:
        """
        The first instant of *day*; of a day the zone left out, the first instant after it.

        Where clocks go back over midnight and the day before shows its last minutes again, the second midnight counts.
        """
        midnight = datetime.combine(day, time(), self.tz)
        first, second = midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC)
        if second < first:  # no clock shows this midnight: PEP 495 has the fold the other way round in a gap
            return self._change(second, first)
        return first if first == second or self.day_of(second - _TICK) == day else second

    def _change(self, before: datetime, after: datetime) -> datetime:
        """The instant between *before* and *after* at which the clocks change."""
        old = self.local(before).utcoffset()
        while after - before > timedelta(seconds=1):
            middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
            if self.local(middle).utcoffset() == old:
                before = middle
            else:
                after = middle
        return after


@lru_cache(maxsize=64)
def practice_calendar(zone: str) -> PracticeCalendar:
    """
    The calendar of the zone with this IANA name, which works from Monday to Friday.

    Raises `ValueError` or `KeyError` where there is no such zone.
    """
    return PracticeCalendar(zone)


#: The calendar where no zone is set, and of every step decided before steps recorded theirs.
UTC_CALENDAR = practice_calendar("UTC")


def full_years(born: date, on: date) -> int:
    """Age in completed years; a person born on 29 February has the birthday on 1 March in other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def years_before(day: date, years: int) -> date:
    """The same day *years* earlier; of 29 February the 28th in other years."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
