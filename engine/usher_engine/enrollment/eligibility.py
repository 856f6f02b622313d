"""Why the person of a FHIR R4 Patient must not be invited. Pure."""

from __future__ import annotations

from datetime import date

from ..core.practice_calendar import full_years
from .fhir_entries import entries, text
from .fhir_preference import Entry
from .timestamps import parse_day


def refusal(resource: Entry, today: date, minimum_age: int) -> str | None:
    """Why this person must not be invited *today*, in one plain sentence; None if the record permits it."""
    if resource.get("deceasedBoolean") is True or "deceasedDateTime" in resource or "_deceasedDateTime" in resource:
        return "The patient is recorded as deceased."
    if resource.get("active") is False:
        return "The patient record is inactive."
    if any(link.get("type") == "replaced-by" for link in entries(resource, "link")):
        return "This record was merged into another one. Use the record that replaces it."
    if is_too_young(resource, today, minimum_age):
        return f"Age rule: patients under {minimum_age} are not invited by themselves."
    return None


def is_too_young(resource: Entry, today: date, minimum_age: int) -> bool:
    """Whether the patient is certainly younger than *minimum_age*; of a partial date the earliest day counts."""
    stored = text(resource.get("birthDate"))
    born = parse_day(stored + {4: "-01-01", 7: "-01"}.get(len(stored), ""))
    return born is not None and full_years(born, today) < minimum_age
