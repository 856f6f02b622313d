"""Creates and migrates the schema with Alembic; the migrations lie in `migrations/`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from ..errors import Misconfigured
from ..tables import metadata
from .database import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def upgrade(database: Database) -> str:
    """Bring the schema to the newest revision, in one transaction; returns that revision's id."""
    config = _config()
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return _newest(config)


def require_current(database: Database) -> None:
    """Raise `Misconfigured` unless the schema is at the newest revision."""
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    newest = _newest(_config())
    if found != newest:
        state = "has no tables yet" if found is None else f"is at schema {found}, this Usher needs {newest}"
        raise Misconfigured(f"The database {state}. Run: usher db upgrade")


def create_for_tests(database: Database) -> None:
    """All tables at once, without migrations; tests/contract shows that both ways give the same schema."""
    with database.begin() as connection:
        metadata.create_all(connection)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _newest(config: Config) -> str:
    return str(ScriptDirectory.from_config(config).get_current_head())
