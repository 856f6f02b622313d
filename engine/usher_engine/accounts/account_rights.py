"""The role and groups of an existing account: who may change them, and the last administrator, who cannot go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from ..core.actor import Actor
from ..core.errors import Conflict, NotAllowed
from ..store.instance_rows import one_at_a_time
from .account_tables import account
from .account_values import may_sign_in
from .roles import Role


def one_change_at_a_time(connection: Connection) -> None:
    """Two administrators must not take the right away from each other in the same moment."""
    one_at_a_time(connection, "rights")


def changer(connection: Connection, by: str) -> Actor:
    """Who changes a setting: the account called *by*, else the command line."""
    role = connection.execute(select(account.c.role).where(account.c.name == by)).scalar()
    return Actor(name=by, role=role or "system")


def change(connection: Connection, before: Mapping[str, Any], rights: Mapping[str, str], *, by: str) -> bool:
    """Set the *rights* of the account in row *before*; False if it has them. Raises like `Accounts.change_rights`."""
    if all(before[name] == value for name, value in rights.items()):
        return False
    if before["name"] == by:
        raise NotAllowed("Nobody changes their own role and groups. Ask another administrator.")
    if rights["role"] != Role.ADMIN.value:
        require_other_admin(connection, before)
    connection.execute(update(account).where(account.c.name == before["name"]).values(**rights))
    return True


def require_other_admin(connection: Connection, row: Mapping[str, Any]) -> None:
    """Raise `Conflict` if the account in *row* is the only administrator who may sign in."""
    if row["role"] != Role.ADMIN.value or not may_sign_in(row):
        return
    admins = connection.execute(select(account).where(account.c.role == Role.ADMIN.value)).mappings()
    if not any(may_sign_in(other) and other["name"] != row["name"] for other in admins):
        raise Conflict(f"{row['name']} is the last administrator. Make somebody else one first.")


def details(before: Mapping[str, Any], after: Mapping[str, str]) -> dict[str, str]:
    """What changed, for the audit event: role and groups, each with what it was before if it changed."""
    found: dict[str, str] = {}
    for name, words in (("role", str), ("groups", _listed)):
        found[name] = words(after[name])
        if before[name] != after[name]:
            found[f"{name} before"] = words(before[name])
    return found


def _listed(groups: str) -> str:
    return ", ".join(json.loads(groups))
