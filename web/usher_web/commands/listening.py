"""Listens on a port and answers requests until it is stopped."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from types import FrameType, ModuleType
from typing import Never

import click
from flask import Flask
from usher_engine import Misconfigured, Settings
from usher_engine.core import Deadlines
from waitress.server import create_server

from .request_limit import with_time_limit

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows has none
    resource = None

#: Waitress refuses larger bodies before Flask sees them.
MAX_BODY = 4 * 1024 * 1024

#: Connections at once; a slow one costs a few kB until it is done, and no thread (README, “Production”).
MOST_CONNECTIONS, FEWEST_CONNECTIONS = 1_000, 50
#: Further files a process needs open: database, templates, mail.
OTHER_FILES = 200
#: Seconds a connection may stay silent.
IDLE_S = 30

#: The `--port` option's type: click refuses anything else before it reaches the socket.
PORT = click.IntRange(1, 65_535)


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a socket on *port*, bound before anything else starts; raises `Misconfigured` in plain words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen()  # until it listens, another server could still bind the same port
    except OSError as error:
        taken.close()
        raise Misconfigured(_explain(error, host, port)) from None
    return taken


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use. Stop what runs there, or choose another: --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by this account. Choose one above 1024: --port 8000"
    return f"This machine cannot listen on {host}, port {port}: {error.strerror}."


def answer(app: Flask, listening: socket.socket, settings: Settings, deadlines: Deadlines) -> None:
    """Serve *app* until SIGINT or SIGTERM; then running requests have five seconds to finish (waitress's default)."""
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background jobs begin with it ignored
        signal.signal(number, _stop)
    server = create_server(
        with_time_limit(app, deadlines, settings.request_limit_s),
        sockets=[listening],
        threads=settings.threads,
        ident="",
        max_request_body_size=MAX_BODY,
        connection_limit=_room_for_connections(),
        asyncore_use_poll=True,  # select() knows no more than 1,024 files
        channel_timeout=IDLE_S,
        clear_untrusted_proxy_headers=False,  # `usher_web.proxies` does, and warns
    )
    try:
        server.run()
    finally:
        server.close()


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


def _stop(_signal: int, _frame: FrameType | None) -> Never:
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl+C reaches this process, and its supervisor sends it on
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)
