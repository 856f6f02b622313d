"""The practice's calendar as one step of a case uses it: what the step asks is recorded.

So a re-execution gets the same answers, whatever the setting and the time zone database say by then (decisions/0027).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, TypeVar

from .canonical import Json
from .errors import Corrupt
from .practice_calendar import UTC_CALENDAR, Calendar

T = TypeVar("T")


class StepCalendar(Calendar):
    """
    Answers from what was recorded, then from *source*, whose answers it records.

    Without a *source*, what the step did not ask when it was recorded is a `Corrupt` record.
    """

    def __init__(self, zone: str, source: Calendar | None, recorded: Mapping[str, Any] | None = None) -> None:
        super().__init__(zone)
        self._source = source
        self._offsets: dict[str, int | None] = dict((recorded or {}).get("offsets", {}))
        self._days: dict[str, str | None] = dict((recorded or {}).get("days", {}))

    def local(self, at: datetime) -> datetime:
        moment = at.astimezone(UTC)
        key = _text(moment)
        if key not in self._offsets:
            self._offsets[key] = _within_years(lambda source: _seconds(source.local(moment)), self._asked(key))
        seconds = self._offsets[key]
        if seconds is None:
            raise OverflowError(key)
        return moment.astimezone(timezone(timedelta(seconds=seconds)))

    def begin_of(self, day: date) -> datetime:
        key = day.isoformat()
        if key not in self._days:
            self._days[key] = _within_years(lambda source: _text(source.begin_of(day)), self._asked(key))
        begin = self._days[key]
        if begin is None:
            raise OverflowError(key)
        return datetime.fromisoformat(begin)

    def to_json(self) -> dict[str, Json]:
        """What a step records: the zone, offsets in seconds by instant, beginnings by day; null is out of range."""
        found: dict[str, Json] = {"name": self.zone}
        if self._offsets:
            found["offsets"] = dict(sorted(self._offsets.items()))
        if self._days:
            found["days"] = dict(sorted(self._days.items()))
        return found

    def _asked(self, key: str) -> Calendar:
        if self._source is None:
            raise Corrupt(f"The step did not record what {key} is in {self.zone}.")
        return self._source


def recording(calendar: Calendar) -> Calendar:
    """*calendar* for a step that is decided now; UTC answers the same for ever, so that nothing is recorded of it."""
    return calendar if calendar.zone == UTC_CALENDAR.zone else StepCalendar(calendar.zone, calendar)


def recorded_zone(calendar: Calendar) -> dict[str, Json] | None:
    """What a step writes under ``zone``; None where it used UTC."""
    return calendar.to_json() if isinstance(calendar, StepCalendar) else None


def replayed(zone: object, otherwise: Calendar | None = None) -> Calendar:
    """
    The calendar of a step that recorded *zone*; *otherwise* answers what the step did not ask.

    Raises:
        Corrupt: *zone* is not what a step writes.
    """
    if zone is None:
        return UTC_CALENDAR
    if not isinstance(zone, dict) or not _is_written(zone):
        raise Corrupt("The time zone of the step is not what Usher writes.")
    return StepCalendar(zone["name"], otherwise, zone)


def _is_written(zone: dict[str, Any]) -> bool:
    offsets, days = zone.get("offsets", {}), zone.get("days", {})
    if type(zone.get("name")) is not str or type(offsets) is not dict or type(days) is not dict:
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
