"""Formats for people: times, due days, portal statuses. Pure. For steps see `case_narrative`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum

from usher_engine.core import Calendar, full_years

DAYS_IN_MONTH = 30.44
#: Up to this age a time shows its day alone; older ones also show the distance.
NEAR_DAYS = 27


class Due(StrEnum):
    """The groups of the inbox, in the order they are shown."""

    OVERDUE = "Overdue"
    TODAY = "Today"
    THIS_WEEK = "This week"
    LATER = "Later"


def people_time(moment: datetime, now: datetime, calendar: Calendar) -> str:
    """*moment* as people say it: "today 09:12", "yesterday 17:40", "12 May 09:12", "3 May, 6 months ago"."""
    there, here = calendar.day_of(moment), calendar.day_of(now)
    days = (here - there).days
    clock = f"{calendar.local(moment):%H:%M}"
    if days == 0:
        return f"today {clock}"
    if days == 1:
        return f"yesterday {clock}"
    if days == -1:
        return f"tomorrow {clock}"
    if abs(days) <= NEAR_DAYS:
        return f"{people_day(there, here)} {clock}"
    return f"{people_day(there, here)}, {_distance(days)}"


def clock_time(moment: datetime, now: datetime, calendar: Calendar) -> str:
    """ "4 May 09:02": for comparing times, where the hour matters and the distance does not."""
    return f"{people_day(calendar.day_of(moment), calendar.day_of(now))} {calendar.local(moment):%H:%M}"


def people_day(day: date, today: date) -> str:
    """ "3 May", with the year when it is not this one."""
    return f"{day.day} {day:%B}" if day.year == today.year else f"{day.day} {day:%B} {day.year}"


def _distance(days: int) -> str:
    months = round(abs(days) / DAYS_IN_MONTH)
    number, unit = (months // 12, "year") if months >= 24 else (max(months, 1), "month")
    words = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{words} ago" if days > 0 else f"in {words}"


def exact_time(moment: datetime, calendar: Calendar) -> str:
    """ "3 May 2026, 09:12:40 CEST", for hovering and for print."""
    there = calendar.local(moment)
    return f"{there.day} {there:%B %Y, %H:%M:%S %Z}"


def machine_time(moment: datetime, calendar: Calendar) -> str:
    return calendar.local(moment).isoformat(timespec="seconds")


def due_group(due: datetime | None, now: datetime, calendar: Calendar) -> Due:
    if due is None:
        return Due.LATER
    if due < now:
        return Due.OVERDUE
    days = (calendar.day_of(due) - calendar.day_of(now)).days
    if days == 0:
        return Due.TODAY
    return Due.THIS_WEEK if days < 7 else Due.LATER


def due_words(due: datetime | None, now: datetime, calendar: Calendar) -> str:
    """When a task is due, as short as its group allows: "2 days late", "17:00", "Thu", "3 June"."""
    if due is None:
        return ""
    there = calendar.local(due)
    match due_group(due, now, calendar):
        case Due.OVERDUE:
            return late_words(now - due)
        case Due.TODAY:
            return f"{there:%H:%M}"
        case Due.THIS_WEEK:
            return f"{there:%a}"
        case Due.LATER:
            return people_day(calendar.day_of(due), calendar.day_of(now))


def late_words(late: timedelta) -> str:
    if late.days:
        return f"{late.days} day{'' if late.days == 1 else 's'} late"
    hours = late.seconds // 3600
    return f"{hours} h late" if hours else f"{max(late.seconds // 60, 1)} min late"


def born_words(birth_date: str, today: date) -> str:
    """ "4 May 1981, age 45"; text that is not a full date is returned unchanged."""
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return birth_date
    return f"{born.day} {born:%B %Y}, age {full_years(born, today)}"


def element_words(element: str) -> str:
    """A name for an element that has none: "SendInvitation" reads "Send invitation"."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in element).strip()
    return spaced[:1].upper() + spaced[1:].replace("_", " ")


def case_no(number: str) -> str:
    """ "3QXZ-DAWN-94N6": a case number in groups, for reading; addresses keep it whole."""
    return "-".join(number[at : at + 4] for at in range(0, len(number), 4))


def joined(words: list[str]) -> str:
    """ "e-mail", "e-mail and ZIP code", "e-mail, ZIP code and last name"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def period_words(first: str, last: str) -> str:
    """ "in May 2026", "on 4 May 2026", "from 3 May to 9 June 2026", "since 3 May 2026"; empty without a day."""
    begin, end = _date(first), _date(last)
    if begin is None and end is None:
        return ""
    if begin is None or end is None:
        return f"since {long_day(begin)}" if begin else f"until {long_day(end)}" if end else ""
    if begin == end:
        return f"on {long_day(begin)}"
    next_day = end + timedelta(days=1)
    if begin.day == 1 and next_day.day == 1 and (begin.year, begin.month) == (end.year, end.month):
        return f"in {begin:%B %Y}"
    if (begin.month, begin.day, end.month, end.day) == (1, 1, 12, 31) and begin.year == end.year:
        return f"in {begin.year}"
    shown = f"{begin.day} {begin:%B}" if begin.year == end.year else long_day(begin)
    return f"from {shown} to {long_day(end)}"


def long_day(day: date) -> str:
    """ "4 May 2026": the day with its year in any case."""
    return f"{day.day} {day:%B %Y}"


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def file_size(size: int) -> str:
    """ "12 kB", "4.8 MB"; at least 1 kB."""
    return f"{size / 1024 / 1024:.1f} MB" if size >= 1024 * 1024 else f"{max(1, round(size / 1024))} kB"
