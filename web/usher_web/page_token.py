"""
The token with which our own pages call the API as an EHR does: short-lived, bound to one session.

It is never a cookie, so another site cannot make the browser send it. It ends with the session, at the latest after
`MINUTES`.
"""

from __future__ import annotations

from itsdangerous import BadData
from usher_engine.accounts import Account, Session

from .signing import serializer
from .site import site

MINUTES = 15
PREFIX = "page_"
SALT = "usher page token"


def issue(session: Session) -> str:
    """A token for a page of *session*."""
    return PREFIX + serializer(SALT).dumps(session.key)


def is_page_token(secret: str) -> bool:
    return secret.startswith(PREFIX)


def holder(secret: str) -> Account | None:
    """The account whose page sent the token; None if it is forged, too old, or its session has ended."""
    try:
        key = serializer(SALT).loads(secret.removeprefix(PREFIX), max_age=MINUTES * 60)
    except BadData:
        return None
    return site().accounts.session_account(key) if isinstance(key, str) else None
