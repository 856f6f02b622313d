"""The shapes of values: JSON Schema (2020-12) of what operators, forms and tables take and give.

They use a part of JSON Schema (`KEYWORDS`) that sentences can say and that the gate can follow through a diagram.
``x-known-values`` lists the usual texts where others may come too, as FHIR's extensible bindings do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import jsonschema_rs

from .canonical import Json, compact

#: A JSON Schema. Never changed after it was made.
Shape: TypeAlias = Mapping[str, Any]

#: The keywords a shape may use, at every level.
KEYWORDS = frozenset({
    "type", "title", "description", "enum", "format", "properties", "required", "additionalProperties", "items",
    "minimum", "maximum", "minLength", "maxLength", "maxItems", "x-known-values", "x-unit",
})  # fmt: skip

#: What the kinds of JSON Schema are called in sentences.
KIND_WORDS: Mapping[str, str] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a record",
    "array": "a list",
    "null": "null",
}
#: The types of Python that a value of each kind may have.
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
_DEPTH = 12

ANYTHING: Shape = {}


def text(
    title: str = "", *, enum: Sequence[str] = (), known: Sequence[str] = (), form: str = "", description: str = ""
) -> Shape:
    """Text; one of *enum*, or usually one of *known*. *form* is a ``format`` of JSON Schema, such as ``date-time``."""
    extra = {"enum": list(enum), "x-known-values": list(known), "format": form}
    return _shape("string", title, description, extra)


def number(title: str = "", *, unit: str = "", whole: bool = False, description: str = "") -> Shape:
    """A number, or a whole one; *unit* in words, for example ``years``."""
    return _shape("integer" if whole else "number", title, description, {"x-unit": unit})


def boolean(title: str = "", *, description: str = "") -> Shape:
    return _shape("boolean", title, description, {})


def record(
    properties: Mapping[str, Shape] | None = None,
    *,
    title: str = "",
    optional: Sequence[str] = (),
    others: bool = False,
    description: str = "",
) -> Shape:
    """A record; without *properties* of any names. Those not in *optional* are always there."""
    if properties is None:
        return _shape("object", title, description, {})
    extra = {
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        **({} if others else {"additionalProperties": False}),
    }
    return {**_shape("object", title, description, {}), **extra}


def list_of(items: Shape = ANYTHING, *, title: str = "", description: str = "") -> Shape:
    return {**_shape("array", title, description, {}), "items": dict(items)}


def nullable(shape: Shape) -> Shape:
    """*shape* or null."""
    if not kinds(shape) or "null" in kinds(shape):
        return shape
    values = {"enum": [*shape["enum"], None]} if "enum" in shape else {}
    return {**shape, "type": [*kinds(shape), "null"], **values}


def _shape(kind: str, title: str, description: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    words = {"title": title, "description": description, **extra}
    return {"type": kind, **{key: value for key, value in words.items() if value}}


def kinds(shape: Shape) -> tuple[str, ...]:
    """The kinds (JSON Schema types) a value of *shape* may have; empty for any."""
    kind = shape.get("type", ())
    return (kind,) if isinstance(kind, str) else tuple(kind)


def shape_problems(shape: Any, *, where: str = "") -> list[str]:
    """What keeps *shape* from being a shape, in words; empty if it is one. *where* names it in the sentences."""
    called = where or "the shape"
    if not isinstance(shape, dict):
        return [f"{called} must be a JSON Schema, an object."]
    problems = list(_outside_the_subset(shape, called, _DEPTH))
    if not problems:
        try:
            jsonschema_rs.validator_for(shape)
        except (jsonschema_rs.ReferencingError, ValueError) as error:
            problems.append(f"{called} is not JSON Schema: {str(error).splitlines()[0]}.")
    return problems


def _outside_the_subset(shape: Mapping[str, Any], where: str, depth: int) -> Iterator[str]:
    if not depth:
        yield f"{where} is nested more than {_DEPTH} deep."
        return
    unknown = [name for name in shape if name not in KEYWORDS]
    if unknown:
        yield f"{where} uses “{unknown[0]}”; shapes use {', '.join(sorted(KEYWORDS))}."
    properties = shape.get("properties", {})
    parts = dict(properties) if isinstance(properties, dict) else {}
    if isinstance(shape.get("additionalProperties"), dict):
        parts["additionalProperties"] = shape["additionalProperties"]
    if "items" in shape:
        parts["items"] = shape["items"]
    for name, part in parts.items():
        if isinstance(part, dict):
            yield from _outside_the_subset(part, f"{where}.{name}", depth - 1)


def value_problems(shape: Shape, value: Json, *, where: str, most: int = 5) -> list[str]:
    """How *value* differs from *shape*, in words that name the place, not the value; at most *most* sentences."""
    try:
        found = _validator(compact(dict(shape))).iter_errors(value)
    except ValueError:
        return [f"{where} is nested too deeply."]
    return [_sentence(error, where) for error, _ in zip(found, range(most), strict=False)]


@lru_cache(maxsize=512)
def _validator(shape: str) -> Any:
    return jsonschema_rs.validator_for(shape)


def _sentence(error: Any, where: str) -> str:
    path = where + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
    kind = error.kind
    match kind.name:
        case "required":
            return f"{path} lacks “{kind.property}”."
        case "additionalProperties":
            return f"{path} has “{kind.unexpected[0]}”, which its shape does not know."
        case "type":
            return f"{path} must be {' or '.join(KIND_WORDS[name] for name in kind.types)}."
        case "enum":
            options = [option for option in kind.options if option is not None]
            return f"{path} must be one of: {', '.join(map(str, options))}."
        case name:
            return f"{path} breaks the rule “{name}” of its shape."


def declared(shape: Shape) -> str:
    """The kind of *shape* in one word, as editors show it: text, number, boolean, record, list or any."""
    found = [kind for kind in kinds(shape) if kind != "null"]
    names = {"string": "text", "integer": "number", "object": "record", "array": "list"}
    return names.get(found[0], found[0]) if len(found) == 1 else "any"


def is_of_kind(value: Any, shape: Shape) -> bool:
    """Whether *value* is of a kind that *shape* names; what is in it is not looked at."""
    found = kinds(shape)
    types = tuple(one for kind in found for one in TYPES[kind])
    return not found or (isinstance(value, types) and (not isinstance(value, bool) or "boolean" in found))


def kinds_in_words(shape: Shape) -> str:
    return " or ".join(KIND_WORDS[kind] for kind in kinds(shape))
