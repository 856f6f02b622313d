"""Counts what is asked of a database: the statements and the transactions, and who began which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

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


@contextmanager
def asked_of(database: Database) -> Iterator[Asked]:
    """What is asked of *database* meanwhile; on SQLite the beginning of a transaction is a statement too."""
    asked = Asked()

    def statement(_connection: Any, _cursor: Any, text: str, *_more: Any) -> None:
        asked.statements.append(text)

    def begun(_connection: Any) -> None:
        asked.transactions += 1

    heard = (("before_cursor_execute", statement), ("begin", begun))
    for name, listener in heard:
        event.listen(database.db, name, listener)
    try:
        yield asked
    finally:
        for name, listener in heard:
            event.remove(database.db, name, listener)
