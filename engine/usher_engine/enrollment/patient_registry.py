"""The embedded patient directory: FHIR R4 Patients in a table of Usher's database.

portal_status.py writes the portal's own data about a patient (status, answers, opt-outs).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from ..core.canonical import compact
from ..core.email_address import comparable_email_address, shown_email_address
from ..core.errors import Conflict
from ..settings import Settings
from ..store import Transaction, to_text, upserts
from ..store.snapshot import answers
from ..store.tampered_rows import moment, plausible_values, tampering_message
from . import conflict_rows, patient_index, patient_keys
from .enrollment_tables import email_opt_out, patient, patient_response
from .fhir_contacts import spelled_email
from .import_merge import ImportedPatient, merge
from .patient_corrections import changed_fields, read_fields, update_resource
from .patient_directory import Correction, PatientRecord, Response
from .patient_index import FoundPatients, unknown_patient
from .search_terms import TypedSearch
from .statuses import RESPONSES, PortalStatus
from .timestamps import parse_day

#: The fields that a patient is found and listed by.
_SEARCHED = ("first_name", "last_name", "birth_date")


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

    def lock(self, tx: Transaction, patient: str) -> None:
        """Keep a patient unchanged until the transaction ends; raises `NotFound`."""
        find(tx, patient, lock=True)

    def fields_of(self, record: PatientRecord, now: datetime) -> dict[str, str]:
        """The fields of a patient by key, as the settings read them."""
        return record.fields(now, self._settings)

    def knows(self, tx: Transaction, patient_id: str) -> bool:
        return tx.execute(select(patient.c.id).where(patient.c.id == patient_id)).first() is not None

    def find_page(self, tx: Transaction, typed: TypedSearch, *, now: datetime, **how: Any) -> FoundPatients:
        """One page of the patients that fit *typed*; *how* as `patient_index.page` takes it."""
        hits = patient_index.page(tx, typed, **how)
        records = {record.id: record for record in self.load_all(tx, hits.ids, now=now)}
        exact = patient_index.holders(tx, typed.record)
        return FoundPatients(
            typed=typed,
            records=tuple(records[found] for found in hits.ids if found in records),
            total=hits.total,
            others=hits.others,
            has_newer=hits.has_newer,
            has_older=hits.has_older,
            exact=exact[0] if len(exact) == 1 else "",
        )

    def look_alikes(self, tx: Transaction, patients: Collection[str]) -> dict[str, tuple[str, ...]]:
        """`patient_index.look_alikes`, with nothing for those nobody looks like."""
        found = patient_index.look_alikes(tx, patients)
        return {one: found.get(one, ()) for one in patients}

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
        self._write(tx, row, corrected, by=by, now=now)
        before = json.loads(row.resource)
        return Correction(changed=tuple(changed), version=row.version + 1, before=before, after=corrected)

    def put_back(self, tx: Transaction, patient: str, correction: Correction, *, by: str, now: datetime) -> int:
        row = find(tx, patient, lock=True)
        if json.loads(row.resource) != correction.after:
            raise Conflict("Somebody else has changed the patient's record since. Correct it there instead.")
        self._write(tx, row, correction.before, by=by, now=now)
        return int(row.version) + 1

    def save(self, tx: Transaction, resource: dict[str, Any], *, by: str, now: datetime) -> str:
        """Import a Patient, as `import_one`; return "new", "changed" or "same"."""
        return self.import_one(tx, resource, by=by, now=now).outcome

    def import_one(self, tx: Transaction, resource: dict[str, Any], *, by: str, now: datetime) -> ImportedPatient:
        """
        Store what the EHR sends of a patient, and keep the portal's own data and what staff corrected.

        What staff and the EHR have both changed stays as it is, and becomes a conflict (decisions/0040).
        """
        at = to_text(now)
        values = {
            "id": resource["id"],
            "imported": compact(resource),
            "version": 1,
            "portal_status": PortalStatus.NOT_ENROLLED.value,
            "portal_status_at": at,
            "sends": 0,
            "opted_out": False,
            "changed_at": at,
            "changed_by": by,
        }
        found = patient_keys.found_by(resource, self._settings.calendar.local(now))
        if upserts.add(tx, patient, {**values, "resource": values["imported"], **found.columns}):
            patient_keys.store(tx, resource["id"], found, is_new=True)
            return ImportedPatient(id=resource["id"], outcome="new")
        row = tx.execute(_LOCK_IMPORTED, {"wanted": resource["id"]}).one()
        planned = self._plan(row, resource, now)
        if planned.merged is None:
            return planned
        conflict_rows.keep(tx, row.id, planned.merged, self._fields(json.loads(row.resource), now), now)
        if planned.outcome == "changed":
            self._write(tx, row, planned.merged.resource, by=by, now=now, imported=compact(resource))
        else:
            tx.execute(_REMEMBER, {"wanted": row.id, "imported": compact(resource)})
        return planned

    def plan_import(self, tx: Transaction, resource: dict[str, Any], *, now: datetime) -> ImportedPatient:
        """What `import_one` would do; nothing is written."""
        row = tx.execute(_FIND_IMPORTED, {"wanted": resource["id"]}).one_or_none()
        if row is None:
            return ImportedPatient(id=resource["id"], outcome="new")
        return self._plan(row, resource, now)

    def _plan(self, row: Row[Any], resource: dict[str, Any], now: datetime) -> ImportedPatient:
        ours = json.loads(row.resource)
        base = json.loads(row.imported) if row.imported else (ours if row.version == 1 else None)
        if resource == base and row.imported:
            return ImportedPatient(id=row.id, outcome="same")
        local = self._settings.calendar.local(now)
        merged = merge(base, ours, resource, local, self._settings.birth_sex_sources)
        outcome = "same" if merged.resource == ours else "changed"
        return ImportedPatient(id=row.id, outcome=outcome, merged=merged)

    def _fields(self, resource: dict[str, Any], now: datetime) -> dict[str, str]:
        return read_fields(resource, self._settings.calendar.local(now), self._settings.birth_sex_sources)

    def _write(
        self, tx: Transaction, row: Row[Any], resource: dict[str, Any], *, by: str, now: datetime, **more: Any
    ) -> None:
        """Store another resource of a patient, with the keys it is found by."""
        found = patient_keys.found_by(resource, self._settings.calendar.local(now))
        change(tx, row, by=by, now=now, resource=compact(resource), **found.columns, **more)
        if found.columns["search"] != row.search:
            patient_keys.store(tx, row.id, found)

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
                alike=patient_index.ids_of(stored[key][0].get("alike")),
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
    """Id, portal status, request time and practice's opt-out of each patient, with a few hundred rows in memory."""
    columns = (patient.c.id, patient.c.portal_status, patient.c.requested_at, patient.c.opted_out)
    found: Any = tx.execute(select(*columns).order_by(patient.c.id).execution_options(yield_per=500))
    yield from found


def requested_at(row: Row[Any]) -> datetime | None:
    """The time of the enrolment request in the row; `NO_MOMENT` if it cannot be read."""
    return moment(row.requested_at) if row.requested_at else None


_READ = select(*(column for column in patient.c if column.name != "imported"))
_WITH_ALIKE = _READ.add_columns(patient_index.alike_ids().label("alike"))
_FIND = _WITH_ALIKE.where(patient.c.id == bindparam("wanted"))
_FIND_ALL = _WITH_ALIKE.where(patient.c.id.in_(bindparam("wanted", expanding=True)))
_LOCK = _READ.where(patient.c.id == bindparam("wanted")).with_for_update()
_FIND_IMPORTED = select(patient).where(patient.c.id == bindparam("wanted"))
_LOCK_IMPORTED = _FIND_IMPORTED.with_for_update()
_REMEMBER = update(patient).where(patient.c.id == bindparam("wanted")).values(imported=bindparam("imported"))
_CHANGE = update(patient).where(patient.c.id == bindparam("wanted"), patient.c.version == bindparam("seen"))


def find(tx: Transaction, patient_id: str, *, lock: bool = False) -> Row[Any]:
    """The row of a patient; *lock* keeps it unchanged until the transaction ends. Raises `NotFound`."""
    row = tx.execute(_LOCK if lock else _FIND, {"wanted": patient_id}).one_or_none()
    if row is None:
        raise unknown_patient()
    return row


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
