"""Writes corrected fields back into a FHIR R4 Patient and keeps everything else in it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime

from ..core.email_address import shown_email_address
from ..core.errors import InvalidSubmission
from ..core.visible_text import trimmed
from . import fhir_reader
from .fhir_preference import SUBSTITUTE_NAMES, Entry
from .fhir_reader import BIRTH_SEX_EXTENSION, INDIVIDUAL_SEX_EXTENSION
from .timestamps import iso

_GENDERS = {"M": "male", "F": "female", "OTH": "other", "UNK": "unknown"}
_SNOMED = "http://snomed.info/sct"
_INDIVIDUAL_SEX = {"F": ("248152002", _SNOMED), "M": ("248153007", _SNOMED)}


def changed_fields(
    resource: Entry, values: Mapping[str, object], now: datetime, birth_sex_sources: str
) -> dict[str, str]:
    """Those of *values* that differ from *resource*; raises `InvalidSubmission` for unknown fields or non-text."""
    unknown = [key for key in values if key not in fhir_reader.FIELDS]
    if unknown:
        known = ", ".join(fhir_reader.FIELDS)
        reasons = dict.fromkeys(unknown, f"is no field of a patient; known are {known}")
        raise InvalidSubmission(f"“{unknown[0]}” is no field of a patient. Known: {known}.", fields=reasons)
    texts = {key: _as_text(key, value) for key, value in values.items()}
    before = fhir_reader.fields(resource, now, birth_sex_sources)
    return {key: text for key, text in texts.items() if text != before[key]}


def update_resource(resource: Entry, values: Mapping[str, str], now: datetime, birth_sex_sources: str) -> Entry:
    """
    *resource* with *values* (keys of `fhir_reader.FIELDS`) in the entries they are read from.

    Missing entries are created. Removing a value ends the period of its entry instead of deleting it.
    """
    copy = deepcopy(resource)
    for key, value in values.items():
        if key == "birth_sex":
            _write_birth_sex(copy, value, birth_sex_sources)
        else:
            _WRITERS[key](copy, value, now)
    return copy


def _as_text(key: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidSubmission(f"“{key}” must be text.", fields={key: "must be text"})
    return shown_email_address(value) if key == "email" else trimmed(value)


def _write_first_name(resource: Entry, value: str, now: datetime) -> None:
    name = _name(resource, now)
    given = name.get("given")
    name["given"] = [value, *(given[1:] if isinstance(given, list) else [])]


def _write_last_name(resource: Entry, value: str, now: datetime) -> None:
    _name(resource, now)["family"] = value


def _name(resource: Entry, now: datetime) -> Entry:
    name = fhir_reader.name_entry(resource, now) or {}
    if not name or name.get("use") in SUBSTITUTE_NAMES:
        known: Entry = {key: deepcopy(name[key]) for key in ("family", "given") if key in name}
        return _append_entry(resource, "name", {"use": "official", **known})
    name.pop("text", None)  # it contains the old name in full
    return name


def _write_birth_date(resource: Entry, value: str, _now: datetime) -> None:
    resource["birthDate"] = value
    resource.pop("_birthDate", None)  # contains the time of birth on the old date


def _write_zip_code(resource: Entry, value: str, now: datetime) -> None:
    address = fhir_reader.address_entry(resource, now) or _append_entry(resource, "address", {"use": "home"})
    address.pop("text", None)
    address["postalCode"] = value


def _write_email(resource: Entry, value: str, now: datetime) -> None:
    _write_contact(resource, fhir_reader.email_entry(resource, now), {"system": "email", "use": "home"}, value, now)


def _write_mobile(resource: Entry, value: str, now: datetime) -> None:
    _write_contact(resource, fhir_reader.mobile_entry(resource, now), {"system": "phone", "use": "mobile"}, value, now)


def _write_contact(resource: Entry, found: Entry | None, new: Entry, value: str, now: datetime) -> None:
    if value:
        entry = found if found is not None else _append_entry(resource, "telecom", new)
        entry["value"] = value
    elif found is not None:
        period = found.get("period")
        found["period"] = {**(period if isinstance(period, dict) else {}), "end": iso(now)}


def _write_language(resource: Entry, value: str, _now: datetime) -> None:
    found = fhir_reader.language_entry(resource)
    if found is None:
        found = _append_entry(resource, "communication", {})
    found["language"] = {"coding": [{"system": "urn:ietf:bcp:47", "code": value}]}
    found["preferred"] = True


_WRITERS: dict[str, Callable[[Entry, str, datetime], None]] = {
    "first_name": _write_first_name,
    "last_name": _write_last_name,
    "birth_date": _write_birth_date,
    "zip_code": _write_zip_code,
    "email": _write_email,
    "mobile": _write_mobile,
    "language": _write_language,
}


def _write_birth_sex(resource: Entry, value: str, sources: str) -> None:
    """Write to the first source that can express *value*; remove earlier sources, which would hide it."""
    for source in (s.strip() for s in sources.split(",")):
        _forget_birth_sex(resource, source)
        if source == "us-core-birthsex":
            _append_entry(resource, "extension", {"url": BIRTH_SEX_EXTENSION, "valueCode": value})
            return
        if source == "us-core-individual-sex" and value in _INDIVIDUAL_SEX:
            code, system = _INDIVIDUAL_SEX[value]
            coding = {"system": system, "code": code}
            _append_entry(resource, "extension", {"url": INDIVIDUAL_SEX_EXTENSION, "valueCoding": coding})
            return
        if source == "gender" and value in _GENDERS:
            resource["gender"] = _GENDERS[value]
            return


def _forget_birth_sex(resource: Entry, source: str) -> None:
    urls = {"us-core-birthsex": BIRTH_SEX_EXTENSION, "us-core-individual-sex": INDIVIDUAL_SEX_EXTENSION}
    if source == "gender":
        resource.pop("gender", None)
    elif "extension" in resource and source in urls:
        resource["extension"] = [e for e in fhir_reader.entries(resource, "extension") if e.get("url") != urls[source]]


def _append_entry(resource: Entry, key: str, entry: Entry) -> Entry:
    present = resource.get(key)
    resource[key] = [*present, entry] if isinstance(present, list) else [entry]
    return entry
