"""The gate's verdicts on the contents checked last: an analyst's pages ask about the same draft again and again."""

from __future__ import annotations

from threading import Lock

from ..definitions import Package
from ..services import Services
from .gate import Checked, check_draft

#: How many contents are remembered: the draft an analyst works on, as saved and as it would be with one change, twice.
MOST_KEPT = 4


class RecentChecks:
    """`check_draft` with one set of operators; a verdict depends on nothing but them and the package's content."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: dict[str, Checked] = {}
        self._lock = Lock()

    def check(self, package: Package) -> Checked:
        """What the gate finds in *package*; do not change what is in it."""
        content = package.hash
        with self._lock:
            found = self._kept.pop(content, None)
        found = found or check_draft(package, self._services)
        with self._lock:
            self._kept[content] = found
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return found
