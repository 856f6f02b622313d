"""
`usher bench`: Usher measured against its floor, in one run on one machine: the figures of DESIGN 9, mostly as ratios.

Each module measures one thing; all yield `Figure`s.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from usher_engine.definitions import Package

from .enrolments import enrolments
from .many_tasks import inbox
from .measurements import Figure, Times
from .task_loop import rounds


def run_bench(package: Package, *, cases: int = 300, tasks: int = 1_000_000, loops: int = 1_000) -> Iterator[Figure]:
    """
    Measure the enrolment in *package*; yield each figure when it is known.

    Args:
        package: The enrolment.
        cases: How many enrolments are run to their end, and verified.
        tasks: How many open tasks the large inbox holds; it is compared with one of a thousand.
        loops: The round of a loop that is compared with its tenth.
    """
    with tempfile.TemporaryDirectory(prefix="usher-bench-") as name:
        folder = Path(name)
        yield from enrolments(package, folder, cases)
        yield from rounds(folder, loops)
        yield from inbox(folder, tasks)


def machine() -> dict[str, Any]:
    """The machine on which the figures were measured."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "sqlite": sqlite3.sqlite_version,
    }


__all__ = ["Figure", "Times", "machine", "run_bench"]
