"""Asks whether it is the right one of two patients who look alike, before an invitation goes out by a person's act.

Without a look-alike nothing is asked. That the warning was seen is an audit event, and a fact in the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from usher_engine import Instance
from usher_engine.enrollment import LOOK_ALIKE_SEEN, PatientRecord

from .. import audit_logging, auth
from ..casework.patient_labels import Subject, describe, others_alike
from ..site import site
from ..words.presentation import joined

MOST_NAMED = 50

#: What is compared, by title: the fields of it.
_COMPARED = {
    "Address": ("address_line1", "address_line2", "city", "state", "zip_code"),
    "Phone": ("phone",),
    "E-mail": ("email",),
    "Middle name": ("middle_name",),
    "Birth sex": ("birth_sex",),
    "Language": ("language",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """One line of the comparison; *values* are this patient's and each other's, empty where the record has none."""

    title: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """The patient and those who look alike; *lines* begin with what differs, *same* are the titles of what does not."""

    patient: Subject
    others: tuple[Subject, ...]
    email: str
    lines: tuple[Compared, ...]
    same: str

    @property
    def seen(self) -> str:
        """The value of `SEEN` once the person has seen all of them."""
        return _as_seen(self.patient)

    @property
    def told_apart_by(self) -> str:
        """The first thing that only this patient has, for the button; empty if nothing of that kind is known."""
        return next((line.values[0] for line in self.lines if line.differs and line.values[0]), "")

    @property
    def warning(self) -> str:
        """ "Another Alex Twin was born on the same day." """
        if len(self.others) == 1:
            return f"Another {self.patient.name} was born on the same day."
        return f"{len(self.others)} others called {self.patient.name} were born on the same day."


def question_about(patient_id: str, seen: str = "") -> Question | None:
    """The question to ask before an act for this patient; None if nobody looks alike, or all were *seen*."""
    if not patient_id or not site().enrollment.finder.look_alikes([patient_id])[patient_id]:
        return None
    record = site().enrollment.patients_by_id([patient_id]).get(patient_id)
    if record is None:
        return None
    patient = describe(record)
    if seen == _as_seen(patient):
        return None
    others = others_alike(patient)
    records = site().enrollment.patients_by_id([patient_id, *patient.alike])
    fields = [_fields(records[one.id]) for one in (patient, *others)]
    lines = [_compared(title, keys, fields) for title, keys in _COMPARED.items()]
    lines.append(Compared(title="Portal status", values=tuple(one.status for one in (patient, *others))))
    known = [line for line in lines if any(line.values)]
    same = ["name", "birth date", *(line.title.lower() for line in known if not line.differs)]
    return Question(
        patient=patient,
        others=tuple(others),
        email=fields[0]["email"],
        lines=tuple(line for line in known if line.differs),
        same=joined(same),
    )


def record_warning(patient_id: str, seen: str) -> None:
    """Record, before the act, that the person saw who looks like the patient they act for; nothing for no warning."""
    alike = site().enrollment.finder.look_alikes([patient_id])[patient_id] if seen and patient_id else ()
    others = [one for one in seen.split() if one in alike]
    if others:
        audit_logging.record("LookAlikeSeen", {"others": others}, subject=patient_id, about=patient_id)


def record_in_case(instance: Instance, seen: str) -> None:
    """Record the same in the case, for those who read its history."""
    if seen:
        details = {"others": seen.split()[:MOST_NAMED]}
        site().engine.steps.record(instance.id, LOOK_ALIKE_SEEN, details, actor=auth.actor())


def _as_seen(patient: Subject) -> str:
    return " ".join(sorted(patient.alike))


def _fields(record: PatientRecord) -> Mapping[str, str]:
    return record.fields(site().now(), site().settings)


def _compared(title: str, keys: Sequence[str], fields: Sequence[Mapping[str, str]]) -> Compared:
    return Compared(title=title, values=tuple(", ".join(filter(None, (one[key] for key in keys))) for one in fields))
