"""The practice's calendar as one step of a case uses it: what the step asks is recorded.

So a re-execution gets the same answers, whatever the settings, the holidays and the time zone database say by then
(decisions/0027, 0046).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, TypeVar

from .canonical import Json
from .errors import Corrupt
from .practice_calendar import UTC_CALENDAR, Calendar
from .working_days import WorkingDays

T = TypeVar("T")


class StepCalendar(Calendar):
    """
    Answers from what was recorded, then from *source*, whose answers it records.

    Without a *source*, what the step did not ask when it was recorded is a `Corrupt` record. UTC answers the same for
    ever, so that nothing is recorded of it but the days on which the practice works.
    """

    def __init__(self, zone: str, source: Calendar | None, recorded: Mapping[str, Any] | None = None) -> None:
        super().__init__(zone)
        self._source = source
        self._offsets: dict[str, int | None] = dict((recorded or {}).get("offsets", {}))
        self._days: dict[str, str | None] = dict((recorded or {}).get("days", {}))
        self._working: dict[str, bool] = dict((recorded or {}).get("working", {}))
        self._read_working: Callable[[], WorkingDays] | None = None

    def count_by(self, read: Callable[[], WorkingDays]) -> None:
        """Working days that are not recorded are those that *read* gives; it is called when first asked."""
        self._read_working = read

    def local(self, at: datetime) -> datetime:
        moment = at.astimezone(UTC)
        if self.zone == UTC_CALENDAR.zone:
            return moment
        key = _text(moment)
        if key not in self._offsets:
            self._offsets[key] = _within_years(lambda source: _seconds(source.local(moment)), self._asked(key))
        seconds = self._offsets[key]
        if seconds is None:
            raise OverflowError(key)
        return moment.astimezone(timezone(timedelta(seconds=seconds)))

    def begin_of(self, day: date) -> datetime:
        if self.zone == UTC_CALENDAR.zone:
            return UTC_CALENDAR.begin_of(day)
        key = day.isoformat()
        if key not in self._days:
            self._days[key] = _within_years(lambda source: _text(source.begin_of(day)), self._asked(key))
        begin = self._days[key]
        if begin is None:
            raise OverflowError(key)
        return datetime.fromisoformat(begin)

    def is_working(self, day: date) -> bool:
        key = day.isoformat()
        if key not in self._working:
            if self._read_working is not None:
                found = self._read_working()
                self._read_working = lambda: found
                self._working[key] = found.is_working(day)
            else:
                self._working[key] = self._asked(key).is_working(day)
        return self._working[key]

    def to_json(self) -> dict[str, Json]:
        """
        What a step records: the zone, offsets in seconds by instant, beginnings by day, whether days are worked.

        An offset or a beginning is null where it is out of range.
        """
        found: dict[str, Json] = {"name": self.zone}
        if self._offsets:
            found["offsets"] = dict(sorted(self._offsets.items()))
        if self._days:
            found["days"] = dict(sorted(self._days.items()))
        if self._working:
            found["working"] = dict(sorted(self._working.items()))
        return found

    def _asked(self, key: str) -> Calendar:
        if self._source is None:
            raise Corrupt(f"The step did not record what it asked of {key} in {self.zone}.")
        return self._source


def recording(calendar: Calendar) -> StepCalendar:
    """*calendar* for a step that is decided now."""
    return StepCalendar(calendar.zone, calendar)


def recorded_zone(calendar: StepCalendar) -> dict[str, Json] | None:
    """What a step writes under ``zone``; None where it used UTC and counted no working days."""
    found = calendar.to_json()
    return None if found == {"name": UTC_CALENDAR.zone} else found


def replayed(zone: object, otherwise: Calendar | None = None) -> Calendar:
    """
    The calendar of a step that recorded *zone*; *otherwise* answers what the step did not ask.

    Raises:
        Corrupt: *zone* is not what a step writes.
    """
    if zone is None:
        return StepCalendar(UTC_CALENDAR.zone, otherwise)
    if not isinstance(zone, dict) or not _is_written(zone):
        raise Corrupt("The time zone of the step is not what Usher writes.")
    return StepCalendar(zone["name"], otherwise, zone)


def _is_written(zone: dict[str, Any]) -> bool:
    offsets, days, working = zone.get("offsets", {}), zone.get("days", {}), zone.get("working", {})
    if type(zone.get("name")) is not str or any(type(one) is not dict for one in (offsets, days, working)):
        return False
    if any(type(answer) is not bool for answer in working.values()):
        return False
    fits = all(s is None or (type(s) is int and abs(s) < 86_400) for s in offsets.values())
    return fits and all(begin is None or _is_instant(begin) for begin in days.values())


def _is_instant(text: object) -> bool:
    try:
        return isinstance(text, str) and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _within_years(ask: Callable[[Calendar], T], source: Calendar) -> T | None:
    """What *source* answers; None where that lies beyond the years 1 to 9999."""
    try:
        return ask(source)
    except OverflowError:
        return None


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _seconds(local: datetime) -> int:
    return round((local.utcoffset() or timedelta()).total_seconds())
