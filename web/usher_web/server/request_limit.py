"""Ends requests at their time limit with a clear answer; `supervision` replaces the process if one does not end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Flask
from usher_engine.core import Deadlines, OutOfTime
from usher_engine.core.faults import report as report_fault

from ..error_pages import took_too_long
from .buffered_answer import Application, BrokenOff


def with_time_limit(app: Flask, deadlines: Deadlines, seconds: float) -> Application:
    """Wrap *app*: a request has *seconds* until its answer begins, and again for each piece of a streamed one."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            pieces = deadlines.within(seconds, lambda: app.wsgi_app(environ, start_response))
        except OutOfTime as stopped:
            reply = took_too_long(app, environ, stopped, seconds)
            begun = sys.exc_info()  # the stopped answer may have begun already: this one replaces it
            return reply(environ, lambda status, headers, _=None, /: start_response(status, headers, begun))
        # A streamed answer is produced while it is sent; an open file is sent by the server alone.
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
            report_fault(stopped, where="time limit", at="a streamed answer")
            raise BrokenOff from None
        return piece

    def close(self) -> None:
        self._pieces.close()
