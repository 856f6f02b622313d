"""WSGI middleware in front of the application: trusted and unknown proxies, host names in lower case."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEY = "usher.proxies"

log = logging.getLogger("usher.proxies")

#: Headers that proxies add, by their WSGI names.
FORWARDED = frozenset({
    "HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP",
    "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_BY", "HTTP_X_FORWARDED_PREFIX",
})  # fmt: skip


class UnknownProxies:
    """With USHER_PROXIES=0: drops forwarding headers, and at the first warns that all visitors share one address."""

    def __init__(self, answer: WSGIApplication) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.seen = False

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if not FORWARDED.isdisjoint(environ):
            self._warn()
            for name in FORWARDED:
                environ.pop(name, None)
        return self._answer(environ, start)

    def _warn(self) -> None:
        with self._lock:
            first, self.seen = not self.seen, True
        if first:
            log.warning(
                "a request came through a proxy (it has a header like X-Forwarded-For), and USHER_PROXIES is 0: all "
                "visitors share the proxy's address and its limits. Set USHER_PROXIES to the number of proxies"
            )


def register(app: Flask, proxies: int) -> None:
    """Wrap *app*; trust the forwarding headers of that many *proxies*."""
    answer = _with_plain_host(app.wsgi_app)
    if proxies:
        answer = ProxyFix(answer, x_for=proxies, x_proto=proxies, x_host=proxies)
    else:
        answer = app.extensions[KEY] = UnknownProxies(answer)
    app.wsgi_app = answer  # type: ignore[method-assign,assignment]


def unknown_proxy(app: Flask) -> bool:
    """Whether requests have come through a proxy although USHER_PROXIES is 0."""
    found: UnknownProxies | None = app.extensions.get(KEY)
    return found is not None and found.seen


def _with_plain_host(answer: WSGIApplication) -> WSGIApplication:
    """Lower-case the Host header: case does not matter (RFC 3986, 3.2.2), but werkzeug compares it as written."""

    def answering(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if "HTTP_HOST" in environ:
            environ["HTTP_HOST"] = environ["HTTP_HOST"].lower()
        return answer(environ, start)

    return answering
