"""Counters of attempts for rate limits, stored as rows because several processes share a limit; keys are hashed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, update

from ..store.database import to_text
from ..store.upserts import insert_into, sweep
from .account_tables import attempt
from .account_values import hash_secret

#: Counters older than this are swept.
LONGEST_WINDOW = timedelta(days=1)


def count(connection: Connection, key: str, window_s: int, now: datetime) -> int:
    """Count one attempt under *key*; return the count in the current window of *window_s* seconds."""
    row = insert_into(connection, attempt).values(key=hash_secret(key), since=to_text(now), tries=1)
    goes_on = attempt.c.since > to_text(now - timedelta(seconds=window_s))
    changed = {
        "tries": case((goes_on, attempt.c.tries + 1), else_=1),
        "since": case((goes_on, attempt.c.since), else_=to_text(now)),
    }
    counted = row.on_conflict_do_update(index_elements=["key"], set_=changed).returning(attempt.c.tries)
    tries = int(connection.execute(counted).scalar_one())
    if tries == 1:
        sweep(connection, attempt, attempt.c.since < to_text(now - LONGEST_WINDOW))
    return tries


def take_back(connection: Connection, key: str) -> None:
    """Subtract one attempt under *key*, because it succeeded."""
    counted = (attempt.c.key == hash_secret(key)) & (attempt.c.tries > 0)
    connection.execute(update(attempt).where(counted).values(tries=attempt.c.tries - 1))


def forget(connection: Connection, key: str) -> None:
    """Reset the counter of *key*."""
    connection.execute(delete(attempt).where(attempt.c.key == hash_secret(key)))
