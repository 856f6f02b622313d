"""What follows from shapes: of one of two values, of a field, of a value that was compared. Pure; see `shapes.py`.

Results never claim too much: where two shapes have nothing in common, the result is `ANYTHING`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from typing import Any

from .canonical import Json
from .shapes import ANYTHING, Shape, kinds

_MAX_VALUES = 60
_MAX_PROPERTIES = 200
_DEPTH = 6
NULL: Shape = {"type": "null"}
_WORDS = ("title", "description", "x-unit", "format")


_SAMPLES: Mapping[str, Json] = {"string": "", "boolean": True, "null": None}
_FORMATS = {"date": "2026-05-04", "date-time": "2026-05-04T09:00:00Z"}


def sample_value(shape: Shape, *, depth: int = _DEPTH) -> Json:
    """A value of *shape* to begin with when a person writes one: the first of its values, every field, one item."""
    if shape.get("enum"):
        return shape["enum"][0]  # type: ignore[no-any-return]
    kind = next((one for one in kinds(shape) if one != "null"), "null" if kinds(shape) else "object")
    if kind == "object":
        fields = shape.get("properties", {}) if depth else {}
        return {name: sample_value(part, depth=depth - 1) for name, part in fields.items()}
    if kind == "array":
        return [sample_value(shape["items"], depth=depth - 1)] if depth and shape.get("items") else []
    if kind in ("number", "integer"):
        return shape.get("minimum", 0)  # type: ignore[no-any-return]
    known = shape.get("x-known-values") or [_FORMATS.get(shape.get("format", ""), _SAMPLES[kind])]
    return known[0]  # type: ignore[no-any-return]


class Standing(Enum):
    """Whether a record of some shape has a field."""

    #: It has the field.
    THERE = "there"
    #: It may lack the field.
    PERHAPS = "perhaps"
    #: Nothing is known of it.
    UNKNOWN = "unknown"
    #: It never has the field.
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class FoundField:
    shape: Shape
    standing: Standing


def union(*shapes: Shape) -> Shape:
    """The shape of a value that has one of *shapes*."""
    return reduce(lambda first, second: _union(first, second, _DEPTH), shapes) if shapes else ANYTHING


def _union(first: Shape, second: Shape, depth: int) -> Shape:
    if first == second:
        return first
    if not depth or not kinds(first) or not kinds(second):
        return ANYTHING
    of_both = _joined_kinds(kinds(first), kinds(second))
    made: dict[str, Any] = {"type": of_both[0] if len(of_both) == 1 else of_both}
    made |= {word: first[word] for word in _WORDS if word in first and first[word] == second.get(word, None)}
    if kinds(second) == ("null",) or kinds(first) == ("null",):
        told = first if kinds(second) == ("null",) else second
        made |= {word: told[word] for word in _WORDS if word in told}
    values = _all_values(first, second)
    if values is not None:
        made["enum"] = values
    elif (known := _known_values(first, second)) is not None:
        made["x-known-values"] = known
    made |= _record_part(first, second, depth) if "object" in of_both else {}
    made |= _list_part(first, second, depth) if "array" in of_both else {}
    return made


def _joined_kinds(first: Iterable[str], second: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys([*first, *second]))
    return [kind for kind in found if kind != "integer" or "number" not in found]


def _all_values(first: Shape, second: Shape) -> list[Json] | None:
    """The values of both if they can be listed."""
    lists = [listed_values(shape) for shape in (first, second)]
    if lists[0] is None or lists[1] is None:
        return None
    found: list[Json] = []
    for value in (*lists[0], *lists[1]):
        if not any(value == other and type(value) is type(other) for other in found):
            found.append(value)
    return found if len(found) <= _MAX_VALUES else None


def listed_values(shape: Shape) -> tuple[Json, ...] | None:
    """Every value that *shape* allows; None if they are not listed."""
    if "enum" in shape:
        return tuple(shape["enum"])
    return (None,) if kinds(shape) == ("null",) else None


def _known_values(first: Shape, second: Shape) -> list[Json] | None:
    lists = [usual_texts(shape) for shape in (first, second) if "string" in kinds(shape)]
    if not lists or any(found is None for found in lists):
        return None
    return list(dict.fromkeys(value for found in lists for value in found or ()))


def usual_texts(shape: Shape) -> tuple[str, ...] | None:
    """The texts that *shape* lists, as all or as the usual ones; None if it lists none."""
    found = shape.get("enum", shape.get("x-known-values"))
    return None if found is None else tuple(value for value in found if isinstance(value, str))


def _record_part(first: Shape, second: Shape, depth: int) -> Shape:
    records = [shape for shape in (first, second) if "object" in kinds(shape)]
    if any("properties" not in shape for shape in records):
        return {}
    if len(records) == 1:
        only = records[0]
        return {word: only[word] for word in ("properties", "required", "additionalProperties") if word in only}
    closed = all(shape.get("additionalProperties") is False for shape in records)
    names = list(dict.fromkeys(name for shape in records for name in shape["properties"]))
    if not closed:  # of a name that only one of them knows, the other may hold anything
        names = [name for name in names if all(name in shape["properties"] for shape in records)]
    if len(names) > _MAX_PROPERTIES:
        return {}
    held = {name: [shape["properties"][name] for shape in records if name in shape["properties"]] for name in names}
    made: dict[str, Any] = {
        "properties": {n: reduce(lambda a, b: _union(a, b, depth - 1), shapes) for n, shapes in held.items()},
        "required": [n for n in names if all(n in shape.get("required", ()) for shape in records)],
    }
    return made | ({"additionalProperties": False} if closed else {})


def _list_part(first: Shape, second: Shape, depth: int) -> Shape:
    lists = [shape for shape in (first, second) if "array" in kinds(shape)]
    if any("items" not in shape for shape in lists):
        return {}
    return {"items": reduce(lambda a, b: _union(a, b, depth - 1), [shape["items"] for shape in lists])}


def find_field(shape: Shape, name: str) -> FoundField:
    """What the field *name* of a record of *shape* is; *shape* may have other kinds too, which do not count."""
    properties = shape.get("properties")
    if not isinstance(properties, Mapping):
        return FoundField(ANYTHING, Standing.UNKNOWN)
    if name in properties:
        standing = Standing.THERE if name in shape.get("required", ()) else Standing.PERHAPS
        return FoundField(properties[name], standing)
    closed = shape.get("additionalProperties") is False
    return FoundField(ANYTHING, Standing.NEVER if closed else Standing.UNKNOWN)


def with_field(shape: Shape, name: str, value: Shape) -> Shape:
    """*shape* after its field *name* was set to *value*."""
    if kinds(shape) != ("object",) or "properties" not in shape:
        return {"type": "object", "properties": {name: value}, "required": [name]}
    required = list(dict.fromkeys([*shape.get("required", ()), name]))
    return {**shape, "properties": {**shape["properties"], name: value}, "required": required}


def without_field(shape: Shape, name: str) -> Shape:
    """*shape* after its field *name* was deleted, or may have been."""
    required = [key for key in shape.get("required", ()) if key != name]
    return {**shape, "required": required} if "properties" in shape else shape


def of_kinds(shape: Shape, wanted: Iterable[str]) -> Shape:
    """*shape* without its kinds that are not *wanted*; unchanged if none would be left."""
    wanted = tuple(wanted)
    left = [kind for kind in kinds(shape) if kind in wanted]
    if not left or len(left) == len(kinds(shape)):
        return shape
    made = {**shape, "type": left[0] if len(left) == 1 else left}
    if "enum" in made:
        made["enum"] = [value for value in made["enum"] if kind_of_value(value) in (*left, *_wider(left))]
    return made


def _wider(wanted: Iterable[str]) -> tuple[str, ...]:
    return ("integer",) if "number" in wanted else ()


def without_null(shape: Shape) -> Shape:
    """*shape* for a value that is not null."""
    return of_kinds(shape, [kind for kind in kinds(shape) if kind != "null"])


def one_of(shape: Shape, values: Iterable[Json]) -> Shape:
    """*shape* for a value that was found to be one of *values*."""
    kept = [value for value in values if fits(shape, value)]
    found = list(dict.fromkeys(kind_of_value(value) for value in kept))
    if not kept or "object" in found or "array" in found:
        return shape
    words = {word: shape[word] for word in _WORDS if word in shape}
    return {**words, "type": found[0] if len(found) == 1 else found, "enum": kept}


def none_of(shape: Shape, values: Iterable[Json]) -> Shape:
    """*shape* for a value that was found to be none of *values*."""
    excluded = list(values)
    made = without_null(shape) if None in excluded else shape
    if "enum" in made:
        left = [v for v in made["enum"] if not any(v == x and type(v) is type(x) for x in excluded)]
        return {**made, "enum": left} if left else made
    return made


def fits(shape: Shape, value: Json) -> bool:
    """Whether a value of *shape* can be *value*, as far as kinds and listed values tell."""
    found = kinds(shape)
    kind = kind_of_value(value)
    if found and kind not in found and not (kind == "integer" and "number" in found):
        return False
    return "enum" not in shape or any(value == v and type(value) is type(v) for v in shape["enum"])


def kind_of_value(value: Json) -> str:
    """The kind (JSON Schema type) of *value*."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def at_path(shape: Shape, path: tuple[str, ...], change: Callable[[Shape], Shape]) -> Shape:
    """*shape* with *change* made to what its fields *path* lead to; unchanged where the way is not known."""
    if not path:
        return change(shape)
    found = find_field(shape, path[0])
    if found.standing in (Standing.UNKNOWN, Standing.NEVER):
        return shape
    inner = at_path(found.shape, path[1:], change)
    return {**shape, "properties": {**shape["properties"], path[0]: inner}}
