"""Migrations and the tables in code give the same schema, and a database without them is recognised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from conftest import postgres_database
from sqlalchemy import inspect
from usher_engine import Misconfigured
from usher_engine.release import running_version
from usher_engine.store import Database, release_rows, schema
from usher_engine.store.schema import newest, require_current, upgrade
from usher_engine.store.tables.engine_tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'usher.db'}"
        return
    with postgres_database(request.getfixturevalue("postgres_server"), "template1") as address:
        yield address


def test_migrated_and_created_are_the_same(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(Misconfigured, match="usher db upgrade"):
        require_current(database)
    assert upgrade(database) == upgrade(database)
    require_current(database)
    with database.read() as tx:
        assert MigrationContext.configure(tx).get_current_revision() == newest()
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
        for statement in ("UPDATE step SET revision = 1", "DELETE FROM step"):
            assert _triggers(tx, database.is_sqlite) >= 2, statement
    database.close()


def _triggers(tx: Any, is_sqlite: bool) -> int:
    if is_sqlite:
        return int(tx.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").scalar_one())
    return len(
        tx.exec_driver_sql("SELECT tgname FROM pg_trigger WHERE tgrelid = 'step'::regclass AND NOT tgisinternal").all()
    )


def test_every_table_is_in_a_migration(empty_url: str) -> None:
    database = Database(empty_url)
    upgrade(database)
    with database.read() as tx:
        assert set(metadata.tables) <= set(inspect(tx).get_table_names())
    database.close()


def test_the_database_records_which_versions_upgraded_it(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(empty_url)
    upgrade(database)
    upgrade(database)
    monkeypatch.setattr(schema, "running_version", lambda: "9.9.9")
    upgrade(database)
    with database.read() as tx:
        found = release_rows.all_of(tx)
    assert [(one.version, one.schema) for one in found] == [(running_version(), newest()), ("9.9.9", newest())]
    assert found[0].at < found[1].at
    database.close()
