"""Many at once: threads that begin together."""

from __future__ import annotations

import threading
from collections.abc import Callable


def at_once(number: int, work: Callable[[int], object]) -> list[object]:
    """What *work* answers in *number* threads that begin together; an exception counts as its answer."""
    answers: list[object] = []
    start = threading.Barrier(number)

    def one(which: int) -> None:
        start.wait()
        try:
            answers.append(work(which))
        except Exception as error:  # noqa: BLE001 - what it is, is the test's question
            answers.append(error)

    threads = [threading.Thread(target=one, args=(which,)) for which in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
