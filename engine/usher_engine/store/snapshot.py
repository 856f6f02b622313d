"""One reading transaction for all reads of a page, so that no page mixes two moments (decisions/0025)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

#: Opens a reading transaction; its end closes it.
Opening = Callable[[], AbstractContextManager[Connection]]

#: The execution option that caches what was read in a snapshot.
ANSWERS = "usher_answers"


def answers(connection: Connection) -> dict[Any, Any]:
    """The cache of this snapshot's reads, which cannot become stale; empty in any other transaction."""
    found: dict[Any, Any] = connection.get_execution_options().get(ANSWERS, {})
    return found


class Snapshot:
    """
    A reading transaction that several readers of one thread share; the first of them opens it.

    A reader still active when it ends keeps it open until done: a generator may outlive the page that created it.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._open = ExitStack()
        self._connection: Connection | None = None
        self._readers = 0
        self.is_over = False

    @contextlib.contextmanager
    def reader(self) -> Iterator[Connection]:
        """The connection, for one reader. A failure of the database ends the snapshot: PostgreSQL takes no more."""
        if self._connection is None:
            self._connection = self._open.enter_context(self._opening())
        self._readers += 1
        try:
            yield self._connection
        except DBAPIError:
            self.is_over = True
            raise
        finally:
            self._readers -= 1
            self._close_if_done()

    def end(self) -> None:
        """Accept no more readers."""
        self.is_over = True
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self.is_over and not self._readers:
            with contextlib.suppress(DBAPIError):  # all reads are done, and there is nothing to commit
                self._open.close()


class Thread:
    """What a thread has open: its snapshot, if it shares one, and the writing transaction it is in."""

    def __init__(self) -> None:
        self.writing: Connection | None = None
        self.snapshot: Snapshot | None = None
        self.shares = False

    def current_snapshot(self, opening: Opening) -> Snapshot:
        """The snapshot to read from; a new one if the last has ended."""
        if self.snapshot is None or self.snapshot.is_over:
            self.snapshot = Snapshot(opening)
        return self.snapshot

    def forget(self) -> None:
        """End the snapshot, so that later reads use a new one."""
        if self.snapshot is not None:
            self.snapshot.end()
            self.snapshot = None
