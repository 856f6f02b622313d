"""The days a practice works, and the holidays of the US federal government by rule."""

from __future__ import annotations

from datetime import date

import pytest
from usher_engine.core.errors import ExpressionError
from usher_engine.core.practice_calendar import PracticeCalendar
from usher_engine.core.working_days import WorkingDays, us_federal_holidays
from usher_engine.expressions import parse_due, parse_duration


@pytest.mark.parametrize(
    ("year", "days"),
    [
        # As published for these years by the Office of Personnel Management.
        (2026, "01-01 01-19 02-16 05-25 06-19 07-03* 07-04 09-07 10-12 11-11 11-26 12-25"),
        (2027, "01-01 01-18 02-15 05-31 06-18* 06-19 07-04 07-05* 09-06 10-11 11-11 11-25 12-24* 12-25 12-31*"),
        (2022, "01-01 01-17 02-21 05-30 06-19 06-20* 07-04 09-05 10-10 11-11 11-24 12-25 12-26*"),
        (2023, "01-01 01-02* 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-10* 11-11 11-23 12-25"),
        (2020, "01-01 01-20 02-17 05-25 07-03* 07-04 09-07 10-12 11-11 11-26 12-25"),
    ],
)
def test_us_federal_holidays_with_the_days_they_are_observed(year: int, days: str) -> None:
    found = us_federal_holidays(year)
    assert " ".join(f"{day:%m-%d}{'*' if name.endswith('observed') else ''}" for day, name in found.items()) == days


def test_working_days_are_counted_after_the_day() -> None:
    holidays = {date(2026, 12, 25): "Christmas Day", date(2026, 12, 26): "Closed"}
    there = PracticeCalendar("UTC", WorkingDays(holidays=holidays))
    assert [there.working_day_after(date(2026, 12, 24), count) for count in (1, 2, 5)] == [
        date(2026, 12, 28), date(2026, 12, 29), date(2027, 1, 1),
    ]  # fmt: skip
    saturdays = PracticeCalendar("UTC", WorkingDays(weekdays=frozenset({5}), holidays=holidays))
    assert saturdays.working_day_after(date(2026, 12, 19), 2) == date(2027, 1, 9)


def test_why_a_day_is_off() -> None:
    working = WorkingDays(holidays={date(2026, 12, 25): "Christmas Day"})
    assert [working.why_off(date(2026, 12, day)) for day in (24, 25, 26)] == ["", "Christmas Day", "a Saturday"]


def test_a_due_date_is_a_duration_or_a_number_of_working_days() -> None:
    assert [parse_due(text) for text in ("3 working days", "1 working day", " 250 working days ")] == [3, 1, 250]
    assert parse_due("P2D") == parse_duration("P2D")


@pytest.mark.parametrize("text", ["0 working days", "251 working days", "-1 working days", "three working days"])
def test_a_number_that_cannot_be_counted_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="from 1 to 250"):
        parse_due(text)


def test_what_is_neither_is_refused_with_both() -> None:
    with pytest.raises(ExpressionError, match=r"P2D \(days\).* 3 working days"):
        parse_due("2 days")
    with pytest.raises(ExpressionError, match="no fixed length"):
        parse_due("P1M")
    with pytest.raises(ExpressionError, match="A duration is written like"):
        parse_duration("3 working days")
