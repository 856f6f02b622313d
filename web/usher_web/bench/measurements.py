"""The results of a bench: named numbers with a target, and medians of timings."""

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
    """The times that each named piece of work took."""

    def __init__(self) -> None:
        self._took: dict[str, list[float]] = {}

    def of(self, name: str, work: Callable[[], Result]) -> Result:
        """Do *work* and note its seconds under *name*."""
        begin = time.perf_counter()
        result = work()
        self._took.setdefault(name, []).append(time.perf_counter() - begin)
        return result

    def median(self, *names: str) -> float:
        """The sum of the median seconds of *names*; 0 for work never done."""
        return sum(statistics.median(self._took[name]) for name in names if name in self._took)
