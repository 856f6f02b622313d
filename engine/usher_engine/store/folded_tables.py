"""Compares every administrative table with the fold of the audit events. Changes nothing; `tables.folds` declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table

from ..core.findings import Finding
from . import told_rows
from .tables.engine_tables import metadata
from .tables.folds import Key, State, Told, fold_of

#: Characters of a value in a finding.
MOST_SHOWN = 80


def folded() -> list[Table]:
    """The tables that follow from the audit events."""
    return [table for _, table in sorted(metadata.tables.items()) if fold_of(table)]


def state_of(connection: Connection, *tables: Table) -> dict[str, State]:
    """What the audit events say of the rows of each table."""
    states: dict[str, State] = {table.name: {} for table in tables}
    folds = [(table, fold) for table in tables if (fold := fold_of(table))]
    for event in told_rows.changes(connection):
        for table, fold in folds:
            told_rows.apply(states[table.name], event, table, fold)
    return states


def check(connection: Connection) -> Iterator[Finding]:
    """A finding for every row that is not what the audit events left."""
    tables = folded()
    states = state_of(connection, *tables)
    for table in tables:
        yield from _compare(connection, table, states[table.name])


def _compare(connection: Connection, table: Table, state: State) -> Iterator[Finding]:
    keys = [column.name for column in table.primary_key.columns]
    rows = {tuple(row[name] for name in keys): row for row in told_rows.stored_rows(connection, table)}
    known = {**state}
    for nameless in [key for key in known if key[0] == ""]:
        told = known.pop(nameless)
        fits = (key for key, row in rows.items() if key not in known and not told_rows.differing(table, row, told))
        known[next(fits, nameless)] = told
    for key, row in rows.items():
        told_here = known.pop(key, None)
        if told_here is None:
            if not _may_be_untold(table, row):
                yield _finding(f"{_named(table, key)} stands in the database, but no audit event tells of it.")
        else:
            yield from _row(table, key, row, told_here)
    for key, told in known.items():
        if told.perhaps:
            continue
        what = _named(table, _words(told) if key[0] == "" else key)
        yield _finding(f"{what} stands in audit event {told.seq}, but not in the database.")


def _row(table: Table, key: Key, row: Mapping[Any, Any], told: Told) -> Iterator[Finding]:
    fold = fold_of(table)
    here = told_rows.told_values(table, row)
    for name in told_rows.differing(table, row, told):
        column, hidden = name.replace("_", " "), fold is not None and name in fold.digested
        values = "" if hidden else f": “{_short(here[name])}” instead of “{_short(told.values[name])}”"
        yield _finding(f"{_named(table, key)}: {column} is not what audit event {told.seq} left{values}.")


def _may_be_untold(table: Table, row: Mapping[Any, Any]) -> bool:
    fold = fold_of(table)
    return fold is not None and fold.untold(row)


def _words(told: Told) -> Key:
    return tuple(value for value in told.values.values() if value not in ("", None))[:1]


def _named(table: Table, key: Key) -> str:
    name = table.name.replace("_", " ")
    return f"{name[0].upper()}{name[1:]} {' '.join(_short(part) for part in key)}"


def _short(value: Any) -> str:
    text = "nothing" if value in ("", None) else "something" if value is ... else str(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _finding(message: str) -> Finding:
    return Finding("", None, "", "table", message)
