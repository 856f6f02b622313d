"""Values that staff corrected and the EHR has changed too: they wait until a person decides (decisions/0040)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from ..audit import AuditLog
from ..core.actor import Actor
from ..core.errors import Conflict, InvalidSubmission
from ..store import Transaction
from ..store.tampered_rows import moment
from . import conflict_rows
from .import_merge import group_of, members_of
from .patient_directory import PatientRecord
from .patient_fields import FIELDS
from .patient_registry import Registry


class Take(StrEnum):
    """Which value a person decides for."""

    #: The one in the record, which staff gave.
    RECORD = "record"
    #: The one that the EHR sent.
    EHR = "ehr"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportConflict:
    """
    One thing of a patient that staff and the EHR give in two ways: a field, or the parts of an address.

    *ours* and *theirs* are the values by field, in the order of a form; *seen* changes with any of them.
    """

    patient: PatientRecord
    group: str
    before: Mapping[str, str]
    ours: Mapping[str, str]
    theirs: Mapping[str, str]
    found_at: datetime

    @property
    def seen(self) -> str:
        values = repr((sorted(self.ours.items()), sorted(self.theirs.items())))
        return hashlib.sha256(values.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConflictPage:
    """Conflicts by patient; *last* is the id of the last patient looked at, empty if there is none."""

    conflicts: tuple[ImportConflict, ...]
    last: str
    has_older: bool

    def __bool__(self) -> bool:
        return bool(self.last)


class ImportConflicts:
    """Lists the conflicts of imports, and carries out what people decide."""

    def __init__(self, registry: Registry, audit: AuditLog) -> None:
        self._registry, self._audit, self._database = registry, audit, audit.database

    def count(self) -> int:
        """How many patients have conflicts."""
        with self._database.read() as tx:
            return conflict_rows.count_patients(tx)

    def page(self, *, limit: int, after: str | None = None) -> ConflictPage:
        """The conflicts of up to *limit* patients, by patient id; *after* is ``last`` of the page before."""
        with self._database.read() as tx:
            patients = conflict_rows.patients(tx, after=after or "", limit=limit + 1)
            found = self._read(tx, patients[:limit])
        last = patients[min(limit, len(patients)) - 1] if patients else ""
        return ConflictPage(conflicts=tuple(found), last=last, has_older=len(patients) > limit)

    def of(self, patient: str) -> list[ImportConflict]:
        """The conflicts of one patient."""
        with self._database.read() as tx:
            return self._read(tx, [patient])

    def decide(self, patient: str, group: str, take: Take, *, seen: str, actor: Actor) -> None:
        """
        Keep the value in the record, or take the EHR's, and forget the conflict.

        Args:
            patient: The id of the patient.
            group: `ImportConflict.group`.
            take: Which value.
            seen: `ImportConflict.seen` of what the person saw.
            actor: Who decides.

        Raises:
            NotFound: No such patient.
            Conflict: One of the values has changed since, or somebody has decided already.
        """
        with self._database.begin() as tx:
            self._registry.lock(tx, patient)
            found = next((one for one in self._read(tx, [patient]) if one.group == group), None)
            if found is None:
                raise Conflict("Somebody has decided this already, or both sides have come to the same value.")
            if found.seen != seen:
                raise Conflict("One of the two values has changed since you opened the page. Look at them again.")
            if take is Take.EHR:
                self._take_theirs(tx, found, actor)
            conflict_rows.remove(tx, patient, members_of(group))
            details = {"field": group, "take": take.value}
            self._audit.record(
                "ImportConflictDecided", details, actor=actor, subject=patient, business_key=patient, transaction=tx
            )

    def _take_theirs(self, tx: Transaction, found: ImportConflict, actor: Actor) -> None:
        now = self._audit.clock()
        try:
            self._registry.update(tx, found.patient.id, found.theirs, by=actor.name, now=now)
        except InvalidSubmission as wrong:
            raise InvalidSubmission(f"The EHR's value cannot be taken: {wrong.message}", fields=wrong.fields) from None

    def _read(self, tx: Transaction, patients: list[str]) -> list[ImportConflict]:
        """The conflicts that still are ones; somebody may have typed the EHR's value."""
        rows = sorted(conflict_rows.of_patients(tx, patients), key=_place)
        if not rows:
            return []
        now = self._audit.clock()
        records = {one.id: one for one in self._registry.load_all(tx, [row.patient for row in rows], now=now)}
        found = []
        for (patient, group), held in groupby(rows, lambda row: (row.patient, group_of(row.field))):
            parts = list(held)
            fields = self._registry.fields_of(records[patient], now)
            conflict = ImportConflict(
                patient=records[patient],
                group=group,
                before={row.field: row.before for row in parts},
                ours={row.field: fields[row.field] for row in parts if row.field in fields},
                theirs={row.field: row.theirs for row in parts},
                found_at=moment(parts[0].found_at),
            )
            if conflict.ours != conflict.theirs:
                found.append(conflict)
        return found


def _place(row: Any) -> tuple[str, str, int]:
    """The order of a patient's conflicts: what belongs together stands together, as in a form."""
    fields = list(FIELDS)
    return row.patient, group_of(row.field), fields.index(row.field) if row.field in fields else len(fields)
