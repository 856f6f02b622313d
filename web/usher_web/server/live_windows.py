"""The open windows, and what each is told when cases change: read once, rendered once, at most twice a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from usher_engine import ChangeFeed
from usher_engine.core.faults import report as report_fault

from ..site import KEY, Site
from ..staff.live_pages import Window
from ..staff.live_rows import changes, counts
from .thread_pool import ThreadPool

#: Shortest time between two messages to a window.
PAUSE_S = 0.5
#: How long changes are remembered for windows whose page is older than their stream, and how far clocks may differ.
REMEMBERED, SLACK = timedelta(minutes=2), timedelta(seconds=2)
#: Messages kept for a window that does not read them; the oldest are dropped, and the window looks at everything again.
KEPT = 16

#: Tell a window that it may have missed something.
AGAIN = b"event: again\ndata: {}\n\n"
#: The end of a stream.
END = b""


class OpenWindow:
    """A browser that listens; its messages wait in a short queue. Only the event loop touches it."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.messages: asyncio.Queue[bytes] = asyncio.Queue(KEPT)

    def put(self, message: bytes) -> None:
        if self.messages.full():
            while not self.messages.empty():
                self.messages.get_nowait()
            self.messages.put_nowait(AGAIN)
        self.messages.put_nowait(message)


class LiveWindows:
    """Follows changes and tells them to the open windows. `start` to `end` on the event loop's thread."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._site: Site = app.extensions[KEY]
        self._open: set[OpenWindow] = set()
        self._changed: set[str] = set()
        #: When the changes of each case were last heard of, the latest last; and when some were missed.
        self._heard: dict[str, datetime] = {}
        self._missed_at: datetime | None = None
        self._missed = self._is_ended = self._is_busy = False
        self._threads = ThreadPool(1, "usher-live")
        self._feed = ChangeFeed(self._site.engine.database, self._hear)

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._feed.start()

    def end(self) -> None:
        """End every stream, so that the server can stop."""
        self._is_ended = True
        for window in self._open:
            window.put(END)

    def close(self) -> None:
        self._feed.stop()
        self._threads.close()

    def __len__(self) -> int:
        return len(self._open)

    def of_session(self, key: str) -> int:
        return sum(one.window.key == key for one in self._open)

    def add(self, window: Window) -> OpenWindow:
        found = OpenWindow(window)
        self._open.add(found)
        if self._is_ended:
            found.put(END)
            return found
        since = window.since - SLACK  # its page was made then: what has changed meanwhile nobody has told it
        if self._missed_at is not None and self._missed_at >= since:
            found.put(AGAIN)
        if changed := window.stale.union(case for case, at in self._heard.items() if at >= since):
            self._note(changed)
        return found

    def remove(self, window: OpenWindow) -> None:
        self._open.discard(window)

    def _hear(self, changed: frozenset[str] | None) -> None:
        """From the feed's thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._remember, changed)

    def _remember(self, changed: frozenset[str] | None) -> None:
        now = self._site.now()
        if changed is None:
            self._missed_at = now
        for case in changed or ():
            self._heard.pop(case, None)
            self._heard[case] = now
        while self._heard and next(iter(self._heard.values())) < now - REMEMBERED:
            del self._heard[next(iter(self._heard))]
        self._note(changed)

    def _note(self, changed: frozenset[str] | None) -> None:
        if not self._open:
            return
        self._missed |= changed is None
        self._changed |= changed or set()
        if not self._is_busy:
            self._is_busy = True
            self._loop.call_soon(self._tell)

    def _tell(self) -> None:
        changed, self._changed = frozenset(self._changed), set()
        missed, self._missed = self._missed, False
        windows = list(self._open)
        if missed:
            for window in windows:
                window.put(AGAIN)
        self._threads.submit(lambda: self._render(changed, windows))

    def _render(self, changed: frozenset[str], windows: list[OpenWindow]) -> None:
        """In a thread: make the messages, then hand them to the loop."""
        try:
            told = messages(self._app, changed, {one.window for one in windows})
        except Exception as error:  # noqa: BLE001 - the windows are told to look themselves
            report_fault(error, where="web", at="live windows")
            told = dict.fromkeys((one.window for one in windows), AGAIN)
        self._loop.call_soon_threadsafe(self._deliver, told)

    def _deliver(self, told: dict[Window, bytes]) -> None:
        for one in self._open:
            if one.window in told:
                one.put(told[one.window])
        self._loop.call_later(PAUSE_S, self._rest)

    def _rest(self) -> None:
        self._is_busy = False
        if self._changed or self._missed:
            self._note(frozenset())


def messages(app: Flask, changed: frozenset[str], windows: Iterable[Window]) -> dict[Window, bytes]:
    """The message of each of *windows* that *changed* cases concern; the same is read and rendered once."""
    found: dict[Window, dict[str, Any]] = {}
    watched = frozenset[str]().union(*(window.watched for window in windows))
    here: Site = app.extensions[KEY]
    with app.test_request_context(base_url=here.settings.base_url), here.engine.database.snapshot():
        read = changes(changed, {window.viewer for window in windows}, watched)
        for window in windows:
            told = read.for_window(window.viewer, window.watched, window.since)
            if told is not None:
                found[window] = told
        numbers = counts({window.viewer.actor for window in found if window.viewer.works})
    for window, told in found.items():
        if window.viewer.works:
            told["counts"] = numbers[window.viewer.actor]
    return {window: message("cases", told) for window, told in found.items()}


def message(event: str, data: dict[str, Any]) -> bytes:
    """A message of a stream of events (WHATWG HTML, 9.2)."""
    return f"event: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
