"""Upserts in one statement (INSERT … ON CONFLICT), so that no other transaction can write in between."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> Any:
    """The dialect's INSERT into *table*, which has ON CONFLICT."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def unless_there(connection: Connection, table: Table) -> Any:
    """An INSERT into *table* that does nothing if a unique value exists already."""
    return _unless_there(connection.dialect.name, table)


@lru_cache(maxsize=32)
def _unless_there(dialect: str, table: Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table).on_conflict_do_nothing()


def add(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row; False, without a change, if a unique value exists already."""
    wanted = unless_there(connection, table).returning(*table.primary_key)
    return connection.execute(wanted, dict(values)).first() is not None


def put(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or update the one with the same primary key."""
    wanted = insert_into(connection, table).values(**values)
    keys = [column.name for column in table.primary_key]
    changed = {name: wanted.excluded[name] for name in values if name not in keys}
    connection.execute(wanted.on_conflict_do_update(index_elements=keys, set_=changed))


def sweep(connection: Connection, table: Table, stale: ColumnElement[bool]) -> None:
    """Delete stale rows, skipping locked ones: waiting for them could deadlock two sweeps."""
    (key,) = table.primary_key
    free = select(key).where(stale).with_for_update(skip_locked=True)
    connection.execute(delete(table).where(key.in_(free)))
