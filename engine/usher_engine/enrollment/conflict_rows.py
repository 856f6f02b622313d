"""The table of values that staff corrected and the EHR has changed too; `import_conflicts` is their door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select

from ..store import Transaction, to_text, upserts
from .enrollment_tables import import_conflict
from .import_merge import Merged


def keep(tx: Transaction, patient: str, merged: Merged, ours: Mapping[str, str], now: datetime) -> None:
    """Store the conflicts of an import; end those in which the EHR has come to the same value."""
    held = {row.field: row for row in of_patients(tx, [patient])}
    settled = [field for field in held if merged.theirs.get(field, "") == ours.get(field, "")]
    if settled:
        remove(tx, patient, settled)
    for found in merged.conflicts:
        earlier = held.get(found.field)
        before = earlier.before if earlier is not None else found.before
        values = {"patient": patient, "field": found.field, "before": before, "theirs": found.theirs}
        upserts.put(tx, import_conflict, {**values, "found_at": to_text(now)})


def of_patients(tx: Transaction, patients: Sequence[str]) -> Sequence[Row[Any]]:
    """The rows of these patients, in any order."""
    return tx.execute(_OF_PATIENTS, {"wanted": list(patients)}).all() if patients else []


def patients(tx: Transaction, *, after: str, limit: int) -> list[str]:
    """Ids of patients with conflicts, in order, beyond *after*."""
    which = import_conflict.c.patient
    return list(tx.execute(select(which).where(which > after).distinct().order_by(which).limit(limit)).scalars())


def count_patients(tx: Transaction) -> int:
    return int(tx.execute(select(func.count(func.distinct(import_conflict.c.patient)))).scalar_one())


def remove(tx: Transaction, patient: str, fields: Sequence[str]) -> None:
    ours = import_conflict.c
    tx.execute(delete(import_conflict).where(ours.patient == patient, ours.field.in_(fields)))


_OF_PATIENTS = select(import_conflict).where(import_conflict.c.patient.in_(bindparam("wanted", expanding=True)))
