"""The patient of a case, as the pages for staff and auditors show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import usher_engine
from usher_engine.enrollment import MOST_ALIKE, PatientRecord, replaced_by

from .. import audit_logging
from ..site import site
from ..words.presentation import born_words


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """
    *record* is the medical record number, or the id where the record has none; *alike* are the ids of other patients
    with the same name and date of birth; *guard* is why the patient must not be invited, empty if nothing prevents it.
    *replaced_by* is the id of the record that this one was merged into, as far as it is known.
    """

    id: str
    name: str
    record: str
    born: str
    status: str
    guard: str
    alike: tuple[str, ...] = ()
    replaced_by: str = ""

    @property
    def alike_words(self) -> str:
        """ "2 look alike", this one among them; empty if nobody does."""
        many = "over " if len(self.alike) >= MOST_ALIKE else ""
        return f"{many}{len(self.alike) + (not many)} look alike" if self.alike else ""


def subject(patient: str) -> Subject | None:
    """The patient with this business key; None if it is not one of our patients."""
    if not patient:
        return None
    try:
        return describe(site().enrollment.patient(patient))
    except usher_engine.NotFound:
        return None


def subjects(patients: Iterable[str]) -> dict[str, Subject]:
    """The patients with these business keys, in one query; keys that are not our patients are left out."""
    found = site().enrollment.patients_by_id({patient for patient in patients if patient})
    return {patient: describe(record) for patient, record in found.items()}


def describe(record: PatientRecord) -> Subject:
    audit_logging.note_shown(record.id)
    here, settings = site(), site().settings
    fields = record.fields(here.now(), settings)
    name = f"{fields['first_name']} {fields['last_name']}".strip()
    return Subject(
        id=record.id,
        name=name or "Patient without a name",
        record=fields["record_number"] or record.id,
        born=born_words(fields["birth_date"], here.today()),
        status=record.status,
        guard=record.guard(here.now(), settings) or "",
        alike=record.alike,
        replaced_by=replaced_by(record.resource) or "",
    )


def others_alike(patient: Subject) -> list[Subject]:
    """The patients that look like *patient*, for a page about that one."""
    found = site().enrollment.patients_by_id(patient.alike)
    return [describe(record) for record in found.values()]
