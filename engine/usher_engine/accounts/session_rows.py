"""A session's row with its account, and for whom they stand in today: one statement with each request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from ..core.actor import StandIn
from ..store import substitution_rows
from .account_tables import SESSION_COLUMNS, account, web_session
from .account_values import Account, Session, to_account, to_session


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionRow:
    """*row* holds the columns of the account and of the session."""

    row: Mapping[Any, Any]
    stands_in: tuple[StandIn, ...]

    @property
    def account(self) -> Account:
        return replace(to_account(self.row), stands_in=self.stands_in)

    def session(self, secret: str, *, seen_at: datetime) -> Session:
        return replace(to_session(self.row, secret, seen_at=seen_at), account=self.account)


@dataclass(frozen=True, slots=True)
class _Substitution:
    person: Any
    substitute: Any
    groups: Any
    last_day: Any


def find(connection: Connection, key: str, today: date) -> SessionRow | None:
    """The session with this key; None if there is none. Whether it is still live is for the caller to say."""
    now = substitution_rows.in_force(today).subquery()
    columns = (now.c.person, now.c.substitute, now.c.groups.label("of_groups"), now.c.last_day)
    joined = web_session.join(account, account.c.name == web_session.c.account)
    joined = joined.outerjoin(now, now.c.substitute == account.c.name)
    query = select(*SESSION_COLUMNS, *columns).select_from(joined).where(web_session.c.hash == key)
    rows = connection.execute(query).mappings().all()
    if not rows:
        return None
    named = (row for row in rows if row["person"] is not None)
    found = (_Substitution(row["person"], row["substitute"], row["of_groups"], row["last_day"]) for row in named)
    return SessionRow(row=rows[0], stands_in=substitution_rows.as_stand_ins(found))
