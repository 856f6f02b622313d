"""The embedded patient directory: FHIR R4 Patients in a table beside the engine's own.

What the portal knows of a patient (status, answers, opt-outs) is written by portal.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, insert, or_, select, update

from ..canonical import compact
from ..errors import Conflict, NotFound
from ..settings import Settings
from ..store import Transaction, from_text, to_text
from . import records
from .corrections import changed_fields, update_resource
from .directory import Correction, PatientRecord, Response
from .statuses import RESPONSES, PortalStatus
from .tables import email_opt_out, patient, patient_response


class Registry:
    """Patients in Usher's own database; implements `directory.PatientDirectory`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def load(self, tx: Transaction, patient: str, *, now: datetime) -> PatientRecord:
        return self._record(tx, find(tx, patient), now)

    def knows(self, tx: Transaction, patient_id: str) -> bool:
        return tx.execute(select(patient.c.id).where(patient.c.id == patient_id)).first() is not None

    def search(
        self, tx: Transaction, text: str, *, now: datetime, limit: int, after: str | None
    ) -> list[PatientRecord]:
        """Patients whose name, birth date, id or record number holds every word of *text*, by last and first name."""
        query = select(patient).order_by(patient.c.sort_name, patient.c.id).limit(limit)
        for word in text.lower().split()[:8]:
            query = query.where(patient.c.search.contains(word, autoescape=True))
        if after:
            last = find(tx, after)
            later = and_(patient.c.sort_name == last.sort_name, patient.c.id > last.id)
            query = query.where(or_(patient.c.sort_name > last.sort_name, later))
        return [self._record(tx, row, now) for row in tx.execute(query).all()]

    def update(
        self, tx: Transaction, patient: str, values: Mapping[str, object], *, by: str, now: datetime
    ) -> Correction:
        row = find(tx, patient, lock=True)
        resource = json.loads(row.resource)
        sources = self._settings.birth_sex_sources
        changed = changed_fields(resource, values, now, sources)
        if not changed:
            return Correction(changed=(), version=row.version)
        corrected = update_resource(resource, changed, now, sources)
        change(tx, row, by=by, now=now, **self._columns(corrected, now))
        return Correction(changed=tuple(changed), version=row.version + 1)

    def save(self, tx: Transaction, resource: dict[str, Any], *, by: str, now: datetime) -> str:
        """Store a Patient under its id, keeping what the portal knows of one already there: new, changed or same."""
        columns = self._columns(resource, now)
        row = tx.execute(select(patient).where(patient.c.id == resource["id"]).with_for_update()).one_or_none()
        if row is None:
            at = to_text(now)
            values = {
                "id": resource["id"],
                "version": 1,
                "portal_status": PortalStatus.NOT_ENROLLED.value,
                "portal_status_at": at,
                "sends": 0,
                "opted_out": False,
                "changed_at": at,
                "changed_by": by,
            }
            tx.execute(insert(patient).values(**values, **columns))
            return "new"
        if json.loads(row.resource) == resource:
            return "same"
        change(tx, row, by=by, now=now, **columns)
        return "changed"

    def _columns(self, resource: dict[str, Any], now: datetime) -> dict[str, str]:
        """The columns that hold a resource and by which it is found."""
        fields = records.fields(resource, now, self._settings.birth_sex_sources)
        first, last = fields["first_name"].lower(), fields["last_name"].lower()
        numbers = [records.text(i.get("value")) for i in records.entries(resource, "identifier")]
        words = [first, last, fields["birth_date"], resource["id"], *numbers]
        return {
            "resource": compact(resource),
            "sort_name": f"{last}, {first}"[:200],
            "search": " ".join(words).lower(),
        }

    def _record(self, tx: Transaction, row: Row[Any], now: datetime) -> PatientRecord:
        resource = json.loads(row.resource)
        address = records.fields(resource, now, self._settings.birth_sex_sources)["email"]
        return PatientRecord(
            id=row.id,
            resource=resource,
            version=row.version,
            status=row.portal_status or PortalStatus.UNAVAILABLE.value,
            requested_at=from_text(row.requested_at) if row.requested_at else None,
            requested_by=row.requested_by,
            sends=row.sends,
            response=standing_response(tx, row),
            opted_out=row.opted_out,
            address_opted_out=bool(address) and is_opted_out(tx, address),
        )


_FIND = select(patient).where(patient.c.id == bindparam("wanted"))
_LOCK = _FIND.with_for_update()


def find(tx: Transaction, patient_id: str, *, lock: bool = False) -> Row[Any]:
    """The row of a patient; with *lock* nobody else changes it until the transaction ends. Raises `NotFound`."""
    row = tx.execute(_LOCK if lock else _FIND, {"wanted": patient_id}).one_or_none()
    if row is None:
        raise NotFound("No patient is known under this id.")
    return row


def change(tx: Transaction, row: Row[Any], *, by: str, now: datetime, **columns: object) -> None:
    """Change a patient's row as it was read; raises `Conflict` when somebody else was faster."""
    seen = and_(patient.c.id == row.id, patient.c.version == row.version)
    marks = {"version": row.version + 1, "changed_at": to_text(now), "changed_by": by}
    if tx.execute(update(patient).where(seen).values(**columns, **marks)).rowcount != 1:
        raise Conflict("Somebody else changed this patient just now. Open the patient again.")


def standing_response(tx: Transaction, row: Row[Any]) -> Response | None:
    """The patient's answer that has not been removed; where only the status tells of one, its time is the status's."""
    if row.portal_status not in RESPONSES:
        return None
    r = patient_response.c
    query = select(r.status, r.at, r.until).where(r.patient == row.id, r.removed_at.is_(None))
    found = tx.execute(query.order_by(r.id.desc())).first()
    if found is None or found.status != row.portal_status:
        return Response(status=row.portal_status, at=from_text(row.portal_status_at))
    until = date.fromisoformat(found.until) if found.until else None
    return Response(status=found.status, at=from_text(found.at), until=until)


def is_opted_out(tx: Transaction, address: str) -> bool:
    query = select(email_opt_out.c.address).where(email_opt_out.c.address == normal_address(address))
    return tx.execute(query).first() is not None


def normal_address(address: str) -> str:
    """How addresses are compared. The part before the @ may be case-sensitive by RFC 5321; nobody's is."""
    return address.strip().casefold()
