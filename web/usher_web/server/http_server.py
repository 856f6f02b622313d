"""Answers requests on a socket until it is stopped: uvicorn, the bridge to the application, and the event stream."""

from __future__ import annotations

import asyncio
import logging
import socket
from types import FrameType, ModuleType

from flask import Flask
from usher_engine import Settings
from usher_engine.core import Deadlines
from uvicorn import Config, Server

from .event_stream import PATH, EventStream
from .limited_connection import IDLE_S, LimitedConnection
from .live_windows import LiveWindows
from .request_limit import with_time_limit
from .thread_pool import ThreadPool
from .wsgi_bridge import MAX_BODY, Receive, Scope, Send, WsgiBridge

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows has none
    resource = None

#: Connections at once; a slow one costs a few kB until it is done, and no thread (README, “Production”).
MOST_CONNECTIONS, FEWEST_CONNECTIONS = 1_000, 50
#: Further files a process needs open: database, templates, mail.
OTHER_FILES = 200
#: The longest head of a request.
MAX_HEAD = 64 * 1024
#: Connections that may wait to be taken.
BACKLOG = 1_024
#: Seconds that running requests have to finish after the signal to stop.
GRACE_S = 5


class HttpServer(Server):
    """uvicorn's server; SIGINT or SIGTERM ends it in order, with exit code 0, however often they come."""

    def __init__(self, app: Flask, settings: Settings, deadlines: Deadlines) -> None:
        LimitedConnection.most = most = _room_for_connections()
        application = with_time_limit(app, deadlines, settings.request_limit_s)
        self._threads, self._windows = ThreadPool(settings.threads), LiveWindows(app)
        self._bridge = WsgiBridge(application, self._threads, max(MAX_BODY, settings.largest_upload))
        self._events = EventStream(application, self._threads, self._windows, self._bridge, most)
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # says who sent a bad request, in our log
        super().__init__(
            Config(
                self._route,
                http=LimitedConnection,
                ws="none",
                loop="asyncio",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,  # `usher_web.proxies` does it, and warns
                server_header=False,
                backlog=BACKLOG,
                h11_max_incomplete_event_size=MAX_HEAD,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    def answer(self, listening: socket.socket) -> None:
        """Answer requests on *listening* until `stop` or a signal."""
        try:
            asyncio.run(self.serve(sockets=[listening]))
        finally:
            self._windows.close()
            self._threads.close()

    def stop(self) -> None:
        """End as after a signal; from any thread."""
        self.should_exit = True

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = scope["path"] == PATH and scope["method"] == "GET"
        await (self._events if is_stream else self._bridge)(scope, receive, send)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._windows.start()
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._windows.end()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Stop, without what uvicorn does besides: to raise the signal again, and to cut requests off at the second."""
        self.stop()


def answer(app: Flask, listening: socket.socket, settings: Settings, deadlines: Deadlines) -> None:
    """Serve *app* until SIGINT or SIGTERM; then running requests have five seconds to finish."""
    HttpServer(app, settings, deadlines).answer(listening)


def _room_for_connections() -> int:
    """How many connections may be open at once: what the system's limit on open files leaves, within our own bounds."""
    if resource is None:
        return MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    room = MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else soft - OTHER_FILES
    return max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, room))
