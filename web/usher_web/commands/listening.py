"""The socket a server listens on, bound before anything else starts."""

from __future__ import annotations

import errno
import socket

import click
from usher_engine import Misconfigured

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
