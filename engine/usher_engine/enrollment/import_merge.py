"""Merges what the EHR sends now with what it sent before and what staff corrected since (decisions/0040). Pure.

Fields are compared as people read them (`patient_fields`), so that the order of entries in a FHIR list does not matter.
What no field shows always comes from the EHR, because staff cannot change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ..core.email_address import comparable_email_address
from ..core.errors import InvalidSubmission
from .fhir_preference import Entry
from .patient_corrections import update_resource
from .patient_fields import PatientField, fields_of

ADDRESS = ("address_line1", "address_line2", "city", "county", "state", "zip_code", "country")
EMERGENCY = ("emergency_contact_name", "emergency_contact_phone", "emergency_contact_relationship")

#: Fields that are one thing: half an old address and half a new one is nobody's.
TOGETHER: Mapping[str, tuple[str, ...]] = {"address": ADDRESS, "emergency_contact": EMERGENCY}

_GROUPS = {field: group for group, fields in TOGETHER.items() for field in fields}


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldConflict:
    """The EHR changed *field* from *before* to *theirs* while staff gave it another value."""

    field: str
    before: str
    theirs: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """
    The record after an import.

    *changed* are the fields that the EHR changes in the record, *kept* those that stay as staff corrected them, and
    *conflicts* those of them that the EHR has changed too; *theirs* has the EHR's values of all fields.
    """

    resource: Entry
    changed: tuple[str, ...]
    kept: tuple[str, ...]
    conflicts: tuple[FieldConflict, ...]
    theirs: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedPatient:
    """What an import does to a patient: *outcome* is new, changed or same, *merged* None if there is nothing to do."""

    id: str
    outcome: str
    merged: Merged | None = None


def group_of(field: str) -> str:
    """The name of the thing that *field* is a part of: its own, for most fields."""
    return _GROUPS.get(field, field)


def members_of(group: str) -> tuple[str, ...]:
    return TOGETHER.get(group, (group,))


def merge(base: Entry | None, ours: Entry, theirs: Entry, now: datetime, birth_sex_sources: str) -> Merged:
    """
    The record after the EHR has sent *theirs*.

    Args:
        base: What the EHR sent before. None if that is not known: then a value that only one side has stays, and two
            different ones are a conflict.
        ours: The record as it stands.
        theirs: What the EHR sends now.
        now: The practice's clock, which decides what is in use.
        birth_sex_sources: The setting of that name.
    """
    fields = {key: field for key, field in fields_of(birth_sex_sources).items() if field.write is not None}
    mine, new = _read(fields, ours, now), _read(fields, theirs, now)
    old = _read(fields, base, now) if base is not None else _likely_base(fields, mine, new)
    moved = {key for key in fields if not _same(key, new[key], old[key])}
    written = {key for key in fields if mine[key] != old[key]}
    respelled = {key for key in written if _same(key, mine[key], old[key])}
    corrected = _without_sums(fields, written - (respelled & moved))
    together = {key for group in _disputed_groups(corrected, moved) for key in TOGETHER[group]}
    standing = {key: mine[key] for key in fields if key in corrected | together}
    resource, kept = _applied(theirs, standing, new, now, birth_sex_sources)
    disputed = {group_of(key) for key in corrected & moved} | _disputed_groups(corrected, moved)
    conflicts = [
        FieldConflict(field=key, before=old[key], theirs=new[key])
        for key in kept
        if group_of(key) in disputed and not _same(key, mine[key], new[key])
    ]
    after = _read(fields, resource, now)
    return Merged(
        resource=resource,
        changed=tuple(key for key in fields if after[key] != mine[key]),
        kept=tuple(key for key in kept if key in corrected),
        conflicts=tuple(conflicts),
        theirs=new,
    )


def _read(fields: Mapping[str, PatientField], resource: Entry, now: datetime) -> dict[str, str]:
    return {key: field.read(resource, now) for key, field in fields.items()}


def _likely_base(fields: Mapping[str, PatientField], mine: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Where the record before is not known, it was empty: a value that only one side has stays; two are a conflict."""

    def is_settled(key: str) -> bool:
        shows_another = any(mine[part] or new[part] for part in fields[key].among)
        return shows_another or _same(key, mine[key], new[key])

    return {key: value if is_settled(key) else "" for key, value in mine.items()}


def _without_sums(fields: Mapping[str, PatientField], corrected: set[str]) -> set[str]:
    """Without fields that only show another one of *corrected*: the number to call is the mobile or another one."""
    return {key for key in corrected if not corrected.intersection(fields[key].among)}


def _disputed_groups(corrected: set[str], moved: set[str]) -> set[str]:
    """The things of which staff corrected one part and the EHR changed one."""
    groups = TOGETHER.items()
    return {name for name, parts in groups if not (corrected.isdisjoint(parts) or moved.isdisjoint(parts))}


def _applied(
    theirs: Entry, standing: Mapping[str, str], new: Mapping[str, str], now: datetime, birth_sex_sources: str
) -> tuple[Entry, list[str]]:
    """*theirs* with the values that stand, and the fields that are kept by it."""
    resource, kept = theirs, []
    for key, value in standing.items():
        if value == new[key]:
            continue
        try:
            resource = update_resource(resource, {key: value}, now, birth_sex_sources)
        except InvalidSubmission:  # the part of an emergency contact that the EHR has removed
            continue
        kept.append(key)
    return resource, kept


def _same(key: str, one: str, other: str) -> bool:
    if key == "email" and one and other:
        return comparable_email_address(one) == comparable_email_address(other)
    return one == other
