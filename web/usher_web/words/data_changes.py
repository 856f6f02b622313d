"""What a step changed in the data of a case, as rows people can read. Pure; labels come from the package's forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from usher_engine.core import Calendar
from usher_engine.definitions import Package
from usher_engine.forms import Field, deployed_form

from .presentation import element_words, people_day

NOTHING = "none"
MAX_WORDS = 300
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

#: Labels of the enrolment's own values, in display order; fields of forms have their own labels.
LABELS = {
    "patient.response": "Answer",
    "patient.guard": "Must not be invited",
    "missing.text": "Still missing",
    "invitation.to": "Sent to",
    "invitation.sent_at": "Invitation sent",
    "invitation.expires_at": "Link works until",
    "recorded.requested_at": "Enrolment requested",
    "patient.requested_at": "Enrolment requested",
    "patient.requested_by": "Requested by",
    "patient.sends": "Invitations sent",
    "requested_by": "Requested by",
    "template": "Template",
    "field": "Trigger",
    "action": "Action",
}
#: Shown once, as the portal status.
STATUSES = frozenset({"patient.status", "removed.status", "recorded.status"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One value before and after; *before* is empty if there was none; *minor* ones have no label."""

    label: str
    before: str
    after: str
    minor: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Glossary:
    """The fields of the package's forms by key, and the time zone for times."""

    fields: Mapping[str, Field]
    calendar: Calendar


def glossary(package: Package, calendar: Calendar) -> Glossary:
    """Labels from the forms of *package*; the first form that has a key names it."""
    fields: dict[str, Field] = {}
    for name in package.forms():
        for found in deployed_form(package.text(name)).fields:
            fields.setdefault(found.key, found)
    return Glossary(fields=fields, calendar=calendar)


def changes(before: Mapping[str, Any], after: Mapping[str, Any], words: Glossary) -> list[Change]:
    """The values that differ, labelled ones first; a value under several paths is listed once."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    known = _previous_values(old)
    changed = [path for path in (*new, *(p for p in old if p not in new)) if _differ(old.get(path), new.get(path))]
    rows: dict[tuple[str, str], Change] = {}
    for path in sorted(changed, key=lambda path: _rank(path, words)):
        if path in STATUSES or _is_repeated(path, new.get(path), known, words):
            continue
        row = _row(path, _before(path, old, known, words), new.get(path), words)
        rows.setdefault((row.label, row.after), row)
    return list(rows.values())


def _leaves(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and values; a patient's answer is one value, a list of plain values is one too."""
    for key, item in value.items():
        path = f"{above}{key}"
        if isinstance(item, dict) and not _is_answer(item):
            yield from _leaves(item, f"{path}.")
        else:
            yield path, item


def _is_answer(value: Mapping[str, Any]) -> bool:
    return value.keys() == {"at", "status", "until"}


def _previous_values(old: Mapping[str, Any]) -> dict[str, Any]:
    """The previous value of each field of the record, by key."""
    return {path.rpartition(".")[2]: value for path, value in old.items() if ".fields." in path}


def _is_repeated(path: str, value: Any, known: Mapping[str, Any], words: Glossary) -> bool:
    """Whether a form only sent back a value that the record already had."""
    key = path.rpartition(".")[2]
    return ".fields." not in path and key in words.fields and key in known and not _differ(known[key], value)


def _before(path: str, old: Mapping[str, Any], known: Mapping[str, Any], words: Glossary) -> str:
    """The previous value in words; empty if there could not be one yet."""
    key = path.rpartition(".")[2]
    if path in old:
        return in_words(old[path], words.calendar, words.fields.get(key))
    known_there = "." in path and key in words.fields and key in known
    return in_words(known[key], words.calendar, words.fields[key]) if known_there else ""


def _differ(one: Any, other: Any) -> bool:
    return one != other and not (_is_nothing(one) and _is_nothing(other))


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _rank(path: str, words: Glossary) -> tuple[int, str]:
    """Fields of forms in the order of the form, then our own names, then everything else by path."""
    key, labelled, fields = path.rpartition(".")[2], list(LABELS), list(words.fields)
    if path in LABELS:
        return labelled.index(path), path
    if "." in path and key in words.fields:
        return len(labelled) + fields.index(key), path
    return len(labelled) + len(fields), path


def _row(path: str, before: str, after: Any, words: Glossary) -> Change:
    found = words.fields.get(path.rpartition(".")[2]) if "." in path else None
    label = LABELS.get(path) or (found.label if found else "")
    return Change(
        label=label or " · ".join(element_words(part) for part in path.split(".")),
        before=before,
        after=in_words(after, words.calendar, found),
        minor=not label,
    )


def in_words(value: Any, calendar: Calendar, found: Field | None = None) -> str:
    """A value as people read it: moments in the practice's zone, choices by their label, nothing as “none”."""
    if _is_nothing(value):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        if _is_answer(value):
            return _answer(value, calendar)
        return _joined(f"{k}: {in_words(v, calendar)}" for k, v in value.items())
    if isinstance(value, list):
        return _joined(in_words(item, calendar) for item in value)
    text = dict(found.options).get(str(value), str(value)) if found else str(value)
    return _shorten(_moment(text, calendar))


def _answer(value: Mapping[str, Any], calendar: Calendar) -> str:
    day = in_words(value["at"], calendar).rpartition(",")[0]
    until = f", until {in_words(value['until'], calendar)}" if value["until"] else ""
    return f"{value['status'] or NOTHING}{f', {day}' if day else ''}{until}"


def _moment(text: str, calendar: Calendar) -> str:
    try:
        if MOMENT.fullmatch(text):
            there = calendar.local(datetime.fromisoformat(text))
            return f"{there.day} {there:%B %Y, %H:%M}"
        if DAY.fullmatch(text):
            return people_day(date.fromisoformat(text), date.min)
    except ValueError:
        return text
    return text


def _joined(parts: Iterable[str]) -> str:
    return _shorten(", ".join(parts))


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_WORDS else f"{text[:MAX_WORDS]}…"
