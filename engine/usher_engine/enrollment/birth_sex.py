"""Reads and writes the birth sex of a FHIR R4 Patient, from the sources that a setting lists. Pure."""

from __future__ import annotations

from .fhir_entries import append_entry, extensions, record, text, without_extensions
from .fhir_preference import Entry

BIRTH_SEX_EXTENSION = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
INDIVIDUAL_SEX_EXTENSION = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-individual-sex"

#: Codes of US Core birth sex; OTH is kept for records whose gender says “other”.
BIRTH_SEX_CODES = {"F": "Female", "M": "Male", "OTH": "Other", "UNK": "Unknown", "ASKU": "Asked, not known"}
_SNOMED = "http://snomed.info/sct"
_WRITTEN_GENDERS = {"M": "male", "F": "female", "OTH": "other", "UNK": "unknown"}
_READ_GENDERS = {gender: code for code, gender in _WRITTEN_GENDERS.items()}
_WRITTEN_INDIVIDUAL_SEX = {"F": "248152002", "M": "248153007"}
#: SNOMED CT codes of US Core individual sex, and its codes for an absent value.
_READ_INDIVIDUAL_SEX = {
    "248152002": "F",
    "248153007": "M",
    "asked-declined": "ASKU",
    "asked-unknown": "ASKU",
    "unknown": "UNK",
}


def read_birth_sex(resource: Entry, sources: str) -> str:
    """The first code found in *sources* (comma-separated, in order) that is in the value set; empty if none is."""
    found = (_read_source(resource, source.strip()) for source in sources.split(","))
    return next(filter(None, found), "")


def _read_source(resource: Entry, source: str) -> str:
    """The code from one source: us-core-birthsex, us-core-individual-sex or gender."""
    if source == "us-core-birthsex":
        found = (text(e.get("valueCode")) for e in extensions(resource, BIRTH_SEX_EXTENSION))
        return next((_known_code(code) for code in found if _known_code(code)), "")
    if source == "us-core-individual-sex":
        codings = (record(e.get("valueCoding")) for e in extensions(resource, INDIVIDUAL_SEX_EXTENSION))
        found = (text(coding.get("code")) for coding in codings)
        return next((_READ_INDIVIDUAL_SEX[code] for code in found if code in _READ_INDIVIDUAL_SEX), "")
    return _READ_GENDERS.get(text(resource.get("gender")), "") if source == "gender" else ""


def _known_code(code: str) -> str:
    # "asked-unknown" is the FHIR spelling of the v3 code ASKU that US Core uses.
    return "ASKU" if code == "asked-unknown" else code if code in BIRTH_SEX_CODES else ""


def write_birth_sex(resource: Entry, value: str, sources: str) -> None:
    """Write to the first source that can express *value*; remove earlier sources, which would hide it."""
    for source in (s.strip() for s in sources.split(",")):
        _forget(resource, source)
        if source == "us-core-birthsex" and value:
            append_entry(resource, "extension", {"url": BIRTH_SEX_EXTENSION, "valueCode": value})
            return
        if source == "us-core-individual-sex" and value in _WRITTEN_INDIVIDUAL_SEX:
            coding = {"system": _SNOMED, "code": _WRITTEN_INDIVIDUAL_SEX[value]}
            append_entry(resource, "extension", {"url": INDIVIDUAL_SEX_EXTENSION, "valueCoding": coding})
            return
        if source == "gender" and value in _WRITTEN_GENDERS:
            resource["gender"] = _WRITTEN_GENDERS[value]
            return


def _forget(resource: Entry, source: str) -> None:
    urls = {"us-core-birthsex": BIRTH_SEX_EXTENSION, "us-core-individual-sex": INDIVIDUAL_SEX_EXTENSION}
    if source == "gender":
        resource.pop("gender", None)
    elif source in urls:
        without_extensions(resource, urls[source])
