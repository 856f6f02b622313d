"""The answer of the application: a thread writes it at its own speed, the event loop sends it at the client's."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any

from usher_engine.core import OutOfTime
from usher_engine.core.faults import report as report_fault

#: An answer up to this size stays in memory; a longer one goes through a temporary file.
IN_MEMORY = 256 * 1024
#: Bytes sent at a time.
CHUNK = 64 * 1024
#: A long answer is sent while it is produced, once it has this many bytes or has taken this long.
BEGIN_BYTES, BEGIN_S = IN_MEMORY, 1.0

#: A WSGI application: takes the request and the start of the answer, returns the answer's pieces.
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class BrokenOff(Exception):
    """The answer ends in its middle: its fault is reported already, or nobody waits for it any more."""


class BufferedAnswer:
    """One answer. `run` is for the thread; `begun`, `chunks` and `abandon` are for the event loop *loop*."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._changed = asyncio.Event()
        self._lock = threading.Lock()
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._written = self._sent = 0
        self._is_abandoned = self._is_begun = False
        self._since = time.monotonic()
        self.status, self.headers = 500, list[tuple[bytes, bytes]]()
        self.is_ended = self.is_whole = False

    # the thread's side

    def run(self, application: Application, environ: dict[str, Any]) -> None:
        """Produce the whole answer; a failure in its middle ends it there, and `is_whole` stays false."""
        try:
            pieces = application(environ, self._start)
            try:
                for piece in pieces:
                    self._write(piece)
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
            self.is_whole = True
        except BrokenOff:
            pass
        except (Exception, OutOfTime) as error:  # noqa: BLE001 - the thread goes on with the next request
            report_fault(error, where="web", at="an answer")
        finally:
            self.is_ended = True
            self._tell()

    def _start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        error: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
    ) -> Callable[[bytes], None]:
        """WSGI's ``start_response``; with *error* the answer replaces one that has begun, unless that is on its way."""
        if error and error[1] and self._is_begun:
            raise error[1]
        self.status = int(status.partition(" ")[0])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return self._write

    def _write(self, piece: bytes) -> None:
        with self._lock:
            if self._is_abandoned:
                raise BrokenOff
            self._file.seek(self._written)
            self._written += self._file.write(piece)
        if self._written - self._sent > BEGIN_BYTES or time.monotonic() - self._since > BEGIN_S:
            self._since = time.monotonic()
            self._tell()

    def _tell(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    # the loop's side

    async def begun(self, method: str) -> dict[str, Any]:
        """Wait until the answer is whole, or long enough to be sent while it is produced; return its first message."""
        await self._changed.wait()
        self._is_begun = True
        has_body = method != "HEAD" and self.status not in (204, 304)
        if self.is_whole and has_body and not any(name == b"content-length" for name, _ in self.headers):
            self.headers.append((b"content-length", str(self._written).encode()))
        return {"type": "http.response.start", "status": self.status, "headers": self.headers}

    async def chunks(self) -> AsyncIterator[bytes]:
        """What is there to send, as it comes."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            is_last = self.is_ended
            while chunk := self._next():
                yield chunk
            if is_last:
                return

    def _next(self) -> bytes:
        with self._lock:
            self._file.seek(self._sent)
            chunk = self._file.read(CHUNK)
        self._sent += len(chunk)
        return chunk

    def abandon(self) -> None:
        """Nobody waits: the thread stops at its next piece."""
        self._is_abandoned = True

    def close(self) -> None:
        with self._lock:
            self._is_abandoned = True
            self._file.close()


def refusal(status: int, words: str) -> list[dict[str, Any]]:
    """The ASGI messages of a short answer of the server itself, in plain text."""
    body = words.encode() + b"\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    return [
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body, "more_body": False},
    ]
