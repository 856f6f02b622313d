"""Keeps the index that patients are found by: one row for each key of a patient (decisions/0039).

patient_registry.py writes the keys with every patient; `search_keys` says what they are, `patient_index` reads them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from ..core.folded_text import folded
from ..store import Transaction
from . import fhir_names
from .eligibility import is_closed
from .enrollment_tables import patient, patient_key
from .fhir_preference import Entry
from .search_keys import keys_of

#: Changes with the rules for keys: `usher db reindex` rebuilds the keys of another edition.
EDITION = "1"
BATCH = 500


@dataclass(frozen=True, slots=True)
class FoundBy:
    """What a patient is found by: the keys, and the columns of the patient's row that follow from the resource."""

    keys: frozenset[str]
    columns: dict[str, Any]


def found_by(resource: Entry, now: datetime) -> FoundBy:
    """The keys and columns of a patient; *now* shows the practice's clock."""
    last, first = fhir_names.read_last(resource, now), fhir_names.read_first(resource, now)
    keys, closed = keys_of(resource, now), is_closed(resource)
    digest = hashlib.sha256("\n".join([str(closed), *sorted(keys)]).encode()).hexdigest()
    columns = {
        "sort_name": f"{folded(last)}, {folded(first)}"[:200],
        "search": f"{EDITION}:{digest}",
        "is_closed": closed,
    }
    return FoundBy(keys, columns)


def store(tx: Transaction, patient_id: str, found: FoundBy, *, is_new: bool = False) -> None:
    """Replace the keys of a patient."""
    if not is_new:
        tx.execute(delete(patient_key).where(patient_key.c.patient == patient_id))
    closed = found.columns["is_closed"]
    tx.execute(
        insert(patient_key), [{"key": key, "patient": patient_id, "is_closed": closed} for key in sorted(found.keys)]
    )


def rebuild(tx: Transaction, *, everybody: bool = False) -> tuple[int, int]:
    """
    Make the keys of patients that have none of this edition, or of *everybody*.

    Returns how many patients were looked at, and how many had other keys than they should have.
    """
    looked = repaired = 0
    last = ""
    while True:
        query = select(patient.c.id, patient.c.resource, patient.c.search).where(patient.c.id > last)
        rows = tx.execute(query.order_by(patient.c.id).limit(BATCH)).all()
        if not rows:
            return looked, repaired
        last = rows[-1].id
        stale = [row for row in rows if everybody or not str(row.search).startswith(f"{EDITION}:")]
        looked += len(stale)
        repaired += sum(_make_anew(tx, row) for row in stale)


def _make_anew(tx: Transaction, row: Any) -> bool:
    try:
        resource = json.loads(row.resource)
    except (ValueError, RecursionError):
        return False  # altered outside Usher, which other checks report
    if not isinstance(resource, dict):
        return False
    found = found_by(resource, datetime.now(UTC))
    held = set(tx.execute(select(patient_key.c.key).where(patient_key.c.patient == row.id)).scalars())
    if found.columns["search"] == row.search and held == found.keys:
        return False
    tx.execute(update(patient).where(patient.c.id == row.id).values(**found.columns))
    store(tx, row.id, found)
    return True
