"""Rows of administrative tables inside audit events: each event carries the rows it left (decisions/0049)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Boolean, Connection, Table, literal_column, select, type_coerce
from sqlalchemy.types import NullType

from ..core.errors import Corrupt
from .checkpoint_rows import stream
from .tables import (
    engine_folds as _,  # noqa: F401 - it declares
)
from .tables import engine_tables as t
from .tables.folds import Fold, Happened, Key, State, Told, fold_of

#: Kinds of events that never change a table, and of which there are many.
VIEWS = (
    "LoggedIn", "LogInFailed", "LockedOut", "LoggedOut", "PatientViewed", "CaseViewed", "FileViewed",
    "TaskViewed", "PatientsListed", "TrailViewed", "Refused", "LookAlikeSeen",
)  # fmt: skip

#: How many events about an account or a process are looked through for the newest one that carries a row.
MOST_LOOKED_AT = 200


def row_after(connection: Connection, table: Table, *key: Any) -> dict[str, Any]:
    """The row with this primary key as the details of an event carry it; called after the change."""
    return rows_after(connection, (table, key))


def rows_after(connection: Connection, *places: tuple[Table, Key]) -> dict[str, Any]:
    """As `row_after`, for several rows."""
    return {"rows": [[table.name, list(key), _values(connection, table, key)] for table, key in places]}


def _values(connection: Connection, table: Table, key: Key) -> dict[str, Any] | None:
    """What an event says of a row; None if it is gone."""
    columns = zip(table.primary_key.columns, key, strict=True)
    query = _as_stored(table).where(*(column == value for column, value in columns))
    row = connection.execute(query).mappings().one_or_none()
    return told_values(table, row) if row is not None else None


def _as_stored(table: Table) -> Any:
    return select(*(type_coerce(column, NullType()).label(column.name) for column in table.columns))


def stored_rows(connection: Connection, table: Table) -> Iterator[Mapping[str, Any]]:
    """Every row, with values of any type."""
    for row in stream(connection, _as_stored(table).order_by(*table.primary_key.columns)):
        yield row._mapping


def told_values(table: Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    """The values of *row* as an event carries them: without free columns, some as their digest."""
    fold = fold_of(table)
    if fold is None:
        raise Corrupt(f"The table {table.name} has no fold.")
    return {
        column.name: _value(column, fold, row[column.name]) for column in table.columns if column.name not in fold.free
    }


def _value(column: Any, fold: Fold, value: Any) -> Any:
    if isinstance(column.type, Boolean) and value in (0, 1):
        return bool(value)
    if isinstance(value, bytes) or (column.name in fold.digested and value is not None):
        return digest(value)
    return value


def digest(value: Any) -> str:
    return hashlib.sha256(value if isinstance(value, bytes) else str(value).encode()).hexdigest()


# reading the chain


def happened(seq: Any, body: Any) -> Happened | None:
    """The event in a stored *body*; None if it cannot be read, which the check of the chain reports."""
    try:
        record = json.loads(body)
        texts = {name: str(record.get(name, "")) for name in ("kind", "subject", "business_key", "why")}
        return Happened(seq=int(seq), actor=str(record["actor"]["name"]), details=dict(record["details"]), **texts)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def changes(connection: Connection) -> Iterator[Happened]:
    """The events that may have changed a table, in order."""
    c = t.audit_event.c
    query = select(c.seq, type_coerce(c.body, NullType())).where(c.kind.not_in(VIEWS)).order_by(c.seq)
    for seq, body in stream(connection, query):
        found = happened(seq, body)
        if found is not None:
            yield found


def carried(event: Happened, table: str) -> Iterator[tuple[Key, Mapping[str, Any] | None]]:
    """Each row of *table* that *event* carries: its key, and its values or None if it went."""
    rows = event.details.get("rows")
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, list) or len(row) != 3 or row[0] != table or not isinstance(row[1], list):
            continue
        if row[2] is None or isinstance(row[2], dict):
            yield tuple(row[1]), row[2]


def apply(state: State, event: Happened, table: Table, fold: Fold) -> None:
    """Bring what is known of *table* up to *event*."""
    try:
        fold.older(state, event)
    except (KeyError, TypeError, ValueError, AttributeError):
        return  # an event that no version wrote like this; the check of the chain reports it
    for key, values in carried(event, table.name):
        if values is None:
            state.pop(key, None)
        else:
            state[key] = Told(values=values, seq=event.seq)


def last_told(
    connection: Connection, table: Table, key: Key, subject: str, kind: str = "SettingChanged"
) -> Told | None:
    """What the newest event about *subject* that carries the row says of it; None if no event carries it."""
    c = t.audit_event.c
    query = select(c.seq, type_coerce(c.body, NullType())).where(
        c.subject == subject, c.kind == literal_column(f"'{kind}'")
    )
    for seq, body in connection.execute(query.order_by(c.seq.desc()).limit(MOST_LOOKED_AT)):
        found = happened(seq, body)
        for place, values in carried(found, table.name) if found else ():
            if place == key:
                return Told(values=values or {}, seq=int(seq))
    return None


def and_as_told(
    connection: Connection, rows: Mapping[str, Any], table: Table, key: Key, subject: str
) -> dict[str, Any]:
    """
    Add to the details *rows* what the newest event about *subject* says of a row that this event leaves alone.

    It is what was told, never what stands in the table: a row altered meanwhile must not become what an event left.
    """
    told = last_told(connection, table, key, subject)
    return {"rows": [*rows["rows"], *([[table.name, list(key), dict(told.values)]] if told else [])]}


def newest_setting(subject: Any) -> Any:
    """The body of the newest SettingChanged about *subject*, a column, as part of another query."""
    c = t.audit_event.c
    newest = select(type_coerce(c.body, NullType())).where(
        c.subject == subject, c.kind == literal_column("'SettingChanged'")
    )
    return newest.order_by(c.seq.desc()).limit(1).scalar_subquery().label("newest_setting")


def told_in(body: Any, table: Table, key: Key) -> Told | None:
    """What the event in *body* says of a row; None if it carries another row, or none."""
    found = happened(0, body) if body is not None else None
    carries = dict(carried(found, table.name)) if found else {}
    return Told(values=carries[key] or {}, seq=0) if key in carries else None


def contradictions(table: Table, row: Mapping[Any, Any], told: Told | None) -> str:
    """The columns of *row* that are not what the audit events left, for a sentence; empty if none is known."""
    return ", ".join(name.replace("_", " ") for name in differing(table, row, told)) if told else ""


def differing(table: Table, row: Mapping[Any, Any], told: Told) -> list[str]:
    """The columns in which *row* is not what the event left."""
    here = told_values(table, row)
    return [name for name, value in told.values.items() if name in here and not _fits(here[name], value)]


def _fits(here: Any, told: Any) -> bool:
    if told is ...:
        return here not in ("", None)
    return bool(here == told and type(here) is type(told))
