"""What is due by the clock, every minute, in a thread of its own: links that expire, mails of the morning.

Several processes may do so at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..core import faults
from ..core.errors import EngineError
from .enrollment import Enrollment

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0


class MinuteWatch:
    """Calls `LinkEnds.close_due` and `MailDigests.send_due` at its start and then every minute."""

    def __init__(self, enrollment: Enrollment) -> None:
        self.enrollment = enrollment
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="usher-minutes", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _loop(self) -> None:
        while True:
            _attempt(self.enrollment.links.close_due, "expired links were not looked at")
            _attempt(self.enrollment.digests.send_due, "mails of the morning were not sent")
            if self._stopping.wait(LOOK_EVERY_S):
                return


def _attempt(work: Callable[[], object], otherwise: str) -> None:
    try:
        work()
    except EngineError as error:
        log.warning("%s: %s", otherwise, error.message)
    except Exception as error:  # noqa: BLE001 - the next look may work; its text may contain what must not be logged
        faults.report(error, where="worker", at=otherwise)
