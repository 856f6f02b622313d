"""Verify: whether the record of a case is complete, and whether re-executing its diagram gives the same result."""

from __future__ import annotations

from collections.abc import Iterable

from ..context import Context
from ..core.findings import Finding
from ..reexecution import Progress, Verified, Verifier, verify_all
from ..store import stored_cases


class Verification:
    """Checks cases against their diagrams; no service is called meanwhile."""

    def __init__(self, context: Context) -> None:
        self.context, self.database, self.services = context, context.database, context.services

    def verify(self, instance: str) -> list[Finding]:
        """Faults in the record of a case, and differences in its re-execution; raises `NotFound`."""
        with self.database.read() as tx:
            return self.verifier().check(tx, stored_cases.one(tx, instance))

    def verify_each(self, instances: Iterable[str]) -> Verified:
        """`verify` for the cases *instances*, together."""
        result, verifier = Verified(), self.verifier()
        with self.database.read() as tx:
            for instance in instances:
                result.add(1, verifier.check(tx, stored_cases.one(tx, instance)))
        result.notes |= verifier.notes
        return result

    def verifier(self) -> Verifier:
        """A `Verifier`, which checks single cases and reads each definition once."""
        return Verifier(self.services, self.context.seal_key)

    def verify_all(self, *, after: str = "", jobs: int = 1, progress: Progress | None = None) -> Verified:
        """`verify` for every case numbered beyond *after*, on *jobs* processes."""
        return verify_all(
            self.database, self.services, self.context.seal_key, after=after, jobs=jobs, progress=progress
        )
