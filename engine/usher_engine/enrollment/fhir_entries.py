"""Reads and changes the parts of a FHIR R4 resource as JSON. Pure.

A record from outside may contain anything, so what is read tolerates wrong shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from ..core.visible_text import trimmed
from .fhir_preference import Entry
from .timestamps import iso

#: FHIR's way to leave out one item of a list of texts.
_ABSENT: Entry = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"},
    ]
}


def text(value: object) -> str:
    """*value* without what is invisible at its ends; empty unless it is text."""
    return trimmed(value) if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """The items of a list of texts; one that is absent or no text is empty."""
    return [text(item) for item in value] if isinstance(value, list) else []


def record(value: object) -> Entry:
    return value if isinstance(value, dict) else {}


def entries(resource: Entry, key: str) -> list[Entry]:
    """The objects in the list *key*; other values are ignored."""
    value = resource.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def extensions(resource: Entry, url: str) -> Iterator[Entry]:
    return (e for e in entries(resource, "extension") if e.get("url") == url)


def codes(concept: object) -> list[str]:
    """The codes of a CodeableConcept."""
    return [code for coding in entries(record(concept), "coding") if (code := text(coding.get("code")))]


def first(among: Sequence[Entry], *wishes: Callable[[Entry], bool]) -> Entry | None:
    """The first entry that satisfies the earliest of *wishes* that any entry satisfies."""
    return next((entry for wish in wishes for entry in among if wish(entry)), None)


def append_entry(resource: Entry, key: str, entry: Entry) -> Entry:
    present = resource.get(key)
    resource[key] = [*present, entry] if isinstance(present, list) else [entry]
    return entry


def without_extensions(resource: Entry, *urls: str) -> None:
    """Remove the extensions of these *urls*."""
    if "extension" in resource:
        kept = [e for e in entries(resource, "extension") if e.get("url") not in urls]
        put(resource, "extension", kept)


def put(entry: Entry, key: str, value: Any) -> None:
    """Set *key*, or remove it where *value* is empty, which FHIR does not allow."""
    entry.pop(f"_{key}", None)  # says more about the value before
    if value:
        entry[key] = value
    else:
        entry.pop(key, None)


def put_texts(entry: Entry, key: str, values: Sequence[str]) -> None:
    """Set the list of texts *key*; an empty one before others is marked as absent."""
    kept = list(values)
    while kept and not kept[-1]:
        kept.pop()
    put(entry, key, [value or None for value in kept])
    if not all(kept):
        entry[f"_{key}"] = [None if value else _ABSENT for value in kept]


def end_period(entry: Entry, now: datetime) -> None:
    """Say that *entry* is no longer in use, which keeps it in the record."""
    entry["period"] = {**record(entry.get("period")), "end": iso(now)}
