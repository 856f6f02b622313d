"""The triggers that keep the record append-only: which of them are missing or altered, and creating them again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection

from .tables import record_tables  # noqa: F401 - its tables have guards
from .tables.engine_tables import metadata

_NAME = re.compile(r"CREATE (?:OR REPLACE )?(TRIGGER|FUNCTION) (\w+)")


def altered_guards(connection: Connection) -> list[str]:
    """The names of the triggers that are missing, switched off or not as Usher created them."""
    found = _sqlite(connection) if connection.dialect.name == "sqlite" else _postgresql(connection)
    return sorted(name for name, statement in _wanted(connection) if found.get(name) != _plain(statement))


def restore_guards(connection: Connection) -> list[str]:
    """Create the altered triggers again; return their names."""
    altered = altered_guards(connection)
    tables = {name: table for table in metadata.tables for name, _ in _of_table(connection, table)}
    for name, statement in _wanted(connection):
        if name in altered and " FUNCTION " not in statement[:40]:
            drop = f"DROP TRIGGER IF EXISTS {name}"
            connection.exec_driver_sql(drop if connection.dialect.name == "sqlite" else f"{drop} ON {tables[name]}")
        if name in altered:
            connection.exec_driver_sql(statement.replace("%", "%%"))
    return altered


def _wanted(connection: Connection) -> Iterator[tuple[str, str]]:
    for table in metadata.tables:
        yield from _of_table(connection, table)


def _of_table(connection: Connection, table: str) -> Iterator[tuple[str, str]]:
    for statement in metadata.tables[table].info.get("guards", {}).get(connection.dialect.name, ()):
        found = _NAME.search(statement)
        if found:
            yield found[2], statement


def _sqlite(connection: Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name: _plain(sql) for name, sql in rows}


def _postgresql(connection: Connection) -> dict[str, str]:
    """Functions by their body; triggers that are switched on, by their definition."""
    functions = connection.exec_driver_sql(
        "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
    )
    triggers = connection.exec_driver_sql(
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    )
    return {name: _plain(text) for name, text in [*functions, *triggers]}


def _plain(statement: str) -> str:
    """A statement as both the code and the database write it: of a function only its body."""
    body = statement.split("$$")[1] if "$$" in statement else statement
    words = " ".join(body.split()).replace("public.", "")
    return words.replace("UPDATE OR DELETE", "DELETE OR UPDATE").replace("( ", "(").replace(" )", ")")
