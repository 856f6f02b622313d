"""Why the person of a FHIR R4 Patient must not be invited. Pure."""

from __future__ import annotations

from datetime import date

from ..core.practice_calendar import full_years
from .fhir_entries import entries, record, text
from .fhir_preference import Entry
from .timestamps import parse_day


def refusal(resource: Entry, today: date, minimum_age: int) -> str | None:
    """Why this person must not be invited *today*, in one plain sentence; None if the record permits it."""
    if is_deceased(resource):
        return "The patient is recorded as deceased."
    if resource.get("active") is False:
        return "The patient record is inactive."
    if replaced_by(resource) is not None:
        return "This record was merged into another one. Use the record that replaces it."
    if is_too_young(resource, today, minimum_age):
        return f"Age rule: patients under {minimum_age} are not invited by themselves."
    return None


def is_closed(resource: Entry) -> bool:
    """Whether the record is one nobody is enrolled under: deceased, inactive or merged into another."""
    return is_deceased(resource) or resource.get("active") is False or replaced_by(resource) is not None


def is_deceased(resource: Entry) -> bool:
    dated = "deceasedDateTime" in resource or "_deceasedDateTime" in resource
    return dated or resource.get("deceasedBoolean") is True


def replaced_by(resource: Entry) -> str | None:
    """The id of the record this one was merged into, empty if the record does not say which; None if it was not."""
    links = [link for link in entries(resource, "link") if link.get("type") == "replaced-by"]
    references = (text(record(link.get("other")).get("reference")) for link in links)
    ids = (found.rpartition("Patient/")[2].partition("/")[0] for found in references if "Patient/" in found)
    return next(filter(None, ids), "") if links else None


def is_too_young(resource: Entry, today: date, minimum_age: int) -> bool:
    """Whether the patient is certainly younger than *minimum_age*; of a partial date the earliest day counts."""
    stored = text(resource.get("birthDate"))
    born = parse_day(stored + {4: "-01-01", 7: "-01"}.get(len(stored), ""))
    return born is not None and full_years(born, today) < minimum_age
