"""Ends requests at their time limit with a clear answer; what does not end there is up to `supervision`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Flask
from usher_engine.core import Deadlines, OutOfTime
from usher_engine.core.faults import report as report_fault

from ..error_pages import took_too_long

#: What a WSGI server calls: the request, and how the answer begins; gives the answer's pieces.
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def limited(app: Flask, deadlines: Deadlines, seconds: float) -> Application:
    """*app*, where a request gets *seconds* until its answer begins, and again for each piece of a streamed one."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            pieces = deadlines.within(seconds, lambda: app.wsgi_app(environ, start_response))
        except OutOfTime as stopped:
            reply = took_too_long(app, environ, stopped, seconds)
            begun = sys.exc_info()  # the answer may have begun when it was stopped: this one takes its place
            return reply(environ, lambda status, headers, _=None, /: start_response(status, headers, begun))
        # A streamed answer is made while it is sent; the server sends an open file by itself.
        return _Pieces(pieces, deadlines, seconds) if hasattr(pieces, "__next__") else pieces

    return answer


class _Pieces:
    """The pieces of an answer, each made within the limit; past it the connection is closed in the middle."""

    def __init__(self, pieces: Any, deadlines: Deadlines, seconds: float) -> None:
        self._pieces = pieces
        self._deadlines = deadlines
        self._seconds = seconds

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece: bytes = self._deadlines.within(self._seconds, self._pieces.__next__)
        except OutOfTime as stopped:
            reference = report_fault(stopped, where="time limit", at="a streamed answer")
            raise TimeoutError(f"The answer was not ready within the time limit ({reference}).") from None
        return piece

    def close(self) -> None:
        self._pieces.close()
