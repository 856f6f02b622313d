"""What lies between the network and the application: host names in any case, and the proxies in front of it."""

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

#: What proxies add, as the server hands it on.
FORWARDED = frozenset({
    "HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_REAL_IP",
    "HTTP_X_FORWARDED_PORT", "HTTP_X_FORWARDED_BY", "HTTP_X_FORWARDED_PREFIX",
})  # fmt: skip


class UnknownProxies:
    """Takes off what a proxy adds that USHER_PROXIES does not count, and warns once: all visitors have its address."""

    def __init__(self, answer: WSGIApplication) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.seen = False

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if not FORWARDED.isdisjoint(environ):
            self._tell()
            for name in FORWARDED:
                environ.pop(name, None)
        return self._answer(environ, start)

    def _tell(self) -> None:
        with self._lock:
            first, self.seen = not self.seen, True
        if first:
            log.warning(
                "a request came through a proxy (it has X-Forwarded-For, Forwarded or X-Real-IP), and USHER_PROXIES "
                "is 0: all visitors share the proxy's address and so its limits. Set it to the number of proxies"
            )


def register(app: Flask, proxies: int) -> None:
    """Put host names and what *proxies* say in order before *app* sees a request."""
    answer = _with_plain_host(app.wsgi_app)
    if proxies:
        answer = ProxyFix(answer, x_for=proxies, x_proto=proxies, x_host=proxies)
    else:
        answer = app.extensions[KEY] = UnknownProxies(answer)
    app.wsgi_app = answer  # type: ignore[method-assign,assignment]


def unknown_proxy(app: Flask) -> bool:
    """Whether requests come through a proxy that USHER_PROXIES does not count."""
    found: UnknownProxies | None = app.extensions.get(KEY)
    return found is not None and found.seen


def _with_plain_host(answer: WSGIApplication) -> WSGIApplication:
    """Host names are the same in any case (RFC 3986, 3.2.2); the framework compares them as they are written."""

    def answering(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if "HTTP_HOST" in environ:
            environ["HTTP_HOST"] = environ["HTTP_HOST"].lower()
        return answer(environ, start)

    return answering
