"""Counts what a thread asks of a database: the statements and the transactions it begins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event
from usher_engine.store import Database


@dataclass
class Asked:
    """What was asked since it was made; a transaction counts when it begins."""

    statements: list[str] = field(default_factory=list)
    transactions: int = 0

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.statements), self.transactions

    def __str__(self) -> str:
        lines = [f"{number:3} {' '.join(text.split())[:300]}" for number, text in enumerate(self.statements, 1)]
        return "\n".join([f"{len(self.statements)} statements in {self.transactions} transactions:", *lines])


class _Listener:
    """Hears all of a database and notes what the thread that listens asks; it stays, for other threads run on."""

    def __init__(self, database: Database) -> None:
        self.here = threading.local()
        event.listen(database.db, "before_cursor_execute", self._statement)
        event.listen(database.db, "begin", self._begun)

    def _statement(self, _connection: Any, _cursor: Any, text: str, *_more: Any) -> None:
        for asked in getattr(self.here, "asked", ()):
            asked.statements.append(text)

    def _begun(self, _connection: Any) -> None:
        for asked in getattr(self.here, "asked", ()):
            asked.transactions += 1


_listeners: WeakKeyDictionary[Database, _Listener] = WeakKeyDictionary()


@contextmanager
def asked_of(database: Database) -> Iterator[Asked]:
    """What this thread asks of *database* meanwhile; on SQLite the beginning of a transaction is a statement too."""
    if database not in _listeners:
        _listeners[database] = _Listener(database)
    here, asked = _listeners[database].here, Asked()
    here.asked = [*getattr(here, "asked", ()), asked]
    try:
        yield asked
    finally:
        here.asked.remove(asked)
