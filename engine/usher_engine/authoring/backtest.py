"""Backtests: what would a draft, or another version, have done with the recorded cases?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from ..bpmn import compile_diagram
from ..context import Context
from ..core.errors import Corrupt, InvalidDefinition, NotFound
from ..definitions import Package
from ..differences import single_changes
from ..gate import check_package
from ..reexecution import (
    Assumption,
    Backtested,
    Causes,
    Compared,
    Origins,
    Progress,
    Trial,
    backtest_all,
    by_question,
    compare_each,
    disable_outside,
    read_assumptions,
)
from ..store import Transaction, to_text, version_rows
from ..store.case_selection import CaseSelection, definitions, fix_membership

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
            origins = self._origins(tx, fixed)
        return backtest_all(
            self.database,
            self.services,
            package,
            fixed,
            now,
            assumptions=assumptions,
            origins=origins,
            jobs=jobs,
            progress=progress,
        )

    def portion(
        self,
        tx: Transaction,
        package: str,
        chosen: CaseSelection,
        instances: Sequence[str],
        *,
        now: datetime,
        assumed: Any,
    ) -> list[Compared]:
        """
        Run the cases *instances* of those *chosen* on the stored *package* (its hash), as if until *now*.

        *assumed* are the assumptions, as `Assumption.to_json` writes them.
        """
        diagram = self.context.diagram(tx, package)
        today = self.context.settings.calendar.day_of(now)
        assumptions = by_question(read_assumptions(assumed, diagram, self.services, today=today))
        trial = Trial(diagram=diagram, services=disable_outside(self.services), now=now, assumptions=assumptions)
        return list(compare_each(tx, trial, instances, Causes(self._origins(tx, chosen), trial)))

    def _origins(self, tx: Transaction, chosen: CaseSelection) -> Origins:
        """The packages that the *chosen* cases ran on, without those that were altered: verify reports them."""
        packages: dict[str, Package] = {}
        for key in definitions(tx, chosen):
            with suppress(Corrupt, NotFound):
                packages[key] = version_rows.content(tx, key)
        return Origins(packages, single_changes)

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
