"""What the examples of a draft do, for each content once: several pages ask, and a deployment asks again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from ..bpmn import Diagram, compile_diagram
from ..context import Context
from ..definitions import Package, translate
from ..examples import Report, run_on

#: Results kept in memory, the least used goes first.
MOST = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftTrial:
    """A draft as it would run, and what its examples do on it."""

    diagram: Diagram
    report: Report


class DraftTrials:
    """Runs the examples of packages without errors."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._kept: OrderedDict[str, DraftTrial] = OrderedDict()
        self._lock = Lock()

    def of(self, package: Package) -> DraftTrial:
        """The trial of *package*; raises `InvalidDefinition` if it cannot run."""
        with self._lock:
            found = self._kept.get(package.hash)
        if found is None:
            translated, _ = translate(package)
            diagram = compile_diagram(translated)
            report = run_on(diagram, self.context.services, self.context.settings.calendar)
            found = DraftTrial(diagram=diagram, report=report)
        with self._lock:
            self._kept[package.hash] = found
            self._kept.move_to_end(package.hash)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found
