"""What a bench says: named numbers with a target, and medians of what was timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One measured number; *target* is the most it may be."""

    name: str
    value: float
    unit: str
    target: float

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "target": self.target,
            "holds": self.value <= self.target,
        }


class Times:
    """How long each named piece of work took, again and again."""

    def __init__(self) -> None:
        self._took: dict[str, list[float]] = {}

    def of(self, name: str, work: Callable[[], Result]) -> Result:
        """Do *work* and note its seconds under *name*."""
        begin = time.perf_counter()
        result = work()
        self._took.setdefault(name, []).append(time.perf_counter() - begin)
        return result

    def median(self, *names: str) -> float:
        """The median seconds of each of *names*, together; 0 for what was never done."""
        return sum(statistics.median(self._took[name]) for name in names if name in self._took)
