"""`GET /events`: a stream that tells a browser of changes, for as long as its session lasts."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from io import BytesIO
from typing import Any

from ..staff.live_pages import WINDOW, Window
from .buffered_answer import Application, refusal
from .live_windows import END, LiveWindows, OpenWindow
from .thread_pool import ThreadPool
from .wsgi_bridge import Receive, Scope, Send, WsgiBridge
from .wsgi_environ import wsgi_environ

PATH = "/events"
#: Seconds between two looks at the session, each with a sign of life for proxies.
HEARTBEAT_S = 15
#: Streams of one session: one a browser, and some that are about to close.
MOST_OF_SESSION = 8
#: Streams leave this share of the connections to requests.
SHARE = 0.75

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
FULL = refusal(503, "Too many windows are open. This one looks for changes every few seconds instead.")
BEGIN = b"retry: 3000\n\nevent: hello\ndata: {}\n\n"
SIGN_OF_LIFE = b":\n\n"
SIGNED_OUT = b"event: over\ndata: {}\n\n"


class EventStream:
    """The ASGI application of the stream. Flask decides who may listen, at the beginning and at every heartbeat."""

    def __init__(
        self, application: Application, threads: ThreadPool, windows: LiveWindows, bridge: WsgiBridge, most: int
    ) -> None:
        self._application, self._threads, self._windows, self._bridge = application, threads, windows, bridge
        self._most = int(most * SHARE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        window = await self._admitted(scope)
        if window is None:
            await self._bridge(scope, receive, send)  # the refusal, as any page's
        elif len(self._windows) >= self._most or self._windows.of_session(window.key) >= MOST_OF_SESSION:
            for message in FULL:
                await send(message)
        else:
            await self._stream(scope, window, receive, send)

    async def _stream(self, scope: Scope, window: Window, receive: Receive, send: Send) -> None:
        opened = self._windows.add(window)
        gone = asyncio.create_task(_when_gone(receive, opened))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await send({"type": "http.response.body", "body": BEGIN, "more_body": True})
            while message := await self._next(scope, opened):
                await send({"type": "http.response.body", "body": message, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._windows.remove(opened)
            gone.cancel()

    async def _next(self, scope: Scope, opened: OpenWindow) -> bytes:
        """The next message, or a sign of life; `END` once the stream is to end."""
        with suppress(TimeoutError):
            return await asyncio.wait_for(opened.messages.get(), HEARTBEAT_S)
        now = await self._admitted({**scope, "query_string": b""})
        if now is None or now.key != opened.window.key or now.viewer != opened.window.viewer:
            opened.put(END)
            return SIGNED_OUT
        return SIGN_OF_LIFE

    async def _admitted(self, scope: Scope) -> Window | None:
        """Ask the application in a thread."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Window | None] = loop.create_future()

        def answer(window: Window | None) -> None:
            if not answered.done():
                answered.set_result(window)

        def ask() -> None:
            found = None
            try:
                found = self._ask(scope)
            finally:
                loop.call_soon_threadsafe(answer, found)

        self._threads.submit(ask)
        return await answered

    def _ask(self, scope: Scope) -> Window | None:
        environ = wsgi_environ(scope, BytesIO(), 0)
        pieces: Any = self._application(environ, lambda *_: None)
        for _ in pieces:
            pass
        if hasattr(pieces, "close"):
            pieces.close()
        found: Window | None = environ.get(WINDOW)
        return found


async def _when_gone(receive: Receive, opened: OpenWindow) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    opened.put(END)
