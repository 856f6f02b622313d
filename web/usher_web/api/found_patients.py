"""Patients as the API lists them: the same search as the pages', with true counts."""

from __future__ import annotations

from typing import TypedDict

from usher_engine.enrollment import FoundPatients

from ..casework.patient_labels import describe
from ..site import site


class Patient(TypedDict):
    """A patient; record_number is the id where the record has none, look_alikes are others to be told apart."""

    id: str
    record_number: str
    name: str
    birth_date: str
    portal_status: str
    guard: str
    look_alikes: list[str]


class Patients(TypedDict):
    """A page of patients; total fit in all, others fit but are closed (or, with closed, in force)."""

    patients: list[Patient]
    total: int
    others: int
    next: str | None


def full_patients(found: FoundPatients) -> Patients:
    """The page of a search; its patients are noted as shown."""
    patients: list[Patient] = []
    for record in found.records:
        subject = describe(record)
        patients.append(
            {
                "id": subject.id,
                "record_number": subject.record,
                "name": subject.name,
                "birth_date": record.fields(site().now(), site().settings)["birth_date"],
                "portal_status": subject.status,
                "guard": subject.guard,
                "look_alikes": list(subject.alike),
            }
        )
    last = found.records[-1].id if found.records and found.has_older else None
    return {"patients": patients, "total": found.total, "others": found.others, "next": last}
