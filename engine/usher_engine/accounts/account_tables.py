"""The tables of `accounts`. Secrets are stored only as hashes: Argon2id for passwords, SHA-256 for random ones."""

from __future__ import annotations

import json

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from ..store.mention_rows import has_unseen
from ..store.tables.engine_tables import metadata
from ..store.tables.folds import Happened, State, always_told, fold, no_fold
from ..store.told_rows import newest_setting

account = Table(
    "account",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("password", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("groups", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("display_name", String(80), nullable=False, server_default=""),
    #: What the person did last and still follows: JSON, read with every session (followed_acts.py).
    Column("followed", Text, nullable=False, server_default=""),
)

#: The e-mail address of a person: the confirmed one, and one that waits to be confirmed with the link in a mail.
staff_address = Table(
    "staff_address",
    metadata,
    Column("account", String(60), ForeignKey("account.name"), primary_key=True),
    Column("address", String(320), nullable=False),
    Column("confirmed_at", String(27)),
    Column("wanted", String(320), nullable=False),
    Column("wanted_hash", String(64), unique=True),
    Column("wanted_at", String(27)),
)

#: Who gets a mail with the numbers of their tasks each morning; *day* is the morning of the last one, and until *lease*
#: a process has the next in hand. *off_hash* is the hash of the secret in the link that ends them.
mail_digest = Table(
    "mail_digest",
    metadata,
    Column("account", String(60), ForeignKey("account.name"), primary_key=True),
    Column("set_at", String(27), nullable=False),
    Column("off_hash", String(64), nullable=False, unique=True),
    Column("day", String(10), nullable=False),
    Column("lease", String(27)),
)

web_session = Table(
    "web_session",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("account", String(60), ForeignKey("account.name"), nullable=False, index=True),
    Column("created_at", String(27), nullable=False),
    Column("seen_at", String(27), nullable=False, index=True),
    Column("notice", Text, nullable=False),
)

api_token = Table(
    "api_token",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("groups", Text, nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("created_by", String(200), nullable=False),
    Column("used_at", String(27)),
    Column("revoked_at", String(27)),
)

attempt = Table(
    "attempt",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("since", String(27), nullable=False),
    Column("tries", Integer, nullable=False),
)

#: A named search of cases or a view of the inbox (*place*); *shared* is the role that sees it in addition to its owner,
#: empty for none.
saved_search = Table(
    "saved_search",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String(60), nullable=False),
    Column("name", String(80), nullable=False),
    Column("query", Text, nullable=False),
    Column("shared", String(20), nullable=False),
    Column("created_at", String(27), nullable=False),
    Column("place", String(10), nullable=False, server_default="cases"),
    UniqueConstraint("owner", "name"),
    Index("ix_saved_search_shared", "shared"),
)

#: In which order a person wants the saved searches they see; those without a row come last, by name.
saved_search_order = Table(
    "saved_search_order",
    metadata,
    Column("person", String(60), primary_key=True),
    Column("search", Integer, ForeignKey("saved_search.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False),
)


# what the audit events say of these tables (store/tables/folds.py); events of 0.2 and before carry no rows


def _accounts(state: State, event: Happened) -> None:
    key, details = (event.subject,), event.details
    if event.carries_rows:
        return
    match event.setting:
        case "account added":
            event.tell(state, key, role=details["role"], disabled=False, created_by=event.actor)
        case "role and groups":
            names = [name for name in str(details["groups"]).split(", ") if name]
            event.tell(state, key, role=details["role"], groups=json.dumps(names))
        case "account disabled" | "account enabled":
            event.tell(state, key, disabled=event.setting == "account disabled")
        case "display name":
            event.tell(state, key, display_name=details["name"])


def _addresses(state: State, event: Happened) -> None:
    if event.carries_rows:
        return
    match event.setting:
        case "e-mail address asked for":
            event.tell(state, (event.subject,), wanted=event.details["address"])
        case "e-mail address confirmed" | "e-mail address taken over":
            event.tell(state, (event.subject,), address=event.details["address"], confirmed_at=..., wanted="")
        case "e-mail address removed":
            state.pop((event.subject,), None)


def _tokens(state: State, event: Happened) -> None:
    if event.carries_rows:
        return
    match event.setting:
        case "token added":
            event.tell(state, (event.subject,), role=event.details["role"], created_by=event.actor, revoked_at=None)
        case "token revoked":
            event.tell(state, (event.subject,), revoked_at=...)


def _searches(state: State, event: Happened) -> None:
    if event.carries_rows or not event.setting.startswith("saved search "):
        return
    key = (int(event.subject.removeprefix("search ")),)
    if event.setting == "saved search deleted":
        state.pop(key, None)
    elif event.setting == "saved search added":
        event.tell(state, key, owner=event.actor)


fold(
    account,
    _accounts,
    digested=frozenset({"password"}),
    free={"followed": "the lines above a person's next task; nothing is decided from it"},
)
fold(staff_address, _addresses, digested=frozenset({"wanted_hash"}))
fold(
    api_token,
    _tokens,
    digested=frozenset({"hash"}),
    free={"used_at": "when a program last called; a figure for people"},
)
fold(
    mail_digest,
    always_told,
    free={
        "off_hash": "made again from the secret with each mail",
        "day": "the morning of the last mail; a figure of the sender",
        "lease": "which process sends the next; a figure of the sender",
    },
)
fold(saved_search, _searches)
no_fold(
    "A signed-in browser: it ends within hours, its sign-in is an audit event, its account is compared.", web_session
)
no_fold("Counts tries for minutes; who is locked out stands in an audit event.", attempt)
no_fold("The order on one person's screen.", saved_search_order)

#: What is read of a session with every request: its account, and whether a comment mentions them.
SESSION_COLUMNS = (
    *account.c,
    web_session.c.seen_at,
    web_session.c.notice,
    web_session.c.created_at.label("session_created_at"),
    has_unseen(account.c.name).label("is_mentioned"),
    newest_setting(account.c.name),
)
