"""Which versions of Usher have upgraded this database, and when each did first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from .database import to_text
from .tables import record_tables as r
from .tampered_rows import moment
from .upserts import unless_there


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A *version* of Usher, the *schema* revision it brought the database to, and when it first did."""

    version: str
    schema: str
    at: datetime


def record(connection: Connection, version: str, schema: str, at: datetime) -> None:
    """Record that *version* upgraded the database; a version recorded before stays as it is."""
    row = {"version": version, "schema": schema, "at": to_text(at)}
    connection.execute(unless_there(connection, r.release), row)


def all_of(connection: Connection) -> list[Release]:
    """Oldest first."""
    rows = connection.execute(select(r.release).order_by(r.release.c.at, r.release.c.version))
    return [Release(version=row.version, schema=row.schema, at=moment(row.at)) for row in rows]
