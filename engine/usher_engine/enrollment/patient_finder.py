"""Finds patients by what people type, and tells apart those who look alike (decisions/0039).

Every page, list and program finds patients here, so that a patient is found everywhere or nowhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..engine import Engine
from .patient_index import FoundPatients
from .patient_registry import Registry
from .search_terms import parse_typed

#: The name of the fact, in a case, that a person saw who looks like its patient.
LOOK_ALIKE_SEEN = "Look-alike Warning Seen"


@dataclass(frozen=True, kw_only=True, slots=True)
class PatientFinder:
    engine: Engine
    registry: Registry

    def find(
        self,
        text: str,
        *,
        closed: bool | None = False,
        limit: int = 50,
        after: str | None = None,
        before: str | None = None,
    ) -> FoundPatients:
        """
        One page of the patients that *text* may mean, the nearest first, else by name.

        Args:
            text: Names in any order, a date of birth, a record, telephone or ZIP number, an e-mail address, or several
                of these; everybody if it is empty.
            closed: Only patients in force, only those that are deceased, inactive or merged (True), or all (None).
            limit: The most patients on a page.
            after: The id of the last patient of the page before.
            before: The id of the first patient of the page after.

        Raises:
            NotFound: *after* or *before* is no patient.
        """
        now = self.engine.clock()
        typed = parse_typed(text, self.engine.context.settings.calendar.day_of(now).year)
        with self.engine.database.read() as tx:
            return self.registry.find_page(tx, typed, now=now, closed=closed, limit=limit, after=after, before=before)

    def look_alikes(self, patients: Collection[str]) -> dict[str, tuple[str, ...]]:
        """For each of *patients* the ids of others in force with the same folded name and date of birth."""
        with self.engine.database.read() as tx:
            return self.registry.look_alikes(tx, patients)
