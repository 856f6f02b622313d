"""Readers of one page share one transaction, on each database; a writer reads from a new one afterwards."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError
from statements import asked_of
from usher_engine.core.errors import NotFound, Unavailable
from usher_engine.store import Database, Transaction
from usher_engine.store.snapshot import answers
from usher_engine.store.tables import engine_tables as t


def add(tx: Transaction, name: str) -> None:
    tx.execute(insert(t.package), {"hash": name, "content": b""})


def there(database: Database) -> int:
    with database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(t.package)).scalar_one())


def elsewhere(database: Database, name: str) -> None:
    """Commit a row in another thread."""

    def write() -> None:
        with database.begin() as tx:
            add(tx, name)

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(20)


def busy(database: Database) -> int:
    """The number of connections in use."""
    return int(database.db.pool.checkedout())  # type: ignore[attr-defined]


def test_what_others_commit_meanwhile_is_not_seen(database: Database) -> None:
    with asked_of(database) as asked, database.snapshot():
        assert there(database) == 0
        elsewhere(database, "theirs")
        assert there(database) == 0
    assert asked.transactions == 1
    assert there(database) == 1
    assert busy(database) == 0


def test_a_page_that_reads_nothing_opens_nothing(database: Database) -> None:
    with asked_of(database) as asked, database.snapshot():
        pass
    assert asked.counts == (0, 0)


def test_a_command_ends_the_snapshot_and_its_writing_is_seen(database: Database) -> None:
    with database.snapshot():
        assert there(database) == 0
        elsewhere(database, "theirs")
        with database.begin() as tx:
            assert busy(database) == 1
            add(tx, "ours")
            assert there(database) == 2  # joined: it sees what is not committed yet
        assert there(database) == 2
        elsewhere(database, "later")
        assert there(database) == 2
    assert busy(database) == 0


def test_a_command_that_fails_leaves_nothing_behind(database: Database) -> None:
    with database.snapshot():
        with contextlib.suppress(NotFound), database.begin() as tx:
            add(tx, "ours")
            raise NotFound
        assert there(database) == 0
    assert busy(database) == 0


def test_an_error_of_ours_keeps_the_snapshot(database: Database) -> None:
    with asked_of(database) as asked, database.snapshot():
        with pytest.raises(NotFound), database.read():
            raise NotFound
        assert there(database) == 0
    assert asked.transactions == 1


def test_a_failure_of_the_database_ends_it_and_the_error_page_reads_a_fresh_one(database: Database) -> None:
    with database.snapshot():
        assert there(database) == 0
        with pytest.raises((Unavailable, DBAPIError)), database.read() as tx:
            tx.execute(text("SELECT * FROM no_such_table"))
        assert there(database) == 0
    assert busy(database) == 0


def test_an_exception_out_of_it_closes_it(database: Database) -> None:
    with contextlib.suppress(KeyboardInterrupt), database.snapshot():
        assert there(database) == 0
        raise KeyboardInterrupt
    assert busy(database) == 0


def test_a_snapshot_within_one_is_the_same(database: Database) -> None:
    with asked_of(database) as asked, database.snapshot():
        assert there(database) == 0
        with database.snapshot():
            assert there(database) == 0
        assert there(database) == 0
    assert asked.transactions == 1


def test_what_reads_on_keeps_its_own_view_and_hinders_no_other(database: Database) -> None:
    """A streamed answer begins while the page is made, and goes on after it."""

    def numbers() -> Iterator[int]:
        with database.read() as tx:
            yield tx.execute(select(func.count()).select_from(t.package)).scalar_one()
            yield tx.execute(select(func.count()).select_from(t.package)).scalar_one()

    streamed = numbers()
    with database.snapshot():
        assert next(streamed) == 0
        with database.begin() as tx:
            add(tx, "ours")
        assert there(database) == 1
    assert busy(database) == 1
    assert next(streamed) == 0
    assert list(streamed) == []
    assert busy(database) == 0


def test_threads_share_no_snapshot(database: Database) -> None:
    seen: list[int] = []
    with database.snapshot():
        assert there(database) == 0
        elsewhere(database, "theirs")
        other = threading.Thread(target=lambda: seen.append(there(database)))
        other.start()
        other.join(20)
        assert there(database) == 0
    assert seen == [1]


def test_what_was_read_is_kept_for_the_snapshot_only(database: Database) -> None:
    with database.snapshot():
        with database.read() as tx:
            answers(tx)["asked"] = 1
        with database.read() as tx:
            assert answers(tx) == {"asked": 1}
        with database.begin() as tx:
            answers(tx)["asked"] = 2
            assert answers(tx) == {}  # what a command reads, it may change
        with database.read() as tx:
            assert answers(tx) == {}
    with database.read() as tx:
        answers(tx)["asked"] = 3
        assert answers(tx) == {}


def test_a_statement_that_needs_no_other_is_committed_at_once_and_leaves_the_snapshot(database: Database) -> None:
    with database.snapshot():
        assert there(database) == 0
        with asked_of(database) as asked, database.single() as alone:
            add(alone, "single")
        assert len(asked.statements) == 1
        assert there(database) == 0
    assert there(database) == 1
    assert busy(database) == 0


def test_after_a_statement_of_its_own_a_connection_begins_transactions_as_before(database: Database) -> None:
    """The pool gives the same connection out again."""
    with database.single() as alone:
        add(alone, "single")
    with contextlib.suppress(NotFound), database.begin() as tx:
        add(tx, "undone")
        raise NotFound
    assert there(database) == 1
