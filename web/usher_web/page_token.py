"""
The token a page of ours carries to call the API as an EHR does: short-lived, bound to the session it was made in.

It is never a cookie, so another site cannot make the browser send it. It ends with the session, at the latest after
`MINUTES`.
"""

from __future__ import annotations

import hashlib

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer
from usher_engine.accounts import Account, Session

from .site import site

MINUTES = 15
PREFIX = "page_"
SALT = "usher page token"


class _Clocked(TimestampSigner):
    """Signs with the time of the one clock."""

    def get_timestamp(self) -> int:
        return int(site().now().timestamp())


def issue(session: Session) -> str:
    """A token for a page of *session*."""
    return PREFIX + _serializer().dumps(session.key)


def is_page_token(secret: str) -> bool:
    return secret.startswith(PREFIX)


def holder(secret: str) -> Account | None:
    """Whose page sent the token; None when it is forged, too old, or its session has ended."""
    try:
        key = _serializer().loads(secret.removeprefix(PREFIX), max_age=MINUTES * 60)
    except BadData:
        return None
    return site().accounts.session_account(key) if isinstance(key, str) else None


def _serializer() -> URLSafeTimedSerializer:
    hashing = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(site().settings.secret_key, salt=SALT, signer=_Clocked, signer_kwargs=hashing)
