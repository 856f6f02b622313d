"""The bridge from the event loop to the application: a thread is held neither by a slow sender nor by a slow reader."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from .buffered_answer import IN_MEMORY, Application, BufferedAnswer, refusal
from .thread_pool import ThreadPool
from .wsgi_environ import wsgi_environ

#: The largest body of a request, unless files may be larger; beyond, it is refused before the application sees it.
MAX_BODY = 4 * 1024 * 1024
#: A body too large up to so many times that is read and dropped, so that its sender gets to read why it is refused.
MOST_DROPPED = 4
#: Seconds a body may take to arrive: 4 MB in it is 0.3 Mbit/s.
BODY_S = 120

Scope = Mapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

TOO_SLOW = refusal(408, "The request took too long to arrive. Try again.")


class Refused(Exception):
    """The server answers this request itself, with *answer*; an empty one if nobody waits any more."""

    def __init__(self, answer: list[dict[str, Any]]) -> None:
        super().__init__()
        self.answer = answer


class WsgiBridge:
    """
    Answers requests with a WSGI *application* in *threads*.

    The body arrives whole before a thread is taken. The answer goes through a buffer, so the thread is free as soon as
    it is produced; only a long one is sent while it is.
    """

    def __init__(self, application: Application, threads: ThreadPool, largest: int = MAX_BODY) -> None:
        self._application = application
        self._threads = threads
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with SpooledTemporaryFile(max_size=IN_MEMORY) as body:
            try:
                length = await _arrived(scope, receive, body, self._largest)
            except Refused as refused:
                for message in refused.answer:
                    await send(message)
                return
            body.seek(0)
            await self._answer(scope, wsgi_environ(scope, body, length), receive, send)

    async def _answer(self, scope: Scope, environ: dict[str, Any], receive: Receive, send: Send) -> None:
        answer = BufferedAnswer(asyncio.get_running_loop())
        ended = asyncio.create_task(_when_gone(receive, answer))
        self._threads.submit(lambda: answer.run(self._application, environ))
        try:
            await send(await answer.begun(scope["method"]))
            async for chunk in answer.chunks():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if (
                answer.is_whole
            ):  # else the connection closes in its middle, and the client sees that something is missing
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            ended.cancel()
            answer.close()


async def _arrived(scope: Scope, receive: Receive, body: IO[bytes], largest: int) -> int:
    """Read the body of the request into *body*, at most *largest* bytes; return its length. Raises `Refused`."""
    too_large = refusal(413, f"This is too large: send at most {largest // 1024 // 1024} MB at once.")
    headers, most = dict(scope["headers"]), MOST_DROPPED * largest
    declared, is_asking = headers.get(b"content-length", b"0"), b"expect" in headers
    if not declared.isdigit() or int(declared) > (largest if is_asking else most):
        raise Refused(too_large)
    length, more = 0, True
    try:
        async with asyncio.timeout(BODY_S):
            while more and length <= most:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Refused([])
                length, more = length + len(message["body"]), message["more_body"]
                if length <= largest:
                    body.write(message["body"])
    except TimeoutError:
        raise Refused(TOO_SLOW) from None
    if length > largest:
        raise Refused(too_large)
    return length


async def _when_gone(receive: Receive, answer: BufferedAnswer) -> None:
    """Tell the thread when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
    answer.abandon()
