"""Who stands in for whom on a day: read from the rows at the moment it is asked, never from what was known before.

Only whom a person named themselves stands in for them: nobody asks for the substitute of a substitute.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Boolean, Connection, Select, column, select, table

from ..core.actor import StandIn
from .tables.substitution_table import substitution

_c = substitution.c

#: What is asked of accounts here; their table belongs to `accounts`.
_account = table("account", column("name"), column("role"), column("disabled", Boolean))
_of, _by = _account.alias("of_account"), _account.alias("by_account")


def in_force(day: date) -> Select[Any]:
    """The rows in force on that day of the practice, of people who both may sign in as staff."""
    today = day.isoformat()
    return (
        select(_c.person, _c.substitute, _c.groups, _c.last_day)
        .join(_of, _of.c.name == _c.person)
        .join(_by, _by.c.name == _c.substitute)
        .where(_c.first_day <= today, _c.last_day >= today, _c.person != _c.substitute)
        .where(_of.c.role == "staff", _by.c.role == "staff", ~_of.c.disabled, ~_by.c.disabled)
    )


def stands_in(connection: Connection, substitute: str, day: date) -> tuple[StandIn, ...]:
    """Those for whom *substitute* stands in on that day, one for each person."""
    return as_stand_ins(connection.execute(in_force(day).where(_c.substitute == substitute)))


def absences(connection: Connection, day: date) -> tuple[StandIn, ...]:
    """All that is in force on that day."""
    return as_stand_ins(connection.execute(in_force(day)))


def as_stand_ins(rows: Iterable[Any]) -> tuple[StandIn, ...]:
    """
    Rows of `in_force` as values, one for each pair of people: their groups are added up.

    A row that was altered so that it cannot be read gives no right.
    """
    found: dict[tuple[str, str], StandIn] = {}
    for row in rows:
        one = _stand_in(row)
        if one is not None:
            pair = (one.person, one.substitute)
            found[pair] = found[pair].joined(one) if pair in found else one
    return tuple(found[pair] for pair in sorted(found))


def _stand_in(row: Any) -> StandIn | None:
    try:
        groups, last = json.loads(row.groups), date.fromisoformat(row.last_day)
    except (TypeError, ValueError):
        return None
    if not isinstance(groups, list) or not all(isinstance(text, str) for text in (*groups, row.person, row.substitute)):
        return None
    return StandIn(person=row.person, substitute=row.substitute, groups=frozenset(groups), last=last)
