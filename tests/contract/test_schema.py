"""Migrations and the tables in code give the same schema, and a database without them is recognised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from conftest import postgres_database
from sqlalchemy import inspect, text
from usher_engine import Misconfigured
from usher_engine.release import running_version
from usher_engine.store import Database, release_rows, schema, task_draft_rows
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
        ours = MigrationContext.configure(tx, opts={"include_name": not_of_the_library})
        assert compare_metadata(ours, metadata) == []
        for statement in ("UPDATE step SET revision = 1", "DELETE FROM step"):
            assert _triggers(tx, database.is_sqlite) >= 2, statement
    database.close()


def not_of_the_library(name: str | None, kind: str, _within: object) -> bool:
    return kind != "table" or not (name or "").startswith("procrastinate_")


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


CASE = """INSERT INTO instance (id, process, version, definition, business_key, status, revision, head, started_at,
outcome, explanation, kind) VALUES ('CASE00000001', 'p', 1, 'h', '', 'waiting', 1, :head, :at, '', '', 1)"""
TASK = """INSERT INTO user_task (instance, element, visit, process, business_key, title, message, form, candidate_group,
assignee, created_at, due_at, priority, cancellable, draft, draft_at, sort_key) VALUES ('CASE00000001', :element, 1,
'p', '', 't', 'm', '', '', :assignee, :at, '', 50, 0, :draft, :at, :element)"""


def test_an_older_draft_goes_to_whoever_had_claimed_the_task(empty_url: str) -> None:
    database = Database(empty_url)
    config, at = Config(), "2026-05-04T09:00:00.000000Z"
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with database.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0016")
        tx.execute(text(CASE), {"head": b"\0", "at": at})
        drafts = (("A", "alice", '{"a":"half"}'), ("B", "", '{"a":"whose"}'), ("C", "bob", None))
        for element, assignee, draft in drafts:
            tx.execute(text(TASK), {"element": element, "assignee": assignee, "draft": draft, "at": at})
    upgrade(database)
    with database.read() as tx:
        found = task_draft_rows.of_case(tx, "CASE00000001")
        assert {here: [(one.person, one.typed) for one in those] for here, those in found.items()} == {
            "A:1": [("alice", {"a": "half"})]
        }
        assert len(tx.execute(text("SELECT element FROM user_task")).all()) == 3
    database.close()
