"""Recognise a browser that has signed in to an account before, so that strangers cannot lock it out.

One signed cookie for each account, sent to the sign-in page only. It grants nothing (OWASP: device cookies).
"""

from __future__ import annotations

import hashlib
import secrets

from flask import request
from itsdangerous import BadData
from werkzeug.wrappers import Response

from .signing import serializer
from .site import site

SALT = "usher known browser"
SECONDS = 180 * 24 * 3600


def known_browser(name: str) -> str:
    """The id of the requesting browser if it has signed in to *name* before, else an empty text."""
    try:
        found = serializer(SALT).loads(request.cookies.get(_cookie(name), ""), max_age=SECONDS)
    except BadData:
        return ""
    whose, browser = found if isinstance(found, list) and len(found) == 2 else ("", "")
    return browser if whose == name.lower() and isinstance(browser, str) else ""


def remember(response: Response, name: str, path: str) -> None:
    """Set the cookie that lets `known_browser` recognise this browser for *name*, at the sign-in page *path*."""
    value = serializer(SALT).dumps([name.lower(), known_browser(name) or secrets.token_urlsafe(16)])
    secure = site().settings.env != "development"
    response.set_cookie(
        _cookie(name), value, max_age=SECONDS, path=path, httponly=True, secure=secure, samesite="Strict"
    )


def _cookie(name: str) -> str:
    """The cookie's name holds a hash of the account's name; browsers send __Secure- cookies over HTTPS only."""
    prefix = "" if site().settings.env == "development" else "__Secure-"
    return f"{prefix}usher-known-{hashlib.sha256(name.lower().encode()).hexdigest()[:16]}"
