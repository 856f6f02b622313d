"""The names that an editor offers at each element, with their shapes, and the start form that a process asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from usher_engine.core.shapes import ANYTHING, Shape, declared, kinds
from usher_engine.expressions import Known, KnownData

from .data_findings import DataFlow

#: At one element, and of one record.
_MOST_NAMES = 80
_MOST_FIELDS = 80
_DEPTH = 3


def offered_names(data: DataFlow, written: Mapping[str, Mapping[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """
    Map each element and conditional flow, by its id in the file, to the names that it may read, certain ones first.

    A name is ``{"name", "kind", "title"?, "enum"?, "fields"?, "nullable"?, "perhaps"?}``, as is each of its fields;
    *kind* is one word as in `declared`. *written* maps ids to those in the file, where the translation changed them.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for flow in data.flows.values():
        ids = written.get(flow.sheet.file, {})
        places = dict(flow.entered)
        places |= {way.id: flow.left[way.source] for way in flow.sheet.process.flows if way.source in flow.left}
        found |= {ids.get(key, key): _offered(known) for key, known in places.items()}
    return found


def _offered(data: KnownData) -> list[dict[str, Any]]:
    """Certain names first, of each kind those first that were set last."""
    latest = list(data.names.items())[::-1]
    certain = islice((pair for pair in latest if pair[1].certain), _MOST_NAMES)
    doubtful = (pair for pair in latest if not pair[1].certain)
    return [_entry(name, known) for name, known in islice(chain(certain, doubtful), _MOST_NAMES)]


def _entry(name: str, known: Known) -> dict[str, Any]:
    return _described(name, known.shape, _DEPTH) | ({} if known.certain else {"perhaps": True})


def _described(name: str, shape: Shape, depth: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "kind": declared(shape)}
    if shape.get("title"):
        entry["title"] = shape["title"]
    values = shape.get("enum", shape.get("x-known-values"))
    if values is not None:
        entry["enum"] = [value for value in values if value is not None]
    if "null" in kinds(shape):
        entry["nullable"] = True
    if depth and shape.get("properties"):
        entry["fields"] = list(_fields(shape, depth))
    return entry


def _fields(shape: Shape, depth: int) -> Iterator[dict[str, Any]]:
    required = shape.get("required", ())
    for name, field in list(shape["properties"].items())[:_MOST_FIELDS]:
        yield _described(name, field, depth - 1) | ({} if name in required else {"perhaps": True})


def proposed_start(data: DataFlow) -> list[dict[str, Any]]:
    """The names that a case must begin with, as `offered_names` describes names; empty where a start form says so."""
    required = [_described(name, shape, _DEPTH) for name, shape in sorted(data.wanted.items())]
    optional = [_described(name, ANYTHING, 0) | {"perhaps": True} for name in sorted(data.asked - data.wanted.keys())]
    return [*required, *optional]
