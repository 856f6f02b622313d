"""The tables of the library: our migration makes what it describes itself, and we learn when it has moved on."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from conftest import postgres_database
from procrastinate.schema import SchemaManager
from sqlalchemy import make_url
from usher_engine.store import Database

MIGRATION = importlib.import_module("usher_engine.migrations.versions.0025_procrastinate")

#: What PostgreSQL knows of a schema, by the kind of thing.
CATALOGUE = {
    "columns": """SELECT table_name, column_name, udt_name, is_nullable, column_default
        FROM information_schema.columns WHERE table_name LIKE 'procrastinate%'""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'procrastinate%'",
    "constraints": """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid::regclass::text LIKE 'procrastinate%'""",
    "functions": r"""SELECT proname, pg_get_function_identity_arguments(oid), regexp_replace(prosrc, '\s+', ' ', 'g')
        FROM pg_proc WHERE proname LIKE 'procrastinate%'""",
    "triggers": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname LIKE 'procrastinate%'",
    "values": """SELECT typname, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
        WHERE typname LIKE 'procrastinate%'""",
}


@pytest.fixture
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with postgres_database(request.getfixturevalue("postgres_server"), "template1") as address:
        yield address


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def catalogue(url: str) -> dict[str, set[tuple[object, ...]]]:
    with psycopg.connect(plain(url)) as connection:
        return {kind: set(connection.execute(query).fetchall()) for kind, query in CATALOGUE.items()}


def test_our_migration_makes_the_librarys_own_schema(postgres_url: str, empty_url: str) -> None:
    with psycopg.connect(plain(empty_url)) as connection:
        connection.execute(SchemaManager.get_schema())
    ours, its = catalogue(postgres_url), catalogue(empty_url)
    assert all(its.values())
    assert ours == its


def test_the_library_has_not_moved() -> None:
    """A new file of the library needs a migration of ours that runs it: `pre` before, `post` after its new code."""
    there = {file.stem for file in Path(SchemaManager.get_migrations_path()).glob("*.sql")}
    assert there == set(MIGRATION.FILES)
    assert MIGRATION.digest(MIGRATION.contents()) == MIGRATION.DIGEST


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_none_of_it(database: Database) -> None:
    with database.read() as tx:
        names = tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE name LIKE 'procrastinate%'").all()
    assert names == []
