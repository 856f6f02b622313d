"""A statement that takes too long is ended from another thread, and only that one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from usher_engine import Database, Unavailable

PATIENCE_S = 60
SLOW = {
    True: "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000000000) SELECT max(n) FROM c",
    False: "SELECT pg_sleep(600)",
}


def ended(database: Database, work: Callable[[], None]) -> list[str]:
    """The error of *work*, in a separate thread, when its statement is ended repeatedly."""
    said: list[str] = []

    def run() -> None:
        try:
            work()
        except Unavailable as error:
            said.append(error.message)

    thread = threading.Thread(target=run)
    thread.start()
    until = time.monotonic() + PATIENCE_S
    while thread.is_alive() and time.monotonic() < until:
        database.interrupt(thread.ident or 0)
        thread.join(0.05)
    assert not thread.is_alive()
    return said


def test_a_slow_statement_is_ended_and_its_transaction_rolled_back(database: Database) -> None:
    with database.begin() as tx:
        tx.exec_driver_sql("CREATE TABLE kept (name VARCHAR)")

    def work() -> None:
        with database.begin() as tx:
            tx.exec_driver_sql("INSERT INTO kept VALUES ('lost')")
            tx.exec_driver_sql(SLOW[database.is_sqlite])

    assert ended(database, work) != []
    with database.begin() as tx:
        tx.exec_driver_sql("INSERT INTO kept VALUES ('stays')")
        assert tx.exec_driver_sql("SELECT name FROM kept").scalars().all() == ["stays"]


def test_the_inner_of_two_and_then_the_outer(database: Database) -> None:
    def work() -> None:
        with database.read() as outer:
            try:
                with database.read() as inner:
                    inner.exec_driver_sql(SLOW[database.is_sqlite])
            except Unavailable:
                outer.exec_driver_sql(SLOW[database.is_sqlite])

    assert len(ended(database, work)) == 1


def test_who_waits_for_no_statement_is_left_alone(database: Database) -> None:
    database.interrupt(threading.get_ident())
    with database.read() as tx:
        assert tx.exec_driver_sql("SELECT 1").scalar() == 1
    database.interrupt(threading.get_ident())
    with database.read() as tx:
        assert tx.exec_driver_sql("SELECT 1").scalar() == 1
