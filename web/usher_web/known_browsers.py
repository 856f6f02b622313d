"""Browsers in which somebody has signed in before: strangers who guess lock out other browsers, never these.

A cookie for each account, signed, which only the sign-in page gets. It lets nobody in (OWASP: device cookies).
"""

from __future__ import annotations

import hashlib
import secrets

from flask import request
from itsdangerous import BadData
from werkzeug.wrappers import Response

from .signed import serializer
from .site import site

SALT = "usher known browser"
SECONDS = 180 * 24 * 3600


def known(name: str) -> str:
    """The id of the browser that asks, where somebody has signed in to the account *name* with it; empty elsewhere."""
    try:
        found = serializer(SALT).loads(request.cookies.get(_cookie(name), ""), max_age=SECONDS)
    except BadData:
        return ""
    whose, browser = found if isinstance(found, list) and len(found) == 2 else ("", "")
    return browser if whose == name.lower() and isinstance(browser, str) else ""


def remember(response: Response, name: str, path: str) -> None:
    """Know this browser again when somebody signs in to the account *name* at *path*."""
    value = serializer(SALT).dumps([name.lower(), known(name) or secrets.token_urlsafe(16)])
    secure = site().settings.env != "development"
    response.set_cookie(
        _cookie(name), value, max_age=SECONDS, path=path, httponly=True, secure=secure, samesite="Strict"
    )


def _cookie(name: str) -> str:
    """A cookie's name may not say whose it is; browsers keep __Secure- ones to HTTPS."""
    prefix = "" if site().settings.env == "development" else "__Secure-"
    return f"{prefix}usher-known-{hashlib.sha256(name.lower().encode()).hexdigest()[:16]}"
