"""Keeps the days on which the practice works: days of the week and holidays (decisions/0046).

A due date in working days counts by them when its task opens; the step records what it counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from ..audit.audit_log import AuditLog
from ..context import Context
from ..core.actor import Actor
from ..core.canonical import Json, check_input
from ..core.errors import Conflict, InvalidSubmission, NotAllowed, NotFound
from ..core.practice_calendar import PracticeCalendar
from ..core.visible_text import trimmed
from ..core.working_days import WEEK, WorkingDays, us_federal_holidays
from ..store import Transaction, working_day_rows
from ..store.instance_rows import one_at_a_time

MAX_HOLIDAY = 80
MOST_HOLIDAYS = 400
#: The roles that may say when the practice works.
KEEPERS = frozenset({"admin", "system"})
#: Years whose holidays can be proposed or added; a slip like 2206 is no holiday.
YEARS = range(2000, 2200)


class WorkingCalendar:
    """The working days; each change is one transaction with its audit event."""

    def __init__(self, context: Context, audit: AuditLog) -> None:
        self.context, self.audit = context, audit

    def working_days(self) -> WorkingDays:
        with self.context.database.read() as tx:
            return working_day_rows.read(tx)

    def calendar(self) -> PracticeCalendar:
        """The practice's calendar with its working days."""
        return PracticeCalendar(self.context.settings.time_zone, self.working_days())

    def set_weekdays(self, weekdays: Iterable[int], *, actor: Actor) -> WorkingDays:
        """Work on these days of the week, 0 for Monday; raises `InvalidSubmission` if there is none, `NotAllowed`."""
        wanted = frozenset(weekdays)
        if not wanted or not wanted <= set(range(7)):
            raise _refusal("weekdays", "Choose at least one day of the week.")
        with self.context.database.begin() as tx:
            before = self._locked(tx, actor)
            if wanted == before.weekdays:
                return before
            names = [WEEK[day] for day in sorted(wanted)]
            return self._save(tx, replace(before, weekdays=wanted), actor, {"weekdays": list(names)})

    def add_holiday(self, day: date, name: str, *, actor: Actor) -> WorkingDays:
        """Raises `InvalidSubmission`, `NotAllowed`, or `Conflict` where *day* is a holiday already."""
        name = trimmed(" ".join(name.split()))
        if not name or len(name) > MAX_HOLIDAY:
            raise _refusal("name", f"Name the holiday in 1 to {MAX_HOLIDAY} characters.")
        check_input(name, where="name")
        if day.year not in YEARS:
            raise _refusal("day", f"Choose a day from {YEARS[0]} to {YEARS[-1]}.")
        with self.context.database.begin() as tx:
            before = self._locked(tx, actor)
            if day in before.holidays:
                raise Conflict(f"{day.isoformat()} is a holiday already: {before.holidays[day]}.")
            return self._add(tx, before, {day: name}, actor)

    def add_us_federal(self, year: int, *, actor: Actor) -> int:
        """
        Add the holidays of the US federal government in *year*; days that are holidays already keep their name.

        Returns how many were added. Raises `InvalidSubmission` or `NotAllowed`.
        """
        if year not in YEARS:
            raise _refusal("year", f"Choose a year from {YEARS[0]} to {YEARS[-1]}.")
        with self.context.database.begin() as tx:
            before = self._locked(tx, actor)
            added = {day: name for day, name in us_federal_holidays(year).items() if day not in before.holidays}
            if added:
                self._add(tx, before, added, actor)
            return len(added)

    def remove_holiday(self, day: date, *, actor: Actor) -> WorkingDays:
        """Raises `NotFound` where *day* is no holiday, `NotAllowed`."""
        with self.context.database.begin() as tx:
            before = self._locked(tx, actor)
            if day not in before.holidays:
                raise NotFound(f"{day.isoformat()} is no holiday.")
            left = {other: name for other, name in before.holidays.items() if other != day}
            details: dict[str, Json] = {"removed": {day.isoformat(): before.holidays[day]}}
            return self._save(tx, replace(before, holidays=left), actor, details)

    def _locked(self, tx: Transaction, actor: Actor) -> WorkingDays:
        if actor.role not in KEEPERS:
            raise NotAllowed("Only administrators say when the practice works.")
        one_at_a_time(tx, "working days")
        return working_day_rows.read(tx)

    def _add(self, tx: Transaction, before: WorkingDays, added: Mapping[date, str], actor: Actor) -> WorkingDays:
        if len(before.holidays) + len(added) > MOST_HOLIDAYS:
            raise _refusal("day", f"At most {MOST_HOLIDAYS} holidays are kept. Remove those of past years first.")
        details: dict[str, Json] = {"added": {day.isoformat(): name for day, name in added.items()}}
        return self._save(tx, replace(before, holidays={**before.holidays, **added}), actor, details)

    def _save(self, tx: Transaction, working: WorkingDays, actor: Actor, details: dict[str, Json]) -> WorkingDays:
        row = working_day_rows.save(tx, working, by=actor.name, now=self.context.clock())
        told = {"setting": "working days", **details, **row}
        self.audit.record("SettingChanged", told, actor=actor, subject="working days", transaction=tx)
        return working


def _refusal(field: str, reason: str) -> InvalidSubmission:
    return InvalidSubmission(reason, fields={field: reason})
