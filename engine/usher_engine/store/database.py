"""The connection to the database: transactions and their locks. plain_errors.py translates their failures."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from ..core.errors import Misconfigured
from .plain_errors import plain_errors
from .private_files import create, tighten
from .queued_work import defer, taken_back
from .snapshot import ANSWERS, Thread

BUSY_TIMEOUT_MS = 5_000

#: Ten connections stay open; no thread waits for one, because the settings limit the number of threads.
POOL: dict[str, Any] = {"pool_size": 10, "max_overflow": -1}

#: How long the request to PostgreSQL to end a statement may take.
INTERRUPT_S = 2.0

#: The case signatures that a connection's transaction has added; invisible to others before its commit.
NEW_SIGNATURES = "usher_new_signatures"

#: The cases that a connection's transaction has changed.
CHANGED = "usher_changed"
#: PostgreSQL's channel on which a commit says which, and how many numbers one message takes (at most 8,000 bytes).
CHANNEL, MOST_IN_NOTICE = "usher_cases", 500

#: The errors a statement may raise. Only `Database` may catch them; it translates them.
DATABASE_ERRORS = (DBAPIError, OverflowError)

#: An open transaction, which the layers above pass on without using SQL.
Transaction: TypeAlias = Connection


class Database:
    """
    Opens transactions on SQLite or PostgreSQL.

    SQLite runs in WAL with ``synchronous=FULL``; a writing transaction takes the lock at its start (``BEGIN
    IMMEDIATE``). PostgreSQL locks the instance row (`store.instance_rows.lock`). The connections are closed with the
    last reference to the `Database`.
    """

    def __init__(self, url: str) -> None:
        #: Called after a commit that queued a job; the embedded worker sets its `wake`.
        self.on_queued: Callable[[], None] = _wake_nothing
        #: Called after a commit that changed cases, on SQLite; `change_feed` sets it.
        self.on_changed: Callable[[], None] = _wake_nothing
        self._at_work: dict[int, Connection] = {}
        self._threads = threading.local()
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
            raise Misconfigured("USHER_DATABASE_URL is not a database address that SQLAlchemy understands.") from error
        weakref.finalize(self, self.db.dispose)

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        """
        A writing transaction; commits at the end, rolls back on any exception.

        It ends the thread's snapshot before it begins, so that the thread's later reads include what it wrote.
        """
        here = self._thread()
        here.forget()
        outer = here.writing
        with plain_errors(), self._connected() as connection:
            writing = connection.execution_options(usher_write=True)
            taken_back(writing)
            writing.info.pop(NEW_SIGNATURES, None)
            writing.info.pop(CHANGED, None)
            with writing.begin():
                here.writing = writing
                try:
                    yield writing
                finally:
                    here.writing = outer
                changed, work = sorted(writing.info.pop(CHANGED, ())), taken_back(writing)
                if not self.is_sqlite:
                    if work:
                        defer(writing, work)
                    for first in range(0, len(changed), MOST_IN_NOTICE):
                        numbers = ",".join(changed[first : first + MOST_IN_NOTICE])
                        writing.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, numbers))
            if changed and self.is_sqlite:
                self.on_changed()
            if work:
                self.on_queued()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """
        One consistent view, without a lock that blocks writers.

        Inside a writing transaction of the same thread this is that transaction, inside `snapshot` the shared one,
        otherwise a reading transaction of its own.
        """
        here = self._thread()
        with plain_errors():
            if here.writing is not None:
                yield here.writing
                return
            with here.current_snapshot(self._shared).reader() if here.shares else self._reading() as connection:
                yield connection

    @contextlib.contextmanager
    def single(self) -> Iterator[Connection]:
        """
        For single statements that need no BEGIN, such as counting an attempt or noting that a session is active.

        No page shows what they write, so they leave the thread's snapshot as it is.
        """
        options: dict[str, Any] = {"usher_single": True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        with plain_errors(), self._connected() as connection:
            yield connection.execution_options(**options)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """
        All reads of this thread in the block share one reading transaction, which the first read opens.

        A writing transaction ends the snapshot; reads after it share the next one (decisions/0025).
        """
        here = self._thread()
        outer, here.shares = here.shares, True
        try:
            yield
        finally:
            here.shares = outer
            if not outer:
                here.forget()

    def _thread(self) -> Thread:
        found: Thread | None = getattr(self._threads, "here", None)
        if found is None:
            found = self._threads.here = Thread()
        return found

    def _shared(self) -> AbstractContextManager[Connection]:
        return self._reading(**{ANSWERS: {}})

    @contextlib.contextmanager
    def _reading(self, **more: Any) -> Iterator[Connection]:
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._connected() as connection:
            reading = connection.execution_options(**{**options, **more})
            with reading.begin():
                yield reading

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection, registered for `interrupt` as this thread's until it returns to the pool."""
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
        """End the statement that *thread* waits for, if any: an exception cannot reach the thread during it."""
        with self._leaving, contextlib.suppress(DBAPIError, OSError, sqlite3.Error):
            connection = self._at_work.get(thread)
            if connection is None or connection.closed:
                return
            driver: Any = connection.connection.driver_connection
            if self.is_sqlite:
                driver.interrupt()
            else:
                driver.cancel_safe(timeout=INTERRUPT_S)

    def remove_traces(self, *, vacuum: bool) -> bool:
        """
        Remove what was deleted from the files, too; False if somebody reads an older state, so that some is left.

        On SQLite deleted text is overwritten with zeros, and the write-ahead log is emptied. On PostgreSQL, with
        *vacuum*, the space of deleted rows is given back; that takes as long as reading the tables.
        """
        with plain_errors():
            if self.is_sqlite:
                with self.single() as connection:
                    busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
                    return not busy
            if vacuum:
                with self.single() as connection:
                    connection.exec_driver_sql("VACUUM")
            return vacuum

    def vacuum_sqlite(self) -> None:
        """Write a file anew without its free pages, which may hold what was deleted before `secure_delete` was on."""
        if self.is_sqlite:
            with plain_errors(), self.single() as connection:
                connection.exec_driver_sql("VACUUM")

    def address(self) -> dict[str, Any]:
        """What psycopg needs to connect to the same PostgreSQL."""
        _, given = self.db.dialect.create_connect_args(self.db.url)
        return {name: value for name, value in given.items() if name != "context"}

    def close(self) -> None:
        self.db.dispose()


def note_changed(connection: Connection, instance: str) -> None:
    """Say with the commit of this transaction that the case has changed (`change_feed`)."""
    connection.info.setdefault(CHANGED, set()).add(instance)


def _wake_nothing() -> None:
    """Nobody in this process waits for it."""


def _is_file(name: str) -> bool:
    return bool(name) and not name.startswith((":memory:", "file:"))


def _tighten_sqlite(cursor: Any) -> None:
    """
    Keep other accounts out of an existing database and its companion files, without opening any of them.

    Closing a file that SQLite has open elsewhere in this process would drop SQLite's locks (howtocorrupt.html, 2.2).
    """
    (_, _, name), *_ = cursor.execute("PRAGMA database_list").fetchall()
    for suffix in ("", "-wal", "-shm") if name else ():
        tighten(Path(name + suffix))


def _create_sqlite(_dialect: Any, _record: Any, given: list[Any], _named: dict[str, Any]) -> None:
    """Create the file first: SQLite would let everyone read it, and its companion files inherit its mode."""
    if _is_file(given[0]):
        create(Path(given[0]))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.text_factory = _text
    connection.isolation_level = None  # SQLAlchemy's "begin" event below sends BEGIN, not the driver
    cursor = connection.cursor()
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
    for pragma in (*pragmas, f"busy_timeout={BUSY_TIMEOUT_MS}"):
        try:
            cursor.execute(f"PRAGMA {pragma}")
            if pragma.startswith("journal_mode"):
                _tighten_sqlite(cursor)  # it is a database: a wrong address must not change another file
        except Exception:
            if not pragma.startswith("journal_mode"):  # a read-only file cannot change its journal; reads still work
                raise
    cursor.close()


def _text(stored: bytes) -> str:
    """Stored text; invalid UTF-8 was altered, and is shown escaped instead of failing every read."""
    return stored.decode(errors="backslashreplace")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("usher_single"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("usher_write") else "BEGIN")


def to_text(moment: datetime) -> str:
    """*moment* as it is stored: UTC, microseconds, always 27 characters."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)
