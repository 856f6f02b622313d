"""Databases with all tables: the migrations run once in each process of the tests, every test gets a copy."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from usher_engine.store import Database
from usher_engine.store.schema import upgrade


def new_sqlite(folder: Path, name: str = "usher.db") -> str:
    """The address of a new SQLite database in *folder*."""
    file = folder / name
    file.touch(mode=0o600)
    file.write_bytes(_migrated())
    return f"sqlite:///{file}"


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "usher.db"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()


def migrate(url: str) -> None:
    database = Database(url)
    upgrade(database)
    database.close()
