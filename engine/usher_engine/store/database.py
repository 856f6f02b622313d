"""The connection to the one database: transactions, their locks, and what their failures mean in plain words."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from ..errors import Misconfigured, Unavailable

BUSY_TIMEOUT_MS = 5_000

#: Marks a connection whose transaction queued a job.
QUEUED = "usher_queued"

#: An open transaction, as the layers above pass it through without speaking SQL.
Transaction: TypeAlias = Connection


class Database:
    """
    Opens transactions on SQLite or PostgreSQL.

    SQLite runs in WAL with ``synchronous=FULL``; a writing transaction takes the lock at its start (``BEGIN
    IMMEDIATE``). PostgreSQL locks the instance row (`store.instances.lock`).
    """

    def __init__(self, url: str) -> None:
        #: Called after a commit that queued a job; the embedded worker hangs its `wake` here.
        self.on_queued: Callable[[], None] = _nobody
        try:
            parsed = make_url(url)
            self.is_sqlite = parsed.get_backend_name() == "sqlite"
            if self.is_sqlite:
                self.db = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
                event.listen(self.db, "connect", _prepare_sqlite)
                event.listen(self.db, "begin", _begin_sqlite)
            elif parsed.get_backend_name() == "postgresql":
                options = f"-c lock_timeout={BUSY_TIMEOUT_MS} -c idle_in_transaction_session_timeout=60000"
                self.db = create_engine(parsed, connect_args={"options": options}, pool_pre_ping=True)
            else:
                raise Misconfigured("USHER_DATABASE_URL must begin with sqlite: or postgresql+psycopg:")
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise Misconfigured("USHER_DATABASE_URL is no database address SQLAlchemy understands.") from error

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction; commits at the end, rolls back on any exception."""
        with _plain_errors(), self.db.connect() as connection:
            writing = connection.execution_options(usher_write=True)
            writing.info.pop(QUEUED, None)
            with writing.begin():
                yield writing
            if writing.info.pop(QUEUED, None):
                self.on_queued()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading transaction: one consistent view, no lock that hinders writers."""
        with _plain_errors(), self.db.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.db.dispose()


def _nobody() -> None:
    """No worker runs in this process."""


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event below says BEGIN, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        try:
            cursor.execute(f"PRAGMA {pragma}")
        except Exception:
            if not pragma.startswith("journal_mode"):  # a read-only file cannot change its journal; reads still work
                raise
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("usher_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Unavailable(_plain(str(error.orig).lower())) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("The connection to the database was lost; nothing was changed. Try again.") from error
        raise


def _plain(reason: str) -> str:
    known = {
        "readonly": "The database is read-only; nothing was changed. Check the file's and the folder's permissions.",
        "read-only": "The database is read-only; nothing was changed. Check the file's and the folder's permissions.",
        "unable to open": "The database file cannot be opened. Check that its folder exists and may be written to.",
        "full": "The disk is full; nothing was changed. Free some space and try again.",
        "locked": "The database is busy; nothing was changed. Try again in a moment.",
        "lock timeout": "The case is busy; nothing was changed. Try again in a moment.",
        "no such table": "The database has no tables yet. Run: usher db upgrade",
        "does not exist": "The database has no tables yet. Run: usher db upgrade",
    }
    for sign, words in known.items():
        if sign in reason:
            return words
    return "The database cannot be reached; nothing was changed. Try again in a moment."


def to_text(moment: datetime) -> str:
    """*moment* as it is stored: UTC, microseconds, always 27 characters."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)
