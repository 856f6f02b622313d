"""Reads and writes what a FHIR R4 Patient says of the person beside name, contact and address. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from .fhir_entries import append_entry, codes, entries, extensions, first, put, record, text, without_extensions
from .fhir_preference import Entry, is_in_use

_NULL_FLAVORS = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"
_UNKNOWN = {"ASKU": "Asked but no answer", "UNK": "Unknown"}
_MARITAL_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
_OMB_SYSTEM = "urn:oid:2.16.840.1.113883.6.238"
_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
RACE, ETHNICITY = f"{_CORE}/us-core-race", f"{_CORE}/us-core-ethnicity"
INTERPRETER, INTERPRETER_CORE = (
    "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired",
    f"{_CORE}/us-core-interpreter-needed",
)
_SNOMED = "http://snomed.info/sct"
_INTERPRETER_CODES = {"yes": "373066001", "no": "373067005"}

GENDERS = {"male": "Male", "female": "Female", "other": "Other", "unknown": "Unknown"}
MARITAL_STATUSES = {
    "A": "Annulled",
    "D": "Divorced",
    "I": "Interlocutory",
    "L": "Legally separated",
    "M": "Married",
    "C": "Common law",
    "P": "Polygamous",
    "T": "Domestic partner",
    "U": "Unmarried",
    "S": "Never married",
    "W": "Widowed",
    "UNK": "Unknown",
}
RACES = {
    "1002-5": "American Indian or Alaska Native",
    "2028-9": "Asian",
    "2054-5": "Black or African American",
    "2076-8": "Native Hawaiian or Other Pacific Islander",
    "2106-3": "White",
    **_UNKNOWN,
}
ETHNICITIES = {"2135-2": "Hispanic or Latino", "2186-5": "Not Hispanic or Latino", **_UNKNOWN}
YES_OR_NO = {"yes": "Yes", "no": "No"}


def read_birth_date(resource: Entry, _now: datetime) -> str:
    return text(resource.get("birthDate"))


def write_birth_date(resource: Entry, value: str, _now: datetime) -> None:
    put(resource, "birthDate", value)


def read_gender(resource: Entry, _now: datetime) -> str:
    found = text(resource.get("gender"))
    return found if found in GENDERS else ""


def write_gender(resource: Entry, value: str, _now: datetime) -> None:
    put(resource, "gender", value)


def read_marital_status(resource: Entry, _now: datetime) -> str:
    return next((code for code in codes(resource.get("maritalStatus")) if code in MARITAL_STATUSES), "")


def write_marital_status(resource: Entry, value: str, _now: datetime) -> None:
    system = _NULL_FLAVORS if value in _UNKNOWN else _MARITAL_SYSTEM
    coding = {"system": system, "code": value, "display": MARITAL_STATUSES.get(value, value)}
    put(resource, "maritalStatus", {"coding": [coding]} if value else None)


def category_reader(url: str, known: Mapping[str, str]) -> Callable[[Entry, datetime], str]:
    """A function that reads the OMB categories of the extension *url*: their codes, with a space between them."""

    def read(resource: Entry, _now: datetime) -> str:
        parts = [part for found in extensions(resource, url) for part in extensions(found, "ombCategory")]
        found = [text(record(part.get("valueCoding")).get("code")) for part in parts]
        return " ".join(code for code in dict.fromkeys(found) if code in known)

    return read


def category_writer(url: str, known: Mapping[str, str]) -> Callable[[Entry, str, datetime], None]:
    """A function that writes the OMB categories of the extension *url*, with the text that US Core asks for."""

    def write(resource: Entry, value: str, _now: datetime) -> None:
        without_extensions(resource, url)
        chosen = value.split()
        if chosen:
            parts = [{"url": "ombCategory", "valueCoding": _omb_coding(code, known[code])} for code in chosen]
            words = {"url": "text", "valueString": ", ".join(known[code] for code in chosen)}
            append_entry(resource, "extension", {"url": url, "extension": [*parts, words]})

    return write


def _omb_coding(code: str, display: str) -> Entry:
    return {"system": _NULL_FLAVORS if code in _UNKNOWN else _OMB_SYSTEM, "code": code, "display": display}


def read_language(resource: Entry, _now: datetime) -> str:
    return next(iter(codes((_language(resource) or {}).get("language"))), "")


def write_language(resource: Entry, value: str, _now: datetime) -> None:
    found = _language(resource)
    if not value:
        kept = [one for one in entries(resource, "communication") if one is not found]
        put(resource, "communication", kept)
        return
    if found is None:
        found = append_entry(resource, "communication", {})
    found["language"] = {"coding": [{"system": "urn:ietf:bcp:47", "code": value}]}
    found["preferred"] = True


def _language(resource: Entry) -> Entry | None:
    """The preferred language; a single language counts as preferred."""
    known = entries(resource, "communication")
    return first(known, lambda c: c.get("preferred") is True, lambda _: len(known) == 1)


def read_interpreter(resource: Entry, _now: datetime) -> str:
    for found in extensions(resource, INTERPRETER_CORE):
        code = text(record(found.get("valueCoding")).get("code"))
        for answer, known in _INTERPRETER_CODES.items():
            if code == known:
                return answer
    flags = [found.get("valueBoolean") for found in extensions(resource, INTERPRETER)]
    return next(("yes" if flag else "no" for flag in flags if isinstance(flag, bool)), "")


def write_interpreter(resource: Entry, value: str, _now: datetime) -> None:
    without_extensions(resource, INTERPRETER, INTERPRETER_CORE)
    if value:
        coding = {"system": _SNOMED, "code": _INTERPRETER_CODES[value], "display": YES_OR_NO[value]}
        append_entry(resource, "extension", {"url": INTERPRETER_CORE, "valueCoding": coding})


def read_record_number(resource: Entry, now: datetime) -> str:
    numbers = [one for one in entries(resource, "identifier") if "MR" in codes(one.get("type")) and is_in_use(one, now)]
    return next(filter(None, (text(one.get("value")) for one in numbers)), "")
