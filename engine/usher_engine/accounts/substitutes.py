"""Who stands in for whom while somebody is away: named by the person or an administrator, ended by the calendar.

What a substitute may do is decided by `cases`, from the rows, when it is done (`store.substitution_rows`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select

from ..audit.audit_log import audit_body
from ..core.actor import Actor, StandIn
from ..core.errors import Conflict, InvalidSubmission, NotAllowed, NotFound
from ..core.practice_calendar import Calendar
from ..store import substitution_rows
from ..store.audit_rows import append
from ..store.database import Database, to_text
from ..store.instance_rows import one_at_a_time
from ..store.tables.substitution_table import substitution
from ..store.told_rows import rows_after
from .account_checks import told_of_account
from .account_tables import account
from .account_values import Account, to_account
from .roles import Role

#: A substitution begins, and ends, at most so many days ahead.
MOST_DAYS = 366
#: A person has at most so many at a time.
MOST = 20

_c = substitution.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Substitution:
    """*substitute* stands in for *person* on the days from *first* to *last*; *groups*: for these, all if empty."""

    id: int
    person: str
    substitute: str
    first: date
    last: date
    groups: frozenset[str]
    named_by: str


class Substitutes:
    """One method for each operation; each change is one transaction with its audit event."""

    def __init__(self, database: Database, clock: Callable[[], datetime], calendar: Calendar) -> None:
        self.database, self.clock, self.calendar = database, clock, calendar

    def of(self, person: str) -> list[Substitution]:
        """Those that *person* has now or will have, the next first."""
        with self.database.read() as connection:
            return self._of(connection, person)

    def absences(self) -> tuple[StandIn, ...]:
        """All that is in force today."""
        with self.database.read() as connection:
            return substitution_rows.absences(connection, self._today())

    def name(
        self, person: str, substitute: str, *, first: date, last: date, groups: Collection[str], actor: Actor
    ) -> Substitution:
        """
        Let *substitute* stand in for *person* from the day *first* to the day *last*, both included.

        Raises:
            NotAllowed: *actor* is neither *person* nor an administrator.
            NotFound: There is no account *person*.
            InvalidSubmission: *substitute* cannot, or the days or groups do not fit.
            Conflict: *substitute* stands in for *person* on some of these days already, or there are too many.
        """
        _require_right(person, actor)
        with self.database.begin() as connection:
            one_at_a_time(connection, "rights")
            who = _account(connection, person)
            if who is None:
                raise NotFound(f"No account is named {person}.")
            _check_people(who, substitute, _account(connection, substitute))
            self._check_days(first, last)
            _check_groups(who, groups)
            past = delete(substitution).where(_c.person == person, _c.last_day < self._today().isoformat())
            over = connection.execute(past.returning(_c.id)).scalars().all()
            _refuse_twice(self._of(connection, person), substitute, first, last)
            values = {
                "person": person,
                "substitute": substitute,
                "first_day": first.isoformat(),
                "last_day": last.isoformat(),
                "groups": json.dumps(sorted(groups)),
                "named_by": actor.name,
                "named_at": to_text(self.clock()),
            }
            number = connection.execute(insert(substitution).values(values).returning(_c.id)).scalar_one()
            found = next(one for one in self._of(connection, person) if one.id == number)
            _record(connection, "substitute named", found, actor, self.clock(), over=over)
            return found

    def end(self, number: int, *, person: str, actor: Actor) -> Substitution:
        """End one of *person*'s now; raises `NotAllowed` as `name` does, `NotFound` if they have no such one."""
        _require_right(person, actor)
        with self.database.begin() as connection:
            found = next((one for one in self._of(connection, person) if one.id == number), None)
            if found is None:
                raise NotFound("This substitution has ended already.")
            connection.execute(delete(substitution).where(_c.id == number))
            _record(connection, "substitute ended", found, actor, self.clock())
            return found

    def _of(self, connection: Connection, person: str) -> list[Substitution]:
        rows = connection.execute(select(substitution).where(_c.person == person).order_by(_c.first_day, _c.id))
        readable = (found for row in rows if (found := _substitution(row)) is not None)
        return [found for found in readable if found.last >= self._today()]

    def _today(self) -> date:
        return self.calendar.day_of(self.clock())

    def _check_days(self, first: date, last: date) -> None:
        today = self._today()
        if first < today:
            raise _refusal("first", "Choose today or a later day.")
        if last < first:
            raise _refusal("last", "The last day is before the first.")
        if last > today + timedelta(days=MOST_DAYS):
            raise _refusal("last", "Choose a day within a year.")


def end_all(connection: Connection, person: str, *, actor: Actor, at: datetime) -> None:
    """End what *person* is part of, on either side: they cannot sign in any more, or are no longer staff."""
    of_person = delete(substitution).where(or_(_c.person == person, _c.substitute == person))
    rows = connection.execute(of_person.returning(*_c)).all()
    for found in filter(None, map(_substitution, rows)):
        _record(connection, "substitute ended", found, actor, at)


def _require_right(person: str, actor: Actor) -> None:
    if actor.role != Role.ADMIN.value and not (actor.role == Role.STAFF.value and actor.name == person):
        raise NotAllowed("People name their own substitutes; administrators name those of others.")


def _check_people(who: Account, substitute: str, by: Account | None) -> None:
    if who.role is not Role.STAFF or who.disabled:
        raise _refusal("substitute", f"{who.name} works on no tasks, so nobody stands in for them.")
    if by is None or by.role is not Role.STAFF or by.disabled:
        raise _refusal("substitute", f"No member of staff is called “{substitute[:60]}”. Choose one of the list.")
    if by.name == who.name:
        raise _refusal("substitute", "Nobody stands in for themselves. Choose a colleague.")


def _check_groups(who: Account, groups: Collection[str]) -> None:
    foreign = sorted(set(groups) - who.groups)
    if foreign:
        raise _refusal("groups", f"{who.name} is not in the group “{foreign[0][:60]}”.")


def _refuse_twice(there: Iterable[Substitution], substitute: str, first: date, last: date) -> None:
    there = list(there)
    if len(there) >= MOST:
        raise Conflict(f"There are {MOST} substitutions already. End some first.")
    if any(one.substitute == substitute and one.first <= last and first <= one.last for one in there):
        raise Conflict(f"{substitute} stands in on some of these days already. End that first, or choose other days.")


def _account(connection: Connection, name: str) -> Account | None:
    row = connection.execute(select(account).where(account.c.name == name)).mappings().one_or_none()
    return to_account(row) if row is not None else None


def _record(
    connection: Connection, setting: str, found: Substitution, actor: Actor, at: datetime, *, over: Iterable[int] = ()
) -> None:
    """*over*: the numbers of those that were removed with it, as their days had passed."""
    numbers = sorted({found.id, *over})
    rows = rows_after(connection, *((substitution, (number,)) for number in numbers))
    details = {
        "setting": setting,
        "substitute": found.substitute,
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "groups": ", ".join(sorted(found.groups)),
        **told_of_account(connection, rows, found.person),
    }
    append(connection, audit_body("SettingChanged", details, at=at, actor=actor, subject=found.person))


def _substitution(row: Any) -> Substitution | None:
    """The substitution in a row; None if it was altered so that it cannot be read."""
    try:
        return Substitution(
            id=int(row.id),
            person=str(row.person),
            substitute=str(row.substitute),
            first=date.fromisoformat(row.first_day),
            last=date.fromisoformat(row.last_day),
            groups=frozenset(map(str, json.loads(row.groups))),
            named_by=str(row.named_by),
        )
    except (TypeError, ValueError):
        return None


def _refusal(field: str, reason: str) -> InvalidSubmission:
    return InvalidSubmission(reason, fields={field: reason})
