"""Reads the fields of a patient from a FHIR R4 Patient, and writes corrections back. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy
from datetime import datetime
from difflib import get_close_matches

from ..core.email_address import shown_email_address
from ..core.errors import InvalidSubmission
from ..core.visible_text import trimmed
from .fhir_preference import Entry
from .patient_fields import FIELDS, fields_of


def read_fields(
    resource: Entry, now: datetime, birth_sex_sources: str, keys: Collection[str] = FIELDS.keys()
) -> dict[str, str]:
    """The fields of *resource* named by *keys*, or all, by key. *now* shows the practice's clock."""
    fields = fields_of(birth_sex_sources)
    return {key: fields[key].read(resource, now) for key in keys}


def changed_fields(
    resource: Entry, values: Mapping[str, object], now: datetime, birth_sex_sources: str
) -> dict[str, str]:
    """
    Those of *values* that differ from *resource*.

    Raises:
        InvalidSubmission: A field is unknown, read only, no text, or has a value that is none of its codes.
    """
    before = read_fields(resource, now, birth_sex_sources, FIELDS.keys() & values.keys())
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for key, value in values.items():
        given = _as_text(key, value)
        if given is None or key not in FIELDS:
            wrong[key] = "must be text" if key in FIELDS else _unknown(key)
        elif given != before[key]:
            found[key] = given
            problem = FIELDS[key].problem(given) if FIELDS[key].write else "can be read only; leave it as it is"
            wrong |= {key: problem} if problem else {}
    if wrong:
        key, reason = next(iter(wrong.items()))
        raise InvalidSubmission(f"“{key}” {reason}.", fields=wrong)
    return found


def _unknown(key: str) -> str:
    close = get_close_matches(key, FIELDS, n=1)
    meant = f"did you mean “{close[0]}”?" if close else f"known are {', '.join(FIELDS)}"
    return f"is no field of a patient; {meant}"


def _as_text(key: str, value: object) -> str | None:
    if value is None:
        return ""
    if not isinstance(value, str):
        return None
    return shown_email_address(value) if key == "email" else trimmed(value)


def update_resource(resource: Entry, values: Mapping[str, str], now: datetime, birth_sex_sources: str) -> Entry:
    """
    *resource* with *values* in the entries they are read from; missing entries are created, all else is kept.

    A contact that is removed ends its period instead of being deleted. Raises `InvalidSubmission` where FHIR does not
    allow a value by itself.
    """
    copy = deepcopy(resource)
    for key, one in fields_of(birth_sex_sources).items():
        if key not in values or one.write is None:
            continue
        beside = [other for other in one.among if other in values]
        if not beside:
            one.write(copy, values[key], now)
        elif one.read(copy, now) != values[key]:
            reason = f"is another than “{beside[0]}”, which was changed with it; give both the same, or change one only"
            raise InvalidSubmission(f"“{key}” {reason}.", fields={key: reason})
    return copy
