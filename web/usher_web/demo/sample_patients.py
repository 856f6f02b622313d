"""Invented patients for the demonstration and for tests: one for each status, guard and missing field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from usher_engine import Actor
from usher_engine.audit import AuditKind
from usher_engine.audit.audit_log import audit_body
from usher_engine.enrollment import portal_status, trigger_fields
from usher_engine.enrollment.birth_sex import BIRTH_SEX_EXTENSION
from usher_engine.enrollment.patient_registry import Registry, find
from usher_engine.enrollment.statuses import PortalStatus
from usher_engine.enrollment.trigger_fields import ENROLLMENT
from usher_engine.store import Database, Transaction
from usher_engine.store.audit_rows import append

#: Templates that carry the trigger in the demonstration.
TRIGGERS = (
    ("Office Visit", "Patient Portal"),
    ("Office Visit", "Check-out"),
    ("Annual Wellness Visit", "Patient Portal"),
)

_BY = "sample"
OPTED_OUT = "sample-opted-out"

#: Field keys left out of a record, or changes to its resource, by patient id.
_WITHOUT: dict[str, tuple[str, ...]] = {
    "sample-no-email": ("email",),
    "sample-no-zip": ("zip_code",),
    "sample-no-birth-date": ("birth_date",),
    "sample-no-birth-sex": ("birth_sex",),
    "sample-no-name": ("first_name", "last_name"),
    "sample-bare": ("first_name", "zip_code", "email", "birth_sex"),
}
_NAMES = {
    "sample-complete": ("Ada", "Sample"),
    "sample-complete-2": ("Ben", "Sample"),
    "sample-no-email": ("Cleo", "Sample"),
    "sample-no-zip": ("Dan", "Sample"),
    "sample-no-birth-date": ("Eve", "Sample"),
    "sample-no-birth-sex": ("Finn", "Sample"),
    "sample-no-name": ("Nameless", "Sample"),
    "sample-bare": ("Gus", "Sample"),
    "sample-pending": ("Hana", "Example"),
    "sample-declined": ("Ivo", "Example"),
    "sample-deferred": ("June", "Example"),
    "sample-completed": ("Kai", "Example"),
    "sample-locked": ("Lena", "Example"),
    "sample-deactivated": ("Milo", "Example"),
    "sample-deleted": ("Nora", "Example"),
    "sample-unavailable": ("Otto", "Example"),
    "sample-deceased": ("Pia", "Specimen"),
    "sample-inactive": ("Quin", "Specimen"),
    "sample-merged": ("Rosa", "Specimen"),
    "sample-opted-out": ("Sam", "Specimen"),
    "sample-minor": ("Tim", "Specimen"),
}
_RESOURCE_CHANGES: dict[str, dict[str, Any]] = {
    "sample-deceased": {"deceasedDateTime": "2025-02-11"},
    "sample-inactive": {"active": False},
    "sample-merged": {"link": [{"other": {"reference": "Patient/sample-complete"}, "type": "replaced-by"}]},
}
_STATUSES = {
    "sample-completed": PortalStatus.COMPLETED.value,
    "sample-locked": PortalStatus.LOCKED.value,
    "sample-deactivated": PortalStatus.DEACTIVATED.value,
    "sample-deleted": PortalStatus.DELETED.value,
    "sample-unavailable": None,
}


def add_samples(
    database: Database, registry: Registry, now: datetime, *, since: datetime | None = None
) -> list[str]:
    """
    Store the sample patients and triggers; existing data stays as it is. Returns the patients' ids.

    Triggers and opt-outs are set, and recorded, *since* then (default: now), before a past that follows.
    """
    with database.begin() as tx:
        for patient in _NAMES:
            if not registry.knows(tx, patient):
                registry.save(tx, resource(patient, now), by=_BY, now=now)
                _put_into_status(tx, patient, now)
                if patient == OPTED_OUT:
                    portal_status.set_practice_opt_out(tx, patient, True, by=_BY, now=since or now)
                    _record(tx, "OptOutSet", {"scope": "practice"}, since or now, subject=patient)
        if not trigger_fields.templates(tx):
            for template, field in TRIGGERS:
                row = trigger_fields.set_trigger(tx, template, field, ENROLLMENT, by=_BY, now=since or now)
                details = {"setting": "trigger", "template": template, "field": field, "action": ENROLLMENT}
                _record(tx, "SettingChanged", {**details, **row}, since or now)
    return list(_NAMES)


def _record(tx: Transaction, kind: AuditKind, details: Mapping[str, Any], at: datetime, *, subject: str = "") -> None:
    actor = Actor(name=_BY, role="system")
    append(tx, audit_body(kind, details, at=at, actor=actor, subject=subject, business_key=subject))


def resource(patient: str, now: datetime) -> dict[str, Any]:
    """The FHIR Patient of one sample; ages are counted from *now*."""
    first, last = _NAMES[patient]
    index = list(_NAMES).index(patient)
    age = 9 if patient == "sample-minor" else 24 + 2 * index
    values = {
        "first_name": first,
        "last_name": last,
        "birth_date": date(now.year - age, 1 + index % 12, 1 + index).isoformat(),
        "zip_code": f"{10001 + index}",
        "email": f"{first.lower()}@example.org",
        "birth_sex": "F" if index % 2 == 0 else "M",
    }
    kept = {key: value for key, value in values.items() if key not in _WITHOUT.get(patient, ())}
    number = {"type": {"coding": [{"system": _ID_TYPES, "code": "MR"}]}, "value": f"MR-{1001 + index}"}
    return {**_fhir(patient, kept), "identifier": [number], **_RESOURCE_CHANGES.get(patient, {})}


_ID_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"


def _fhir(patient: str, values: Mapping[str, str]) -> dict[str, Any]:
    name = {"use": "official", "family": values.get("last_name"), "given": _list(values.get("first_name"))}
    address = {"use": "home", "postalCode": values.get("zip_code"), "country": "US"}
    found: dict[str, Any] = {
        "resourceType": "Patient",
        "id": patient,
        "active": True,
        "name": [{key: value for key, value in name.items() if value}],
        "address": [{key: value for key, value in address.items() if value}],
    }
    if "birth_date" in values:
        found["birthDate"] = values["birth_date"]
    if "email" in values:
        found["telecom"] = [{"system": "email", "value": values["email"], "use": "home"}]
    if "birth_sex" in values:
        found["extension"] = [{"url": BIRTH_SEX_EXTENSION, "valueCode": values["birth_sex"]}]
    return found


def _list(value: str | None) -> list[str]:
    return [value] if value else []


def _put_into_status(tx: Transaction, patient: str, now: datetime) -> None:
    if patient == "sample-pending":
        requested = now - timedelta(days=3, hours=2)
        portal_status.record_request(tx, patient, by=_BY, requested_by="alice", now=requested)
    elif patient == "sample-declined":
        declined = now - timedelta(days=40)
        status = PortalStatus.DECLINED.value
        portal_status.add_response(tx, patient, status, until=None, terms="", now=declined, instance="")
    elif patient == "sample-deferred":
        deferred, until = now - timedelta(days=12), (now + timedelta(days=30)).date()
        answer = PortalStatus.DEFERRED.value
        portal_status.add_response(tx, patient, answer, until=until, terms="", now=deferred, instance="")
    elif patient in _STATUSES:
        since = now - timedelta(days=90)
        portal_status.set_status(tx, find(tx, patient, lock=True), _STATUSES[patient], by=_BY, now=since)
