"""Checks before an account or token is used or made: is it what the audit events left, is its name free?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, func, select

from ..core.errors import Conflict
from ..store.instance_rows import one_at_a_time
from ..store.told_rows import and_as_told, contradictions, last_told, told_in
from . import account_tables as t


def contradiction(connection: Connection, row: Mapping[Any, Any]) -> str:
    """Why nobody may sign in with the account in *row*: the audit events left it otherwise. Empty if they did not."""
    name = str(row["name"])
    wrong = contradictions(t.account, row, last_told(connection, t.account, (name,), name))
    if not wrong:
        return ""
    return (
        f"The account {name} was altered outside Usher ({wrong}), so nobody signs in with it. An administrator can set "
        "it right under People; `usher verify --all` says what the record holds."
    )


def is_contradicted(table: Table, row: Mapping[Any, Any]) -> bool:
    """Whether *row*, read with its `newest_setting`, is not what that event left."""
    return bool(contradictions(table, row, told_in(row["newest_setting"], table, (row["name"],))))


def told_of_account(connection: Connection, rows: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The details *rows* of an event about a person that leaves their account alone: each session asks the newest."""
    return and_as_told(connection, rows, t.account, (name,), name)


def refuse_taken(connection: Connection, name: str) -> None:
    """
    Refuse a name that a person or program has already, in any case: the history identifies them by name alone.

    Two existing names may already differ only in case; they stay as they are.
    """
    one_at_a_time(connection, "names")
    for column, what in ((t.account.c.name, "an account"), (t.api_token.c.name, "a token")):
        taken = connection.execute(select(column).where(func.lower(column) == name.lower())).scalar()
        if taken is not None:
            raise Conflict(f"There is already {what} named {taken}. Every person and program has a name of its own.")
