"""The connection to the one database: transactions, their locks, and what their failures mean in plain words."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, NoSuchModuleError, OperationalError

from ..core.errors import Conflict, Corrupt, InvalidSubmission, Misconfigured, Unavailable
from .private_files import create, tighten

BUSY_TIMEOUT_MS = 5_000

#: Ten connections are kept; no thread waits for one: how many threads there are, the settings say.
POOL: dict[str, Any] = {"pool_size": 10, "max_overflow": -1}

#: How long asking PostgreSQL to end a statement may take.
INTERRUPT_S = 2.0

#: Marks a connection whose transaction queued a job.
QUEUED = "usher_queued"

#: The kinds of cases a connection's transaction has added; nobody else can see them before its commit.
NEW_KINDS = "usher_new_kinds"

#: What a statement may raise. `Database` says what it means; only it may catch these.
DATABASE_ERRORS = (DBAPIError, OverflowError)

#: An open transaction, as the layers above pass it through without speaking SQL.
Transaction: TypeAlias = Connection


class Database:
    """
    Opens transactions on SQLite or PostgreSQL.

    SQLite runs in WAL with ``synchronous=FULL``; a writing transaction takes the lock at its start (``BEGIN
    IMMEDIATE``). PostgreSQL locks the instance row (`store.instances.lock`). Its connections are closed when nobody
    holds it any more.
    """

    def __init__(self, url: str) -> None:
        #: Called after a commit that queued a job; the embedded worker hangs its `wake` here.
        self.on_queued: Callable[[], None] = _nobody
        self._at_work: dict[int, Connection] = {}
        self._leaving = threading.Lock()
        try:
            parsed = make_url(url)
            self.is_sqlite = parsed.get_backend_name() == "sqlite"
            if self.is_sqlite:
                timeout = {"timeout": BUSY_TIMEOUT_MS / 1000}
                pool = POOL if _is_file(parsed.database or "") else {}
                self.db = create_engine(parsed, connect_args=timeout, hide_parameters=True, **pool)
                event.listen(self.db, "do_connect", _create_sqlite)
                event.listen(self.db, "connect", _prepare_sqlite)
                event.listen(self.db, "begin", _begin_sqlite)
            elif parsed.get_backend_name() == "postgresql":
                options = f"-c lock_timeout={BUSY_TIMEOUT_MS} -c idle_in_transaction_session_timeout=60000"
                sent = {"options": options}
                self.db = create_engine(parsed, connect_args=sent, pool_pre_ping=True, hide_parameters=True, **POOL)
            else:
                raise Misconfigured("USHER_DATABASE_URL must begin with sqlite: or postgresql+psycopg:")
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise Misconfigured("USHER_DATABASE_URL is no database address SQLAlchemy understands.") from error
        weakref.finalize(self, self.db.dispose)

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        """A writing transaction; commits at the end, rolls back on any exception."""
        with _plain_errors(), self._connected() as connection:
            writing = connection.execution_options(usher_write=True)
            writing.info.pop(QUEUED, None)
            writing.info.pop(NEW_KINDS, None)
            with writing.begin():
                yield writing
            if writing.info.pop(QUEUED, None):
                self.on_queued()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading transaction: one consistent view, no lock that hinders writers."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with _plain_errors(), self._connected() as connection:
            reading = connection.execution_options(**options)
            with reading.begin():
                yield reading

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection, which `interrupt` knows as this thread's until it goes back to the pool."""
        thread = threading.get_ident()
        with self.db.connect() as connection:
            outer, self._at_work[thread] = self._at_work.get(thread), connection
            try:
                yield connection
            finally:
                with self._leaving:
                    if outer is None:
                        self._at_work.pop(thread, None)
                    else:
                        self._at_work[thread] = outer

    def interrupt(self, thread: int) -> None:
        """End the statement *thread* waits for, where there is one: no exception reaches it there by itself."""
        with self._leaving, contextlib.suppress(DBAPIError, OSError, sqlite3.Error):
            connection = self._at_work.get(thread)
            if connection is None or connection.closed:
                return
            driver: Any = connection.connection.driver_connection
            if self.is_sqlite:
                driver.interrupt()
            else:
                driver.cancel_safe(timeout=INTERRUPT_S)

    def close(self) -> None:
        self.db.dispose()


def _nobody() -> None:
    """No worker runs in this process."""


def _is_file(name: str) -> bool:
    return bool(name) and not name.startswith((":memory:", "file:"))


def _tighten_sqlite(cursor: Any) -> None:
    """
    Keep other accounts out of an older database and the files beside it, without opening one.

    Closing a file that SQLite has open elsewhere in this process would drop SQLite's locks (howtocorrupt.html, 2.2).
    """
    (_, _, name), *_ = cursor.execute("PRAGMA database_list").fetchall()
    for beside in ("", "-wal", "-shm") if name else ():
        tighten(Path(name + beside))


def _create_sqlite(_dialect: Any, _record: Any, given: list[Any], _named: dict[str, Any]) -> None:
    """SQLite would create the file for everybody to read; those it puts beside it take after it."""
    if _is_file(given[0]):
        create(Path(given[0]))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.text_factory = _text
    connection.isolation_level = None  # SQLAlchemy's "begin" event below says BEGIN, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        try:
            cursor.execute(f"PRAGMA {pragma}")
            if pragma.startswith("journal_mode"):
                _tighten_sqlite(cursor)  # it is a database: a mistaken address must not change another file
        except Exception:
            if not pragma.startswith("journal_mode"):  # a read-only file cannot change its journal; reads still work
                raise
    cursor.close()


def _text(stored: bytes) -> str:
    """Text as it lies there; what is no UTF-8 was altered, and is seen as that instead of ending every read."""
    return stored.decode(errors="backslashreplace")


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("usher_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        told = _without_values(error)
        if "append-only" in str(error.orig):
            raise Corrupt("History is append-only: what is recorded stays. Nothing was changed.") from told
        if isinstance(error, IntegrityError) and _is_duplicate(error):
            raise Conflict("Somebody else wrote the same just now; nothing of this was saved. Try again.") from told
        if isinstance(error, DataError):
            raise InvalidSubmission(_UNFIT.get(getattr(error.orig, "sqlstate", None) or "", _UNREADABLE)) from told
        words = _plain(error)
        if words is None:
            raise told from None
        raise Unavailable(words) from told
    except OverflowError as error:  # SQLite's driver says so before it asks the database
        raise InvalidSubmission(_UNFIT["22003"]) from error
    except UnicodeEncodeError as error:  # half a character, which no database can keep; both drivers say so themselves
        raise InvalidSubmission(_UNREADABLE) from error


class Withheld(Exception):
    """What the database said is withheld: it may repeat what was to be stored."""


def _without_values(error: DBAPIError) -> DBAPIError:
    """*error* as a log may show it: where it happened, the statement and the kind of refusal, no value of anybody's."""
    code = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None) or "no code"
    said = Withheld(f"{type(error.orig).__name__} ({code}); its text is withheld, it may hold what was to be stored")
    told = type(error)(error.statement, None, said, hide_parameters=True)
    return told.with_traceback(error.__traceback__)


def _is_duplicate(error: IntegrityError) -> bool:
    """Whether a unique value was there already: what a race looks like. Other breaches are our own mistakes."""
    reasons = (getattr(error.orig, "sqlite_errorname", ""), getattr(error.orig, "sqlstate", ""))
    return bool({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "23505"} & set(reasons))


_BUSY = "The database is busy; nothing was changed. Try again in a moment."
_FULL = "The disk is full; nothing was changed. Free some space and try again."
_READ_ONLY = "The database is read-only; nothing was changed. Check the file's and the folder's permissions."
_NO_TABLES = "The database has no tables yet. Run: usher db upgrade"
_DAMAGED = "The file is no database, or it is damaged. Check USHER_DATABASE_URL, or restore a backup."
_REFUSED = "The database refuses the log-in. Check name and password in USHER_DATABASE_URL."

_UNREADABLE = "Something in this holds a character that cannot be kept; nothing was changed."

#: What the database has no room for, by SQLSTATE; callers check first, this is the net below them.
_UNFIT = {
    "22001": "A text in this is longer than can be kept; nothing was changed.",
    "22003": "A number in this is larger than can be kept; nothing was changed.",
    "22007": "A date in this cannot be read; nothing was changed.",
    "22008": "A date in this is too far away; nothing was changed.",
}

#: Result codes of SQLite (the low byte, the rest is detail) and SQLSTATEs of PostgreSQL, in plain words.
_KNOWN: dict[int | str, str] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: "The database file cannot be opened. Check that its folder exists and may be written to.",
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    "55P03": "The case is busy; nothing was changed. Try again in a moment.",
    "53100": _FULL,
    "25006": _READ_ONLY,
    "42P01": _NO_TABLES,
}


def _plain(error: DBAPIError) -> str | None:
    """Why the database cannot be used, in plain words; None for a mistake of ours, which must not pass for that."""
    cause, text = error.orig, str(error.orig)
    code = getattr(cause, "sqlite_errorcode", None)
    known = _KNOWN.get(code & 0xFF if code else getattr(cause, "sqlstate", None) or "")
    if known or "no such table" in text:
        return known or _NO_TABLES
    if error.connection_invalidated:
        return "The connection to the database was lost. Look at what is stored now before you try again."
    if not isinstance(error, OperationalError):
        return None
    if 'FATAL:  database "' in text:  # before there is a connection, PostgreSQL gives no SQLSTATE, only words
        return "The server has no database of this name. Create it, or check USHER_DATABASE_URL."
    if "authentication failed" in text or 'FATAL:  role "' in text or "no pg_hba.conf entry" in text:
        return _REFUSED
    return "The database cannot be reached; nothing was changed. Try again in a moment."


def to_text(moment: datetime) -> str:
    """*moment* as it is stored: UTC, microseconds, always 27 characters."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)
