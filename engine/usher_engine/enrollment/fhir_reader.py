"""Reads a FHIR R4 Patient: the fields the enrolment needs, and why the patient must not be invited. Pure.

A record from outside may contain anything, so all code here tolerates wrong shapes. fhir_writer.py writes corrections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

from ..core.email_address import shown_email_address
from ..core.practice_calendar import full_years
from ..core.visible_text import trimmed
from .fhir_preference import ADDRESS_USES, EMAIL_USES, MOBILE_USES, NAME_USES, Entry, preferred
from .timestamps import parse_day

FIELDS = ("first_name", "last_name", "birth_date", "zip_code", "email", "birth_sex", "mobile", "language")

BIRTH_SEX_EXTENSION = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
INDIVIDUAL_SEX_EXTENSION = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-individual-sex"

#: Codes of US Core birth sex; OTH is kept for records whose gender says “other”.
BIRTH_SEX_CODES = ("F", "M", "OTH", "UNK", "ASKU")
_GENDERS = {"male": "M", "female": "F", "other": "OTH", "unknown": "UNK"}
#: SNOMED CT codes of US Core individual sex, and its codes for an absent value.
_INDIVIDUAL_SEX = {
    "248152002": "F",
    "248153007": "M",
    "asked-declined": "ASKU",
    "asked-unknown": "ASKU",
    "unknown": "UNK",
}


def fields(resource: Entry, now: datetime, birth_sex_sources: str) -> dict[str, str]:
    """The enrolment's fields of *resource*, each as text, empty if absent (keys: `FIELDS`)."""
    name = name_entry(resource, now) or {}
    return {
        "first_name": first_given(name),
        "last_name": text(name.get("family")),
        "birth_date": text(resource.get("birthDate")),
        "zip_code": text((address_entry(resource, now) or {}).get("postalCode")),
        "email": shown_email_address(spelled_email(resource, now)),
        "birth_sex": birth_sex(resource, birth_sex_sources),
        "mobile": text((mobile_entry(resource, now) or {}).get("value")),
        "language": language_code(language_entry(resource)),
    }


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


def name_entry(resource: Entry, now: datetime) -> Entry | None:
    """The name to use, if one is in use."""
    names = entries(resource, "name")
    return preferred(names, NAME_USES, now, has_value=lambda n: bool(text(n.get("family")) or first_given(n)))


def first_given(name: Entry) -> str:
    given = name.get("given")
    return text(given[0]) if isinstance(given, list) and given else ""


def address_entry(resource: Entry, now: datetime) -> Entry | None:
    """The address to use; one with a ZIP code comes before all others."""
    return preferred(
        entries(resource, "address"), ADDRESS_USES, now, has_value=lambda a: bool(text(a.get("postalCode")))
    )


def email_entry(resource: Entry, now: datetime) -> Entry | None:
    """The e-mail address to write to."""
    emails = [t for t in entries(resource, "telecom") if t.get("system") == "email" and text(t.get("value"))]
    return preferred(emails, EMAIL_USES, now, has_value=lambda _: True)


def spelled_email(resource: Entry, now: datetime) -> str:
    """The e-mail address to write to, letter for letter as it stands in the record; empty for none."""
    entry = email_entry(resource, now)
    return entry["value"] if entry else ""


def mobile_entry(resource: Entry, now: datetime) -> Entry | None:
    """The mobile number: of system sms, or of system phone with the use mobile."""
    mobiles = [t for t in entries(resource, "telecom") if _is_mobile(t) and text(t.get("value"))]
    return preferred(mobiles, MOBILE_USES, now, has_value=lambda _: True)


def language_entry(resource: Entry) -> Entry | None:
    """The preferred language; a single language counts as preferred."""
    known = entries(resource, "communication")
    return _first(known, lambda c: c.get("preferred") is True, lambda _: len(known) == 1)


def language_code(entry: Entry | None) -> str:
    language = (entry or {}).get("language")
    codings = entries(language, "coding") if isinstance(language, dict) else []
    return text(codings[0].get("code")) if codings else ""


def birth_sex(resource: Entry, sources: str) -> str:
    """The first code found in *sources* (comma-separated, in order) that is in the value set; empty if none is."""
    found = (birth_sex_in(resource, source.strip()) for source in sources.split(","))
    return next(filter(None, found), "")


def birth_sex_in(resource: Entry, source: str) -> str:
    """The code from one source: us-core-birthsex, us-core-individual-sex or gender."""
    if source == "us-core-birthsex":
        codes = (text(e.get("valueCode")) for e in extensions(resource, BIRTH_SEX_EXTENSION))
        return next((_birth_sex_code(code) for code in codes if _birth_sex_code(code)), "")
    if source == "us-core-individual-sex":
        codings = (e.get("valueCoding") for e in extensions(resource, INDIVIDUAL_SEX_EXTENSION))
        codes = (text(c.get("code")) for c in codings if isinstance(c, dict))
        return next((_INDIVIDUAL_SEX[code] for code in codes if code in _INDIVIDUAL_SEX), "")
    return _GENDERS.get(text(resource.get("gender")), "") if source == "gender" else ""


def _birth_sex_code(code: str) -> str:
    # "asked-unknown" is the FHIR spelling of the v3 code ASKU that US Core uses.
    return "ASKU" if code == "asked-unknown" else code if code in BIRTH_SEX_CODES else ""


def entries(resource: Entry, key: str) -> list[Entry]:
    """The objects in the list *key*; other values are ignored."""
    value = resource.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def extensions(resource: Entry, url: str) -> Iterator[Entry]:
    return (e for e in entries(resource, "extension") if e.get("url") == url)


def _is_mobile(contact: Entry) -> bool:
    return contact.get("system") == "sms" or (contact.get("system"), contact.get("use")) == ("phone", "mobile")


def _first(among: list[Entry], *wishes: Callable[[Entry], bool]) -> Entry | None:
    """The first entry that satisfies the earliest of *wishes* that any entry satisfies."""
    return next((entry for wish in wishes for entry in among if wish(entry)), None)


def text(value: object) -> str:
    return trimmed(value) if isinstance(value, str) else ""
