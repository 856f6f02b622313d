"""Cases as lists show them: what each is about, where it stands, how it ended. Reads what all rows need at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from usher_engine import Instance

from ..words.case_narrative import Names
from ..words.element_names import names_of
from .patient_labels import Subject, subjects


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    instance: Instance
    #: The name of the process, and what the case is about: the patient's name, else its business key.
    process: str
    about: str
    patient: Subject | None
    at: str


def as_listed(instances: Sequence[Instance]) -> list[Listed]:
    patients = subjects(instance.business_key for instance in instances)
    by_version: dict[tuple[str, int], Names] = {}
    listed = []
    for instance in instances:
        version = (instance.process, instance.version)
        names = by_version.get(version) or by_version.setdefault(version, names_of(instance.id))
        at = " and ".join(names.of(element) for element in instance.at)
        ended = names.of(instance.outcome) if instance.outcome else ""
        patient = patients.get(instance.business_key)
        about = patient.name if patient else instance.business_key
        process = names.process or instance.process
        listed.append(Listed(instance=instance, process=process, about=about, patient=patient, at=at or ended))
    return listed
