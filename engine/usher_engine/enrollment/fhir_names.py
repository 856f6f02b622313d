"""Reads and writes the names of a FHIR R4 Patient. Pure."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime

from .fhir_entries import append_entry, end_period, entries, put, put_texts, text, texts
from .fhir_preference import NAME_USES, SUBSTITUTE_NAMES, Entry, is_in_use, preferred


def name_entry(resource: Entry, now: datetime) -> Entry | None:
    """The name to use, if one is in use."""
    names = entries(resource, "name")
    return preferred(names, NAME_USES, now, has_value=lambda n: bool(text(n.get("family")) or _given(n)[0]))


def read_first(resource: Entry, now: datetime) -> str:
    return _given(name_entry(resource, now) or {})[0]


def read_middle(resource: Entry, now: datetime) -> str:
    return " ".join(filter(None, _given(name_entry(resource, now) or {})[1:]))


def read_last(resource: Entry, now: datetime) -> str:
    return text((name_entry(resource, now) or {}).get("family"))


def read_suffix(resource: Entry, now: datetime) -> str:
    return " ".join(filter(None, texts((name_entry(resource, now) or {}).get("suffix"))))


def read_preferred(resource: Entry, now: datetime) -> str:
    nickname = _nickname(resource, now) or {}
    return " ".join(filter(None, _given(nickname))) or text(nickname.get("text"))


def read_previous_last(resource: Entry, _now: datetime) -> str:
    return text((_maiden(resource) or {}).get("family"))


def write_first(resource: Entry, value: str, now: datetime) -> None:
    name = _name_to_correct(resource, now)
    put_texts(name, "given", [value, *_given(name)[1:]])


def write_middle(resource: Entry, value: str, now: datetime) -> None:
    name = _name_to_correct(resource, now)
    put_texts(name, "given", [_given(name)[0], value])


def write_last(resource: Entry, value: str, now: datetime) -> None:
    put(_name_to_correct(resource, now), "family", value)


def write_suffix(resource: Entry, value: str, now: datetime) -> None:
    put_texts(_name_to_correct(resource, now), "suffix", [value])


def write_preferred(resource: Entry, value: str, now: datetime) -> None:
    name = _nickname(resource, now)
    if value:
        name = name if name is not None else append_entry(resource, "name", {"use": "nickname"})
        name.pop("text", None)
        put_texts(name, "given", [value])
    elif name is not None:
        end_period(name, now)


def write_previous_last(resource: Entry, value: str, _now: datetime) -> None:
    name = _maiden(resource)
    if name is None and value:
        name = append_entry(resource, "name", {"use": "maiden"})
    if name is not None:
        name.pop("text", None)  # it contains the old name in full
        put(name, "family", value)


def _given(name: Entry) -> list[str]:
    """The given names; the first is empty where there is none."""
    return texts(name.get("given")) or [""]


def _nickname(resource: Entry, now: datetime) -> Entry | None:
    return next((n for n in entries(resource, "name") if n.get("use") == "nickname" and is_in_use(n, now)), None)


def _maiden(resource: Entry) -> Entry | None:
    """The name before the marriage, whose period is over as a rule."""
    return next((n for n in entries(resource, "name") if n.get("use") == "maiden"), None)


def _name_to_correct(resource: Entry, now: datetime) -> Entry:
    name = name_entry(resource, now) or {}
    if not name or text(name.get("use")) in SUBSTITUTE_NAMES:
        known: Entry = {key: deepcopy(name[key]) for key in ("family", "given") if key in name}
        return append_entry(resource, "name", {"use": "official", **known})
    name.pop("text", None)  # it contains the old name in full
    return name
