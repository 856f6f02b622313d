"""Reads and writes the postal address of a FHIR R4 Patient. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from .fhir_entries import append_entry, entries, put, put_texts, text, texts
from .fhir_preference import ADDRESS_USES, Entry, preferred


def address_entry(resource: Entry, now: datetime) -> Entry | None:
    """The address to use; one with a ZIP code comes before all others."""
    return preferred(
        entries(resource, "address"), ADDRESS_USES, now, has_value=lambda a: bool(text(a.get("postalCode")))
    )


def reader(part: str) -> Callable[[Entry, datetime], str]:
    """A function that reads one *part* (``city``, ``state``, …) of the address to use."""

    def read(resource: Entry, now: datetime) -> str:
        return text((address_entry(resource, now) or {}).get(part))

    return read


def writer(part: str) -> Callable[[Entry, str, datetime], None]:
    """A function that writes one *part* of the address that is read, or of a new one."""

    def write(resource: Entry, value: str, now: datetime) -> None:
        put(_address_to_correct(resource, now), part, value)

    return write


def line_reader(index: int) -> Callable[[Entry, datetime], str]:
    """A function that reads one line of the street address, counted from 0."""

    def read(resource: Entry, now: datetime) -> str:
        lines = texts((address_entry(resource, now) or {}).get("line"))
        return lines[index] if index < len(lines) else ""

    return read


def line_writer(index: int) -> Callable[[Entry, str, datetime], None]:
    """A function that writes one line of the street address, counted from 0, and keeps the others."""

    def write(resource: Entry, value: str, now: datetime) -> None:
        address = _address_to_correct(resource, now)
        lines = texts(address.get("line"))
        lines += [""] * (index + 1 - len(lines))
        put_texts(address, "line", [*lines[:index], value, *lines[index + 1 :]])

    return write


def _address_to_correct(resource: Entry, now: datetime) -> Entry:
    address = address_entry(resource, now)
    if address is None:
        return append_entry(resource, "address", {"use": "home"})
    address.pop("text", None)  # it contains the old address in full
    return address
