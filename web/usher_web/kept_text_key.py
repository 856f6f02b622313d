"""The key with which a browser encrypts what a person types, until the server has it as a draft.

It is derived from a secret of ours, the account and a random cookie of this browser for this account. An ended session
leaves the cookie, so that the person can read the text after signing in again; signing out removes it, and with it the
last way to read the text. Nobody else who uses the browser gets the same key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from flask import Flask, Response, g, request
from usher_engine.accounts import Session
from werkzeug.wrappers import Response as AnyResponse

from .site import site

SECONDS = 7 * 24 * 3600
_NONCE = re.compile(r"[\w-]{43}", re.ASCII)


def kept_text_key() -> str:
    """The key of the signed-in person in this browser, base64 of 32 bytes; empty if nobody is signed in."""
    session: Session | None = g.get("session")
    if session is None:
        return ""
    name = session.account.name
    nonce = request.cookies.get(_cookie(name), "")
    if not _NONCE.fullmatch(nonce):
        nonce = g.get("new_kept_nonce") or secrets.token_urlsafe(32)
        g.new_kept_nonce = nonce
    key = hmac.new(site().settings.secret_key.encode(), f"kept text|{name}|{nonce}".encode(), hashlib.sha256)
    return base64.b64encode(key.digest()).decode()


def forget_key(response: AnyResponse, name: str) -> None:
    """Remove the cookie: what *name* has kept in this browser cannot be read any more."""
    response.delete_cookie(_cookie(name), httponly=True, secure=_secure(), samesite="Lax", path="/")


def register(app: Flask) -> None:
    """Set the cookie with the first page that uses the key."""
    app.after_request(_with_cookie)


def _with_cookie(response: Response) -> Response:
    session, nonce = g.get("session"), g.get("new_kept_nonce")
    if session is not None and nonce:
        response.set_cookie(
            _cookie(session.account.name),
            nonce,
            max_age=SECONDS,
            httponly=True,
            secure=_secure(),
            samesite="Lax",
            path="/",
        )
    return response


def _cookie(name: str) -> str:
    """The cookie's name holds a hash of the account's name; `__Host-` as for the session's own."""
    return f"{'__Host-' if _secure() else ''}usher-kept-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _secure() -> bool:
    return site().settings.env != "development"
