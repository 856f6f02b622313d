"""Closes links that have expired, every minute, in a thread of its own; several processes may do so at once."""

from __future__ import annotations

import logging
import threading

from ..core import faults
from ..core.errors import EngineError
from .enrollment import Enrollment

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0


class LinkWatch:
    """Calls `LinkEnds.close_due` at its start and then every minute."""

    def __init__(self, enrollment: Enrollment) -> None:
        self.enrollment = enrollment
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="usher-links", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _loop(self) -> None:
        while True:
            try:
                self.enrollment.links.close_due()
            except EngineError as error:
                log.warning("expired links were not looked at: %s", error.message)
            except Exception as error:  # noqa: BLE001 - the next look may work; its text may contain what must not be logged
                faults.report(error, where="worker", at="expired links were not looked at")
            if self._stopping.wait(LOOK_EVERY_S):
                return
