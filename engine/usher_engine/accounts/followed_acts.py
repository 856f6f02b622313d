"""What a person did last and still follows: the lines above their next task. State of their screens, no record."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from ..store.database import Database, from_text, to_text
from .account_tables import account

#: The most acts kept for one person; the oldest are forgotten.
MOST = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowedAct:
    """An act on a case: *done* says what, like "Update Now is done."; what came of it begins at *revision*."""

    instance: str
    revision: int
    done: str
    at: datetime


class FollowedActs:
    """The acts a person follows, newest first; one for each case."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def follow(self, name: str, act: FollowedAct) -> None:
        """Follow *act* instead of an earlier one on the same case."""
        with self.database.begin() as connection:
            others = [one for one in _read(connection, name) if one.instance != act.instance]
            _write(connection, name, [act, *others][:MOST])

    def forget(self, name: str, instance: str) -> None:
        """Follow this case no longer."""
        with self.database.begin() as connection:
            _write(connection, name, [one for one in _read(connection, name) if one.instance != instance])


def read_acts(stored: Any) -> tuple[FollowedAct, ...]:
    """The acts in a column; none if it cannot be read."""
    try:
        return tuple(FollowedAct(**{**one, "at": from_text(one["at"])}) for one in json.loads(stored or "[]"))
    except (TypeError, ValueError, KeyError):
        return ()


def _read(connection: Connection, name: str) -> tuple[FollowedAct, ...]:
    query = select(account.c.followed).where(account.c.name == name).with_for_update()
    return read_acts(connection.execute(query).scalar())


def _write(connection: Connection, name: str, acts: list[FollowedAct]) -> None:
    stored = json.dumps([{**asdict(one), "at": to_text(one.at)} for one in acts]) if acts else ""
    connection.execute(update(account).where(account.c.name == name).values(followed=stored))
