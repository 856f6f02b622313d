"""Which days the practice works: days of the week, less its holidays. Knows no zone; `practice_calendar` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

#: Monday to Friday, as `date.weekday` counts.
MONDAY_TO_FRIDAY = frozenset(range(5))
WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingDays:
    """*weekdays* are numbers from 0, Monday, to 6, at least one; *holidays* the names of days that are off."""

    weekdays: frozenset[int] = MONDAY_TO_FRIDAY
    holidays: Mapping[date, str] = field(default_factory=lambda: MappingProxyType({}))

    def is_working(self, day: date) -> bool:
        return day.weekday() in self.weekdays and day not in self.holidays

    def why_off(self, day: date) -> str:
        """Why nobody works on *day*: the name of the holiday, or the day of the week; empty on a working day."""
        return self.holidays.get(day, "") or ("" if day.weekday() in self.weekdays else f"a {WEEK[day.weekday()]}")


#: Where no administrator has set anything.
USUAL = WorkingDays()


def us_federal_holidays(year: int) -> dict[date, str]:
    """
    The holidays of the federal government of the United States in *year* (1 to 9998), and the days they are observed.

    A holiday on a Saturday is observed on the Friday before, one on a Sunday on the Monday after; both days are given.
    1 January of the next year can be observed in *year*. Juneteenth is one since 2021, Martin Luther King's since 1986.

    Source: 5 U.S.C. 6103; Executive Order 11582, section 3.
    """
    found: dict[date, str] = {}
    for day, name in [*_federal(year), (date(year + 1, 1, 1), "New Year's Day")]:
        found[day] = name
        shift = {5: -1, 6: 1}.get(day.weekday(), 0)
        if shift:
            found.setdefault(day + timedelta(days=shift), f"{name}, observed")
    return {day: found[day] for day in sorted(found) if day.year == year}


def _federal(year: int) -> Iterator[tuple[date, str]]:
    yield date(year, 1, 1), "New Year's Day"
    if year >= 1986:
        yield _nth(year, 1, 0, 3), "Birthday of Martin Luther King, Jr."
    yield _nth(year, 2, 0, 3), "Washington's Birthday"
    yield _nth(year, 6, 0, 1) - timedelta(days=7), "Memorial Day"
    if year >= 2021:
        yield date(year, 6, 19), "Juneteenth National Independence Day"
    yield date(year, 7, 4), "Independence Day"
    yield _nth(year, 9, 0, 1), "Labor Day"
    yield _nth(year, 10, 0, 2), "Columbus Day"
    yield date(year, 11, 11), "Veterans Day"
    yield _nth(year, 11, 3, 4), "Thanksgiving Day"
    yield date(year, 12, 25), "Christmas Day"


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
