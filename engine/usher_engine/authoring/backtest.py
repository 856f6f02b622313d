"""Backtests: what would a draft, or another version, have done with the recorded cases?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ..bpmn import compile_diagram
from ..context import Context
from ..core.errors import InvalidDefinition
from ..definitions import Package
from ..gate import check_package
from ..reexecution import Assumption, Backtested, Progress, backtest_all, read_assumptions
from ..store import to_text
from ..store.case_selection import CaseSelection, fix_membership

#: The shortest difference between stored times; includes cases that started just now.
MOMENT = timedelta(microseconds=1)


class Backtests:
    """Runs recorded cases on another package, without changing them."""

    def __init__(self, context: Context) -> None:
        self.context, self.database, self.services = context, context.database, context.services

    def run(
        self,
        package: Package,
        chosen: CaseSelection,
        *,
        assumptions: Sequence[Assumption] = (),
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> Backtested:
        """
        Run the *chosen* cases on *package*, on *jobs* processes, with *assumptions* where the record has no answer.

        Raises:
            InvalidDefinition: The gate found errors, or the package is of another process than the cases.
        """
        self.require_fit(package, chosen.process)
        now = self.context.clock()
        with self.database.read() as tx:
            fixed = fix_membership(tx, chosen, to_text(now + MOMENT))
        return backtest_all(
            self.database, self.services, package, fixed, now, assumptions=assumptions, jobs=jobs, progress=progress
        )

    def assumptions(self, records: Any, package: Package) -> tuple[Assumption, ...]:
        """The assumptions in *records* for backtests on *package*; raises `InvalidSubmission` with each wrong entry."""
        today = self.context.settings.calendar.day_of(self.context.clock())
        return read_assumptions(records, compile_diagram(package), self.services, today=today)

    def require_fit(self, package: Package, process: str) -> None:
        if package.key != process:
            message = f"The package holds the process “{package.key}”; the cases are of “{process}”."
            raise InvalidDefinition(problems=[("package", message)])
        errors = [finding for finding in check_package(package, self.services) if finding.severity == "error"]
        if errors:
            raise InvalidDefinition(problems=[(one.element or one.file, one.message) for one in errors])
