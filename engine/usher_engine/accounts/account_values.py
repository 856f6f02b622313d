"""Accounts, sessions and tokens as values, and their conversion from and to rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..core.actor import StandIn
from ..core.candidate_groups import groups_of
from ..core.errors import InvalidSubmission
from ..store.tampered_rows import as_text, moment
from .followed_acts import FollowedAct, read_acts
from .roles import FRONT_DESK, Role

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,59}")

#: The history uses these names for Usher itself, patients and strangers.
RESERVED = frozenset({"system", "patient", "stranger", "sample"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A person who may sign in. *groups* are the candidate groups whose tasks they work."""

    name: str
    role: Role
    groups: frozenset[str]
    disabled: bool
    created_at: datetime
    created_by: str
    #: How colleagues see them; empty: by their account's name.
    display_name: str = ""
    #: The acts whose outcome the person still follows, newest first.
    followed: tuple[FollowedAct, ...] = ()
    #: For whom they stand in today; read with a session.
    stands_in: tuple[StandIn, ...] = ()

    @property
    def shown_name(self) -> str:
        return self.display_name or self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A signed-in browser; *secret* is the value of its cookie, of which only the hash is stored."""

    secret: str
    account: Account
    created_at: datetime
    seen_at: datetime
    notice: str
    #: Whether a comment mentions the person that they have not opened yet.
    is_mentioned: bool = False

    @property
    def key(self) -> str:
        """Identifies the session where its secret must not appear; useless for signing in."""
        return hash_secret(self.secret)

    def ends_at(self, *, idle: timedelta, absolute: timedelta) -> datetime:
        """When it ends if nothing is done in it any more."""
        return min(self.seen_at + idle, self.created_at + absolute)

    @property
    def csrf(self) -> str:
        """The token a form of this session must carry; derived from the secret, so that it needs no storage."""
        return hashlib.sha256(f"csrf|{self.secret}".encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A program that may use the API."""

    name: str
    role: Role
    groups: frozenset[str]
    created_at: datetime
    created_by: str
    used_at: datetime | None
    revoked_at: datetime | None


def checked_name(text: str) -> str:
    """*text* as the name of a new person or program; raises `InvalidSubmission`."""
    name, reason = text.strip(), ""
    if not NAME.fullmatch(name):
        reason = "A name has 1 to 60 letters, digits or . _ - @ and begins with a letter or digit."
    elif name.casefold() in RESERVED:
        reason = f"“{name}” is reserved: the history uses it for what no account did. Choose another name."
    if reason:
        raise InvalidSubmission(f"name: {reason}", fields={"name": reason})
    return name


def rights_columns(role: Role, groups: Iterable[str]) -> dict[str, str]:
    names = sorted({name for group in groups for name in groups_of(group)})
    if role is Role.STAFF and not names:
        names = [FRONT_DESK]
    return {"role": role.value, "groups": json.dumps(names)}


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def may_sign_in(row: Mapping[Any, Any]) -> bool:
    """Whether the account may be used: it is enabled, and its role and groups can be read."""
    return not row["disabled"] and _role(row) is not None and _groups(row) is not None


def to_account(row: Mapping[Any, Any]) -> Account:
    """The account in a row; one altered so that it cannot be read counts as disabled and has no rights."""
    return Account(
        name=as_text(row["name"]),
        role=_role(row) or Role.STAFF,
        groups=_groups(row) or frozenset(),
        disabled=not may_sign_in(row),
        created_at=moment(row["created_at"]),
        created_by=as_text(row["created_by"]),
        display_name=as_text(row["display_name"]),
        followed=read_acts(row["followed"]),
    )


def to_session(row: Mapping[Any, Any], secret: str, *, seen_at: datetime) -> Session:
    """The session in a row with its account (`account_tables.SESSION_COLUMNS`)."""
    return Session(
        secret=secret,
        account=to_account(row),
        created_at=moment(row["session_created_at"]),
        seen_at=seen_at,
        notice=str(row["notice"] or ""),
        is_mentioned=bool(row["is_mentioned"]),
    )


def to_token(row: Mapping[Any, Any]) -> Token:
    """The token in a row; one altered so that it cannot be read counts as revoked and has no rights."""
    broken = _role(row) is None or _groups(row) is None
    return Token(
        name=as_text(row["name"]),
        role=_role(row) or Role.STAFF,
        groups=_groups(row) or frozenset(),
        created_at=moment(row["created_at"]),
        created_by=as_text(row["created_by"]),
        used_at=moment(row["used_at"]) if row["used_at"] else None,
        revoked_at=moment(row["revoked_at"]) if row["revoked_at"] or broken else None,
    )


def _role(row: Mapping[Any, Any]) -> Role | None:
    return Role(row["role"]) if row["role"] in set(Role) else None


def _groups(row: Mapping[Any, Any]) -> frozenset[str] | None:
    try:
        found = json.loads(row["groups"])
    except (TypeError, ValueError):
        return None
    return frozenset(found) if isinstance(found, list) and all(isinstance(name, str) for name in found) else None
