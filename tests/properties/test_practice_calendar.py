"""Days and instants of the practice, in zones with changing clocks, odd offsets and days that never were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.core.errors import Corrupt
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar, full_years, practice_calendar, years_before
from usher_engine.core.step_calendar import StepCalendar, recorded_zone, recording, replayed

ZONES = (
    "UTC", "America/New_York", "America/St_Johns", "America/Havana", "America/Sao_Paulo", "America/Nuuk",
    "Africa/Casablanca", "Africa/Cairo", "Asia/Kathmandu", "Asia/Beirut", "Asia/Gaza", "Australia/Lord_Howe",
    "Europe/Berlin", "Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Kwajalein",
)  # fmt: skip
TICK = timedelta(microseconds=1)

zones = st.sampled_from(ZONES)
days = st.dates(min_value=date(1970, 1, 2), max_value=date(2060, 12, 30))
instants = st.integers(2 * 86_400, 90 * 365 * 86_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def exists(day: date, zone: str) -> bool:
    """Whether any hour of *day* was shown by the clocks of *zone*."""
    hours = (datetime.combine(day, time(hour), ZoneInfo(zone)) for hour in range(24))
    return any(hour.astimezone(UTC).astimezone(ZoneInfo(zone)).date() == day for hour in hours)


@given(zone=zones, day=days)
def test_a_day_begins_where_the_one_before_ends(zone: str, day: date) -> None:
    calendar = practice_calendar(zone)
    begin, end = calendar.begin_of(day), calendar.end_of(day)
    assert begin.tzinfo is UTC
    assert end + TICK == calendar.begin_of(day + timedelta(days=1))
    if exists(day, zone):
        assert (calendar.day_of(begin), calendar.day_of(end)) == (day, day)
        assert timedelta(hours=22) < end - begin < timedelta(hours=26)
    else:
        assert end + TICK == begin
    assert calendar.day_of(begin - TICK) < day


@given(zone=zones, at=instants)
def test_every_instant_lies_in_its_day(zone: str, at: datetime) -> None:
    calendar = practice_calendar(zone)
    day = calendar.day_of(at)
    assert day == at.astimezone(ZoneInfo(zone)).date()
    # St. John's moved its clocks a minute after midnight until 2011: that minute belongs to the day it interrupts.
    early = timedelta(minutes=1) if zone == "America/St_Johns" else timedelta(0)
    assert calendar.begin_of(day) <= at + early
    assert at <= calendar.end_of(day)


@pytest.mark.parametrize(
    ("zone", "day", "begins", "hours"),
    [
        ("America/New_York", date(2026, 11, 1), "2026-11-01T04:00:00+00:00", 25),
        ("America/New_York", date(2026, 3, 8), "2026-03-08T05:00:00+00:00", 23),
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00+00:00", 23),  # there was no midnight
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00:00+00:00", 25),  # midnight came twice, both that day's
        ("America/St_Johns", date(2010, 11, 7), "2010-11-07T03:30:00+00:00", 24),  # it came twice, 23:01 between them
        ("Asia/Kathmandu", date(2026, 5, 4), "2026-05-03T18:15:00+00:00", 24),
        ("Africa/Casablanca", date(2026, 2, 15), "2026-02-14T23:00:00+00:00", 25),
        ("Pacific/Kiritimati", date(2026, 5, 4), "2026-05-03T10:00:00+00:00", 24),
        ("Pacific/Apia", date(2011, 12, 30), "2011-12-30T10:00:00+00:00", 0),  # left out, to the west of the date line
        ("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30:00+00:00", 23.5),  # 23:30 became 00:30
    ],
)
def test_days_that_are_not_like_others(zone: str, day: date, begins: str, hours: float) -> None:
    calendar = practice_calendar(zone)
    assert calendar.begin_of(day).isoformat() == begins
    assert calendar.end_of(day) + TICK - calendar.begin_of(day) == timedelta(hours=hours)


@given(born=days, on=days)
def test_age_grows_by_one_a_year(born: date, on: date) -> None:
    age = full_years(born, on)
    birthday = date(on.year, born.month, born.day) if (born.month, born.day) != (2, 29) else None
    assert age == on.year - born.year - (on < birthday if birthday else (on.month, on.day) < (2, 29))


def test_the_29th_of_february() -> None:
    born = date(2008, 2, 29)
    assert [full_years(born, day) for day in (date(2026, 2, 28), date(2026, 3, 1), date(2028, 2, 29))] == [17, 18, 20]
    assert years_before(date(2028, 2, 29), 6) == date(2022, 2, 28)
    assert years_before(date(2028, 2, 29), 4) == date(2024, 2, 29)


@given(zone=zones, asked=st.lists(instants, max_size=5), begins=st.lists(days, max_size=3))
def test_a_step_is_answered_again_as_it_was(zone: str, asked: list[datetime], begins: list[date]) -> None:
    live = recording(practice_calendar(zone))
    said = [live.local(at) for at in asked], [live.begin_of(day) for day in begins]
    again = replayed(recorded_zone(live))
    assert again.zone == zone
    assert ([again.local(at) for at in asked], [again.begin_of(day) for day in begins]) == said
    assert [at.utcoffset() for at in said[0]] == [at.astimezone(ZoneInfo(zone)).utcoffset() for at in asked]


def test_utc_is_recorded_by_nothing() -> None:
    assert recorded_zone(recording(UTC_CALENDAR)) is None
    assert replayed(None).begin_of(date(2026, 5, 4)) == datetime(2026, 5, 4, tzinfo=UTC)
    with pytest.raises(Corrupt, match="did not record"):
        replayed(None).is_working(date(2026, 5, 4))


def test_what_a_step_did_not_ask_is_no_guess() -> None:
    again = replayed({"name": "Europe/Berlin", "offsets": {"2026-05-04T09:02:00Z": 7200}})
    assert again.local(datetime(2026, 5, 4, 9, 2, tzinfo=UTC)).hour == 11
    for ask in (lambda: again.local(datetime(2026, 5, 4, 9, 3, tzinfo=UTC)), lambda: again.begin_of(date(2026, 5, 4))):
        with pytest.raises(Corrupt, match="did not record"):
            ask()
    helped = replayed({"name": "Nowhere/Any more"}, practice_calendar("Europe/Berlin"))
    assert helped.begin_of(date(2026, 5, 4)).hour == 22


@pytest.mark.parametrize(
    ("zone", "ask"),
    [
        ("America/New_York", lambda calendar: calendar.local(datetime(1, 1, 1, tzinfo=UTC))),
        ("Pacific/Kiritimati", lambda calendar: calendar.local(datetime(9999, 12, 31, 23, tzinfo=UTC))),
        ("Asia/Kathmandu", lambda calendar: calendar.begin_of(date.min)),
    ],
)
def test_the_ends_of_time_are_out_of_range_live_and_again(zone: str, ask: Callable[[Calendar], object]) -> None:
    live = recording(practice_calendar(zone))
    for _ in range(2):
        with pytest.raises(OverflowError):
            ask(live)
    with pytest.raises(OverflowError):
        ask(replayed(recorded_zone(live)))


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin", [], {}, {"name": 1}, {"name": "A", "offsets": []}, {"name": "A", "offsets": {"x": "1"}},
        {"name": "A", "offsets": {"x": True}}, {"name": "A", "offsets": {"x": 86_400}}, {"name": "A", "days": {"x": 1}},
        {"name": "A", "days": {"2026-05-04": "2026-05-04"}}, {"name": "A", "days": {"2026-05-04": "morning"}},
    ],
)  # fmt: skip
def test_what_no_step_writes_is_refused(zone: object) -> None:
    with pytest.raises(Corrupt):
        replayed(zone)


def test_the_answers_of_a_step_are_its_own() -> None:
    calendar = practice_calendar("Europe/Berlin")
    first, second = recording(calendar), recording(calendar)
    first.local(datetime(2026, 5, 4, tzinfo=UTC))
    assert isinstance(second, StepCalendar)
    assert second.to_json() == {"name": "Europe/Berlin"}
