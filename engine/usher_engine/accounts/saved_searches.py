"""Searches people keep under a name: their own, and those shared with a role. What they mean is the web's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from ..audit.audit_log import audit_body
from ..core.actor import Actor
from ..core.errors import Conflict, InvalidSubmission, NotFound
from ..store.audit_rows import append
from ..store.database import Database, to_text
from ..store.instance_rows import one_at_a_time
from . import account_tables as t
from .roles import Role

MAX_NAME = 60
MAX_QUERY = 2_000

#: With whom a search may be shared: who looks for cases.
SHARED_WITH = (Role.STAFF, Role.AUDITOR)


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedSearch:
    """*query* is the search as an address writes it; *shared* the role that sees it too, None for the owner alone."""

    id: int
    owner: str
    name: str
    query: str
    shared: Role | None


class SavedSearches:
    """One method for each thing done with a saved search. What is another's to change is not there: `NotFound`."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.clock = clock

    def seen_by(self, actor: Actor) -> list[SavedSearch]:
        """Their own, and those shared with their role, by name."""
        c = t.saved_search.c
        query = select(t.saved_search).where(or_(c.owner == actor.name, c.shared == actor.role)).order_by(c.name, c.id)
        with self.database.read() as connection:
            return [_search(row) for row in connection.execute(query)]

    def add(self, name: str, query: str, *, shared: Role | None, actor: Actor) -> SavedSearch:
        """Raises `InvalidSubmission` for a name or query that cannot be kept, `Conflict` when *actor* has the name."""
        if not query or len(query) > MAX_QUERY:
            raise InvalidSubmission("Search for something first; then it can be saved.")
        _check_shared(shared)
        values = {"owner": actor.name, "name": _checked(name), "query": query, "shared": shared.value if shared else ""}
        with self.database.begin() as connection:
            _refuse_twice(connection, actor.name, values["name"])
            row = insert(t.saved_search).values(**values, created_at=to_text(self.clock()))
            number = connection.execute(row.returning(t.saved_search.c.id)).scalar_one()
            self._tell(connection, actor, "saved search added", number)
            return _search(_own(connection, number, actor))

    def rename(self, number: int, name: str, *, actor: Actor) -> None:
        """Raises `NotFound`, `InvalidSubmission` or `Conflict`."""
        said = _checked(name)
        with self.database.begin() as connection:
            found = _own(connection, number, actor)
            if found.name != said:
                _refuse_twice(connection, actor.name, said)
                connection.execute(update(t.saved_search).where(t.saved_search.c.id == number).values(name=said))
                self._tell(connection, actor, "saved search renamed", number)

    def delete(self, number: int, *, actor: Actor) -> None:
        """Raises `NotFound`."""
        with self.database.begin() as connection:
            _own(connection, number, actor)
            connection.execute(delete(t.saved_search).where(t.saved_search.c.id == number))
            self._tell(connection, actor, "saved search deleted", number)

    def _tell(self, connection: Connection, actor: Actor, what: str, number: int) -> None:
        body = audit_body("SettingChanged", {"setting": what}, at=self.clock(), actor=actor, subject=f"search {number}")
        append(connection, body)


def _checked(name: str) -> str:
    said = " ".join(name.split())
    if not said or len(said) > MAX_NAME:
        reason = f"Give it a name of 1 to {MAX_NAME} characters."
        raise InvalidSubmission(reason, fields={"name": reason})
    return said


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
