"""Which cases have changed, in every process on the database, as soon as it is committed. Case numbers only."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal_column, select

from .database import CHANNEL, DATABASE_ERRORS, Database
from .tables import engine_tables as t

log = logging.getLogger("usher.live")

#: How often SQLite is asked whether another process has written; this process says so itself.
LOOK_S = 0.1
#: PostgreSQL tells by itself; this often a feed looks whether it is to end, and so many times fewer whether the server
#: still answers.
LISTEN_S, LOOKS = 1.0, 10
#: Pause before another try when the database does not answer.
AGAIN_S = 1.0

#: Called with the numbers of changed cases; None: some may have been missed, look at everything again.
Report = Callable[[frozenset[str] | None], None]


class ChangeFeed:
    """
    Reports changed cases from a thread of its own, between `start` and `stop`.

    PostgreSQL notifies with the commit of a step (`Database.begin`). SQLite's ``data_version`` changes with every
    commit of another connection; the new rows of `step` then say which cases it concerned.
    """

    def __init__(self, database: Database, report: Report) -> None:
        self._database, self._report = database, report
        self._ended, self._committed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="usher-changes", daemon=True)

    def start(self) -> None:
        if self._database.is_sqlite:
            self._database.on_changed = self._committed.set
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._committed.set()
        self._thread.join(LISTEN_S + 4)

    def _work(self) -> None:
        watch = self._watch_sqlite if self._database.is_sqlite else self._listen
        missed = False
        while not self._ended.is_set():
            try:
                with self._database.db.connect() as connection:
                    for changed in watch(connection):
                        if missed or changed:
                            self._report(None if missed else changed)
                            missed = False
            except (*DATABASE_ERRORS, OSError) as error:
                log.warning("changes are not followed for a moment: %s", type(error).__name__)
                missed = True
                self._ended.wait(AGAIN_S)

    def _watch_sqlite(self, connection: Connection) -> Iterator[frozenset[str]]:
        reading = connection.execution_options(usher_single=True)
        number: ColumnElement[int] = literal_column("rowid")
        seen = reading.execute(select(func.coalesce(func.max(number), 0)).select_from(t.step)).scalar_one()
        version = None
        while not self._ended.is_set():
            now = reading.exec_driver_sql("PRAGMA data_version").scalar_one()
            if now != version:
                version = now
                new = select(number, t.step.c.instance).where(number > seen).order_by(number)
                rows = reading.execute(new).all()
                seen = rows[-1][0] if rows else seen
                reading.rollback()
                yield frozenset(str(row.instance) for row in rows)
            self._committed.wait(LOOK_S)
            self._committed.clear()

    def _listen(self, connection: Connection) -> Iterator[frozenset[str]]:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(f"LISTEN {CHANNEL}")
        driver: Any = connection.connection.driver_connection
        yield frozenset()
        while not self._ended.is_set():
            for _ in range(LOOKS):
                for notice in driver.notifies(timeout=LISTEN_S, stop_after=1):
                    yield frozenset(notice.payload.split(","))
                if self._ended.is_set():
                    return
            connection.exec_driver_sql("SELECT 1")
