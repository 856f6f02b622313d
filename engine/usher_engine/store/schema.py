"""
Creates and migrates the schema with Alembic; the migrations lie in `migrations/`.

Only `upgrade` loads Alembic: servers and workers just read the current revision, and stay small.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, inspect

from ..core.errors import Misconfigured
from ..release import running_version
from . import release_rows
from .database import Database
from .search_reindex import reindex

#: The revision before which deleted text stayed in free pages of SQLite.
SECURE_DELETE_SINCE = "0029"

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def upgrade(database: Database) -> str:
    """
    Migrate the schema to the newest revision and record the version of Usher, in one transaction.

    Returns the id of the revision.
    """
    from alembic import command  # noqa: PLC0415 it is heavy and only used here
    from alembic.config import Config  # noqa: PLC0415 the same

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.read() as connection:
        before = _found(connection)
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        reindex(connection, only_new=True)
        release_rows.record(connection, running_version(), newest(), datetime.now(UTC))
    if before is not None and before < SECURE_DELETE_SINCE:
        database.vacuum_sqlite()
    return newest()


def require_current(database: Database) -> None:
    """Raise `Misconfigured` unless the schema is at the newest revision."""
    with database.read() as connection:
        found = _found(connection)
    if found != newest():
        state = "has no tables yet" if found is None else f"is at schema {found}, this Usher needs {newest()}"
        raise Misconfigured(f"The database {state}. Run: usher db upgrade")


def _found(connection: Connection) -> str | None:
    """The revision of the schema; None if there are no tables yet."""
    there = inspect(connection).has_table("alembic_version")
    select = "SELECT version_num FROM alembic_version"
    found: str | None = connection.exec_driver_sql(select).scalar_one_or_none() if there else None
    return found


def newest() -> str:
    """The id of the newest revision: migrations are numbered, and their files begin with the number."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
