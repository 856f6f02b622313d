"""A web service of a test's own: real sockets, one answer after the other, as slow, large and odd as the test wants."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

#: Takes the request's head and body; yields what is sent, or pauses (seconds).
Answer = Callable[["Heard"], Iterator[bytes | float]]


@dataclass(frozen=True)
class Heard:
    """A request as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    #: The names of the headers in small letters, one for each line.
    names: list[str] = field(default_factory=list)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class WebService:
    """Answers each request with *answer*, and keeps what it has heard."""

    answer: Answer
    tls: ssl.SSLContext | None = None
    heard: list[Heard] = field(default_factory=list)
    port: int = 0

    @property
    def origin(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            connection.settimeout(10)
            if self.tls is None:
                self._answer(connection)
                return
            with self.tls.wrap_socket(connection, server_side=True) as secured:
                self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        while (heard := _hear(connection)) is not None:
            self.heard.append(heard)
            for part in self.answer(heard):
                if isinstance(part, float):
                    time.sleep(part)
                else:
                    connection.sendall(part)


def _hear(connection: socket.socket) -> Heard | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    headers = dict(pairs)
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65_536)
    return Heard(method, target, headers, body, sorted(name for name, _ in pairs))


@contextlib.contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[WebService]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        service = WebService(answer, tls, port=listening.getsockname()[1])
        threading.Thread(target=service.serve, args=(listening,), daemon=True).start()
        try:
            yield service
        finally:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)  # an `accept` under way would keep the port open for one more


def reply(content: Any, status: int = 200, **headers: str) -> bytes:
    """An answer with *content*: JSON, or bytes as they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body


def always(content: Any, status: int = 200, **headers: str) -> Answer:
    """The same answer to every request."""
    return lambda _heard: iter((reply(content, status, **headers),))
