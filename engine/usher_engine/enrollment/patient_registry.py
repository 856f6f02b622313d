"""The embedded patient directory: FHIR R4 Patients in a table of Usher's database.

portal_status.py writes the portal's own data about a patient (status, answers, opt-outs).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, or_, select, update

from ..core.canonical import compact
from ..core.email_address import comparable_email_address, shown_email_address
from ..core.errors import Conflict, NotFound
from ..core.visible_text import trimmed, without_invisible
from ..settings import Settings
from ..store import Transaction, to_text, upserts
from ..store.snapshot import answers
from ..store.tampered_rows import moment, plausible_values, tampering_message
from .enrollment_tables import email_opt_out, patient, patient_response
from .fhir_contacts import spelled_email
from .fhir_entries import entries, text
from .patient_corrections import changed_fields, read_fields, update_resource
from .patient_directory import Correction, PatientRecord, Response
from .statuses import RESPONSES, PortalStatus
from .timestamps import parse_day


class Registry:
    """Patients in Usher's own database; implements `patient_directory.PatientDirectory`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def load(self, tx: Transaction, patient: str, *, now: datetime) -> PatientRecord:
        read: PatientRecord | None = answers(tx).get(("patient", patient))
        return read or self._records(tx, [find(tx, patient)], now)[0]

    def load_all(self, tx: Transaction, patients: Collection[str], *, now: datetime) -> list[PatientRecord]:
        """The known ones of *patients*, in any order; three statements for all that this snapshot has not read yet."""
        read = [record for patient in patients if (record := answers(tx).get(("patient", patient)))]
        wanted = set(patients) - {record.id for record in read}
        rows = tx.execute(_FIND_ALL, {"wanted": sorted(wanted)}).all() if wanted else []
        found = self._records(tx, rows, now) if rows else []
        answers(tx).update({("patient", record.id): record for record in found})
        return [*read, *found]

    def knows(self, tx: Transaction, patient_id: str) -> bool:
        return tx.execute(select(patient.c.id).where(patient.c.id == patient_id)).first() is not None

    def search(
        self, tx: Transaction, text: str, *, now: datetime, limit: int, after: str | None
    ) -> list[PatientRecord]:
        """Patients whose name, birth date, id or record number contain every word of *text*, by last and first name."""
        query = select(patient).order_by(patient.c.sort_name, patient.c.id).limit(limit)
        for word in trimmed(text).lower().split()[:8]:
            spellings = {word, without_invisible(word)} - {""}  # Usher 0.1 kept joiners in what is looked in
            query = query.where(or_(*(patient.c.search.contains(one, autoescape=True) for one in sorted(spellings))))
        if after:
            last = find(tx, after)
            later = and_(patient.c.sort_name == last.sort_name, patient.c.id > last.id)
            query = query.where(or_(patient.c.sort_name > last.sort_name, later))
        return self._records(tx, tx.execute(query).all(), now)

    def update(
        self, tx: Transaction, patient: str, values: Mapping[str, object], *, by: str, now: datetime
    ) -> Correction:
        row = find(tx, patient, lock=True)
        resource = json.loads(row.resource)
        sources = self._settings.birth_sex_sources
        local = self._settings.calendar.local(now)
        changed = changed_fields(resource, values, local, sources)
        if not changed:
            return Correction(changed=(), version=row.version)
        corrected = update_resource(resource, changed, local, sources)
        change(tx, row, by=by, now=now, **self._columns(corrected, now))
        return Correction(changed=tuple(changed), version=row.version + 1)

    def save(self, tx: Transaction, resource: dict[str, Any], *, by: str, now: datetime) -> str:
        """Store a Patient under its id, and keep the portal's own data; return "new", "changed" or "same"."""
        columns = self._columns(resource, now)
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
        if upserts.add(tx, patient, {**values, **columns}):
            return "new"
        row = find(tx, resource["id"], lock=True)
        if json.loads(row.resource) == resource:
            return "same"
        change(tx, row, by=by, now=now, **columns)
        return "changed"

    def _columns(self, resource: dict[str, Any], now: datetime) -> dict[str, str]:
        """The columns with a resource and its search keys."""
        local = self._settings.calendar.local(now)
        fields = read_fields(resource, local, self._settings.birth_sex_sources)
        first, last = fields["first_name"].lower(), fields["last_name"].lower()
        numbers = [text(i.get("value")) for i in entries(resource, "identifier")]
        words = [first, last, fields["birth_date"], resource["id"], *numbers]
        return {
            "resource": compact(resource),
            "sort_name": without_invisible(f"{last}, {first}")[:200],
            "search": without_invisible(" ".join(words).lower()),
        }

    def _records(self, tx: Transaction, rows: Sequence[Row[Any]], now: datetime) -> list[PatientRecord]:
        stored = {row.id: plausible_values(patient, row._mapping) for row in rows}
        resources = {key: _resource(values["resource"]) for key, (values, _) in stored.items()}
        local = self._settings.calendar.local(now)
        emails = {key: spelled_email(found or {}, local) for key, found in resources.items()}
        responses = standing_responses(tx, rows)
        listed = {key: listed_as(email) for key, email in emails.items()}
        opted_out = opted_out_among(tx, frozenset().union(*listed.values()))
        return [
            PatientRecord(
                **{name: values[name] for name in ("id", "version", "requested_by", "sends", "opted_out")},
                resource=resources[key] or {},
                status=values["portal_status"] or PortalStatus.UNAVAILABLE.value,
                requested_at=moment(values["requested_at"]) if values["requested_at"] else None,
                response=responses.get(key),
                address_opted_out=not opted_out.isdisjoint(listed[key]),
                altered=tampering_message(altered if resources[key] is not None else (*altered, "resource")),
            )
            for key, (values, altered) in stored.items()
        ]


def _resource(text: str) -> dict[str, Any] | None:
    """A stored FHIR Patient; None if it cannot be read."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def standings(tx: Transaction) -> Iterator[Row[Any]]:
    """Id, portal status and request time of each patient, with a few hundred rows in memory."""
    columns = (patient.c.id, patient.c.portal_status, patient.c.requested_at)
    found: Any = tx.execute(select(*columns).order_by(patient.c.id).execution_options(yield_per=500))
    yield from found


def requested_at(row: Row[Any]) -> datetime | None:
    """The time of the enrolment request in the row; `NO_MOMENT` if it cannot be read."""
    return moment(row.requested_at) if row.requested_at else None


_FIND = select(patient).where(patient.c.id == bindparam("wanted"))
_FIND_ALL = select(patient).where(patient.c.id.in_(bindparam("wanted", expanding=True)))
_LOCK = _FIND.with_for_update()
_CHANGE = update(patient).where(patient.c.id == bindparam("wanted"), patient.c.version == bindparam("seen"))


def find(tx: Transaction, patient_id: str, *, lock: bool = False) -> Row[Any]:
    """The row of a patient; *lock* keeps it unchanged until the transaction ends. Raises `NotFound`."""
    row = tx.execute(_LOCK if lock else _FIND, {"wanted": patient_id}).one_or_none()
    if row is None:
        raise unknown()
    return row


def unknown() -> NotFound:
    return NotFound("No patient is known under this id.")


def change(tx: Transaction, row: Row[Any], *, by: str, now: datetime, **columns: object) -> None:
    """Change a patient's row as it was read; raises `Conflict` when another transaction was faster."""
    marks = {"version": row.version + 1, "changed_at": to_text(now), "changed_by": by}
    if tx.execute(_CHANGE, {**columns, **marks, "wanted": row.id, "seen": row.version}).rowcount != 1:
        raise Conflict("Somebody else changed this patient just now. Open the patient again.")


def standing_response(tx: Transaction, row: Row[Any]) -> Response | None:
    """The patient's answer in force; if only the status implies one, it has the time of the status."""
    return standing_responses(tx, [row]).get(row.id)


def standing_responses(tx: Transaction, rows: Iterable[Row[Any]]) -> dict[str, Response]:
    """`standing_response` by patient, in one statement; patients without one are omitted."""
    answered = {row.id: row for row in rows if row.portal_status in RESPONSES}
    if not answered:
        return {}
    newest = {found.patient: found for found in tx.execute(_STANDING, {"patients": list(answered)})}
    return {key: _response(row, newest.get(key)) for key, row in answered.items()}


_STANDING = (
    select(patient_response)
    .where(patient_response.c.patient.in_(bindparam("patients", expanding=True)))
    .where(patient_response.c.removed_at.is_(None))
    .order_by(patient_response.c.id)
)


def _response(row: Row[Any], found: Row[Any] | None) -> Response:
    if found is None or found.status != row.portal_status:
        return Response(status=row.portal_status, at=moment(row.portal_status_at))
    return Response(status=found.status, at=moment(found.at), until=parse_day(found.until or ""))


def opted_out_among(tx: Transaction, entries: frozenset[str]) -> frozenset[str]:
    """Those of *entries* (see `listed_as`) that are on the opt-out list."""
    return frozenset(tx.execute(_OPTED_OUT, {"addresses": sorted(entries)}).scalars()) if entries else frozenset()


_OPTED_OUT = select(email_opt_out.c.address).where(email_opt_out.c.address.in_(bindparam("addresses", expanding=True)))


def listed_as(address: str) -> frozenset[str]:
    """
    The entries of the opt-out list that stand for *address*; empty for no address.

    Usher 0.1 listed an address as it was spelled in the record, folded to lower case: such an entry holds for every
    spelling of the address as well.
    """
    normal, spelled = comparable_email_address(address), [address]
    if not address.isascii() or _A_LABEL in normal:
        shown = shown_email_address(address)
        spelled += [shown, unicodedata.normalize("NFD", shown)]
    return frozenset({normal, *(text.strip().casefold() for text in spelled)} - {""})


#: How the ASCII form of an international label begins (RFC 5890).
_A_LABEL = "xn--"
