"""Named searches of people: their own, and those shared with a role. The web interprets the queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, case, delete, insert, or_, select, update

from ..audit.audit_log import audit_body
from ..core.actor import Actor
from ..core.errors import Conflict, InvalidSubmission, NotFound
from ..core.visible_text import trimmed
from ..store.audit_rows import append
from ..store.database import Database, to_text
from ..store.instance_rows import one_at_a_time
from ..store.told_rows import row_after
from . import account_tables as t
from .roles import Role

MAX_NAME = 60
MAX_QUERY = 2_000

#: The roles with which a search may be shared: those that search cases.
SHARED_WITH = (Role.STAFF, Role.AUDITOR)


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedSearch:
    """*query* is the query string of the search; *shared* the role that also sees it, None for the owner alone."""

    id: int
    owner: str
    name: str
    query: str
    shared: Role | None


class Place(StrEnum):
    """Where a search is used."""

    #: The page of cases.
    CASES = "cases"
    #: A view of the inbox.
    DESK = "desk"


class SavedSearches:
    """One method for each operation on a saved search. A search that belongs to someone else raises `NotFound`."""

    def __init__(self, database: Database, clock: Callable[[], datetime], place: Place = Place.CASES) -> None:
        self.database = database
        self.clock = clock
        self.place = place

    def seen_by(self, actor: Actor) -> list[SavedSearch]:
        """The searches of *actor* and those shared with their role, in the order *actor* gave them, then by name."""
        with self.database.read() as connection:
            return self._seen_by(connection, actor)

    def _seen_by(self, connection: Connection, actor: Actor) -> list[SavedSearch]:
        c, o = t.saved_search.c, t.saved_search_order.c
        ordered = t.saved_search.outerjoin(t.saved_search_order, (o.search == c.id) & (o.person == actor.name))
        seen = or_(c.owner == actor.name, c.shared == actor.role)
        query = select(t.saved_search).select_from(ordered).where(seen, c.place == self.place.value)
        query = query.order_by(case((o.position.is_(None), 1), else_=0), o.position, c.name, c.id)
        return [_search(row) for row in connection.execute(query)]

    def move(self, number: int, *, actor: Actor, by: int) -> None:
        """Move a search *by* places in the order *actor* sees; raises `NotFound`."""
        with self.database.begin() as connection:
            one_at_a_time(connection, f"searches of {actor.name}")
            order = [search.id for search in self._seen_by(connection, actor)]
            if number not in order:
                raise NotFound("You have no such saved search.")
            at = order.index(number)
            order.insert(min(max(at + by, 0), len(order) - 1), order.pop(at))
            connection.execute(delete(t.saved_search_order).where(t.saved_search_order.c.person == actor.name))
            rows = [{"person": actor.name, "search": one, "position": place} for place, one in enumerate(order)]
            connection.execute(insert(t.saved_search_order), rows)

    def add(self, name: str, query: str, *, shared: Role | None, actor: Actor) -> SavedSearch:
        """Save a search; raises `InvalidSubmission` for a bad name or query, `Conflict` when *actor* uses the name."""
        if not query or len(query) > MAX_QUERY:
            raise InvalidSubmission("Search for something first; then it can be saved.")
        _check_shared(shared)
        name, role = _checked_name(name), shared.value if shared else ""
        values = {"owner": actor.name, "name": name, "query": query, "shared": role, "place": self.place.value}
        with self.database.begin() as connection:
            _refuse_twice(connection, actor.name, values["name"])
            row = insert(t.saved_search).values(**values, created_at=to_text(self.clock()))
            number = connection.execute(row.returning(t.saved_search.c.id)).scalar_one()
            self._record(connection, actor, "saved search added", number)
            return _search(_own(connection, number, actor))

    def rename(self, number: int, name: str, *, actor: Actor) -> None:
        """Raises `NotFound`, `InvalidSubmission` or `Conflict`."""
        name = _checked_name(name)
        with self.database.begin() as connection:
            found = _own(connection, number, actor)
            if found.name != name:
                _refuse_twice(connection, actor.name, name)
                connection.execute(update(t.saved_search).where(t.saved_search.c.id == number).values(name=name))
                self._record(connection, actor, "saved search renamed", number)

    def delete(self, number: int, *, actor: Actor) -> None:
        """Raises `NotFound`."""
        with self.database.begin() as connection:
            _own(connection, number, actor)
            connection.execute(delete(t.saved_search_order).where(t.saved_search_order.c.search == number))
            connection.execute(delete(t.saved_search).where(t.saved_search.c.id == number))
            self._record(connection, actor, "saved search deleted", number)

    def _record(self, connection: Connection, actor: Actor, what: str, number: int) -> None:
        details = {"setting": what, **row_after(connection, t.saved_search, number)}
        body = audit_body("SettingChanged", details, at=self.clock(), actor=actor, subject=f"search {number}")
        append(connection, body)


def _checked_name(name: str) -> str:
    name = trimmed(" ".join(name.split()))
    if not name or len(name) > MAX_NAME:
        reason = f"Give it a name of 1 to {MAX_NAME} characters."
        raise InvalidSubmission(reason, fields={"name": reason})
    return name


def _check_shared(shared: Role | None) -> None:
    if shared is not None and shared not in SHARED_WITH:
        reason = "A search is shared with staff or with auditors."
        raise InvalidSubmission(reason, fields={"shared": reason})


def _refuse_twice(connection: Connection, owner: str, name: str) -> None:
    c = t.saved_search.c
    one_at_a_time(connection, f"searches of {owner}")
    if connection.execute(select(c.id).where(c.owner == owner, c.name == name)).first():
        raise Conflict(f"You have a saved search named “{name}” already.")


def _own(connection: Connection, number: int, actor: Actor) -> Any:
    c = t.saved_search.c
    row = connection.execute(select(t.saved_search).where(c.id == number, c.owner == actor.name)).one_or_none()
    if row is None:
        raise NotFound("You have no such saved search.")
    return row


def _search(row: Any) -> SavedSearch:
    shared = Role(row.shared) if row.shared else None
    return SavedSearch(id=row.id, owner=row.owner, name=row.name, query=row.query, shared=shared)
