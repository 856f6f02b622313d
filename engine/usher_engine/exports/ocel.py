"""OCEL 2.0 (JSON): the events of XES, related to cases, patients, user tasks, service requests and versions.

Writes events as it reads them and keeps their objects in a temporary file until all events are written.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from ..core.canonical import Json, compact
from ..store import Row, export_rows
from .event_rows import EventRow, activity_rows, event_rows
from .export_source import Source
from .xes import moment

#: Bytes of objects to keep in memory.
SPOOLED = 2_000_000
PATIENTS_AT_ONCE = 1_000

EVENT_ATTRIBUTES = (
    ("lifecycle", "string"), ("resource", "string"), ("role", "string"), ("on_behalf_of", "string"),
    ("kind", "string"), ("element", "string"), ("visit", "integer"), ("step", "integer"), ("version", "integer"),
)  # fmt: skip
OBJECT_ATTRIBUTES: dict[str, tuple[tuple[str, str], ...]] = {
    "case": (("process", "string"), ("status", "string"), ("outcome", "string")),
    "patient": (),
    "user task": (("element", "string"), ("visit", "integer"), ("title", "string"), ("group", "string")),
    "invitation": (("element", "string"), ("visit", "integer"), ("operator", "string")),
    "service request": (("element", "string"), ("visit", "integer"), ("operator", "string")),
    "version": (("process", "string"), ("number", "integer")),
}
#: Service requests of operators with this prefix are objects of type invitation.
INVITING = "invitation/"


@dataclass(frozen=True, slots=True)
class _Place:
    """An object that belongs to one visit of an element: a user task or a service request."""

    kind: str
    record: dict[str, Any]


def ocel_pieces(source: Source) -> Iterator[bytes]:
    """Yield the file: events, objects, then the types that occurred."""
    types: set[str] = set()
    versions: set[tuple[str, int]] = set()
    with tempfile.SpooledTemporaryFile(SPOOLED) as objects:
        yield b'{"events":['
        between = b"\n"
        for row, steps in source.cases():
            places = _places(event_rows(source, row, steps))
            versions.add((row.process, row.version))
            _spool(objects, _case_objects(row, places))
            for one in activity_rows(source, row, steps):
                types.add(one.activity)
                yield between + _dump(_event(one, places, with_data=source.with_data))
                between = b",\n"
        yield b'],\n"objects":['
        yield from _object_lines(objects, versions, source)
    yield b'],\n"eventTypes":' + _dump(_event_types(types, with_data=source.with_data))
    yield b',\n"objectTypes":' + _dump([_type(name, attributes) for name, attributes in OBJECT_ATTRIBUTES.items()])
    yield b"}\n"


def _dump(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _places(found: Iterable[EventRow]) -> dict[tuple[str, int], _Place]:
    places: dict[tuple[str, int], _Place] = {}
    for one in found:
        if one.visit is None:
            continue
        if one.kind == "UserTaskOpened":
            places[one.element, one.visit] = _Place("user task", dict(one.record))
        elif one.kind == "ServiceRequested":
            inviting = str(one.record.get("operator")).startswith(INVITING)
            kind = "invitation" if inviting else "service request"
            places[one.element, one.visit] = _Place(kind, dict(one.record))
    return places


# events


def _event(one: EventRow, places: dict[tuple[str, int], _Place], *, with_data: bool) -> dict[str, Json]:
    row = one.row
    values = {
        "lifecycle": one.lifecycle,
        "resource": one.actor.get("name"),
        "role": one.actor.get("role", "staff"),
        "on_behalf_of": one.actor.get("on_behalf_of"),
        "kind": one.kind,
        "element": one.element,
        "visit": one.visit,
        "step": one.revision,
        "version": row.version,
        "data": compact(one.log_data) if with_data else None,
    }
    related = [_relation(f"case:{row.id}", "of"), _relation(_version_id(row.process, row.version), "runs on")]
    if row.business_key:
        related.append(_relation(f"patient:{row.business_key}", "about"))
    if one.visit is not None and (one.element, one.visit) in places:
        place = places[one.element, one.visit]
        related.append(_relation(_place_id(row, place, one.element, one.visit), place.kind))
    return {
        "id": f"{row.id}:{one.revision:06}:{one.number:04}",  # sorts in order if a reader sorts by id
        "type": one.activity,
        "time": moment(one.at),
        "attributes": [{"name": name, "value": value} for name, value in values.items() if value not in (None, "")],
        "relationships": list(related),
    }


def _relation(identifier: str, qualifier: str) -> Json:
    return {"objectId": identifier, "qualifier": qualifier}


def _version_id(process: str, number: int) -> str:
    return f"version:{process}:{number}"


def _place_id(row: Row, place: _Place, element: str, visit: int) -> str:
    return f"{place.kind}:{row.id}:{element}:{visit}"


# objects


def _case_objects(row: Row, places: dict[tuple[str, int], _Place]) -> Iterator[Json]:
    case = f"case:{row.id}"
    related = [_relation(_version_id(row.process, row.version), "runs on")]
    if row.business_key:
        related.append(_relation(f"patient:{row.business_key}", "about"))
    values = {"process": row.process, "status": row.status, "outcome": row.outcome}
    yield _object(case, "case", values, row.started_at, related)
    for (element, visit), place in places.items():
        identifier = _place_id(row, place, element, visit)
        named = {"element": element, "visit": visit}
        more = {name: place.record.get(name) for name in ("title", "group", "operator")}
        known = {name for name, _ in OBJECT_ATTRIBUTES[place.kind]}
        attributes = {name: value for name, value in {**named, **more}.items() if name in known}
        yield _object(identifier, place.kind, attributes, row.started_at, [_relation(case, "of")])


def _object(identifier: str, kind: str, values: dict[str, Any], at: str, related: list[Json]) -> Json:
    attributes = [
        {"name": name, "time": moment(at), "value": value} for name, value in values.items() if value not in (None, "")
    ]
    return {"id": identifier, "type": kind, "attributes": [*attributes], "relationships": related}


def _spool(objects: BinaryIO | Any, found: Iterator[Json]) -> None:
    for one in found:
        objects.write(_dump(one) + b"\n")


def _object_lines(objects: Any, versions: set[tuple[str, int]], source: Source) -> Iterator[bytes]:
    between = b"\n"
    objects.seek(0)
    for line in objects:
        yield between + line.rstrip(b"\n")
        between = b",\n"
    for process, number in sorted(versions):
        values = {"process": process, "number": number}
        yield between + _dump(_object(_version_id(process, number), "version", values, "1970-01-01T00:00:00Z", []))
    for patient in _patients(source):
        yield between + _dump(_object(f"patient:{patient}", "patient", {}, "", []))


def _patients(source: Source) -> Iterator[str]:
    after = ""
    while True:
        with source.engine.database.read() as tx:
            found = export_rows.business_keys(tx, source.selection, after, PATIENTS_AT_ONCE)
        if not found:
            return
        yield from found
        after = found[-1]


# types


def _event_types(types: set[str], *, with_data: bool) -> Json:
    attributes = (*EVENT_ATTRIBUTES, ("data", "string")) if with_data else EVENT_ATTRIBUTES
    return [_type(name, attributes) for name in sorted(types)]


def _type(name: str, attributes: tuple[tuple[str, str], ...]) -> Json:
    return {"name": name, "attributes": [{"name": one, "type": kind} for one, kind in attributes]}
