"""A connection that does not wait for ever: for the head of a request, for more of it, or for a client that reads."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds a connection may stay silent in the middle of a request, take for a head, or leave an answer unread.
IDLE_S = 30

#: The value of SO_LINGER that resets a connection as it is closed.
AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

FULL = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\ncontent-length: 0\r\n\r\n"


class LimitedConnection(H11Protocol):
    """
    uvicorn's connection with the limits that uvicorn leaves to a proxy.

    At most `most` of them are open; more are answered with 503. One that is silent in a request, sends the head of a
    request for too long, or does not read its answer is closed.
    """

    most = 1_000

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waits_for_client: asyncio.TimerHandle | None = None
        self._waits_for_reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waits_for_client = self.loop.call_later(IDLE_S, self._drop)
        if len(self.connections) > self.most:
            transport.write(FULL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._time_the_client()

    def _time_the_client(self) -> None:
        """A head has one deadline, which nothing puts off; in a body each piece does, until the request is answered."""
        state = self.conn.their_state
        if state is not h11.IDLE and not (state is h11.SEND_BODY and self.cycle.response_complete):
            self._stop(self._waits_for_client)
            self._waits_for_client = None
        if state in (h11.IDLE, h11.SEND_BODY) and self._waits_for_client is None:
            self._waits_for_client = self.loop.call_later(IDLE_S, self._drop)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._give_up_later()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._give_up_later()

    def _give_up_later(self) -> None:
        """Closing waits until everything is sent; not longer than for a reader that does not read."""
        is_open = self in self.connections  # an answer may come after its client has gone
        if is_open and self._waits_for_reader is None:
            self._waits_for_reader = self.loop.call_later(IDLE_S, self._drop)

    def _drop(self) -> None:
        """Close at once, and let the system forget what it has not sent yet: it would keep it for many minutes."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
        self.transport.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._give_up_later()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop(self._waits_for_reader)
        self._waits_for_reader = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(self._waits_for_client)
        self._stop(self._waits_for_reader)
        super().connection_lost(exc)

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()
