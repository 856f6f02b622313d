"""Migrations and the tables in code give the same schema, and a database without them is told apart."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from usher_engine import Misconfigured
from usher_engine.store import Database
from usher_engine.store.schema import newest, require_current, upgrade
from usher_engine.tables import metadata


def test_migrated_and_created_are_the_same(database_url: str) -> None:
    database = Database(database_url)
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


def test_every_table_is_in_a_migration(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database)
    with database.read() as tx:
        assert set(metadata.tables) <= set(inspect(tx).get_table_names())
    database.close()
