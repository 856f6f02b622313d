"""What an effect might answer where an example says nothing: a value of the shape that its operator declares.

A step that a draft adds has no answer in the examples there are. A mail that went out, or a service that took what it
was given, rarely decides the way; what is read or derived does, so that nothing is made up for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from usher_engine.core.canonical import Json
from usher_engine.core.shapes import Shape, kinds
from usher_engine.services import Mode, Services

_FORMATS = {"date-time": "2026-01-15T12:00:00Z", "date": "2026-01-15", "email": "ann@example.com"}
_WORD = "example"


def made_up_answer(services: Services, operator: str) -> dict[str, Json] | None:
    """An answer of the effect *operator*; None for any other, or if it declares no record with fields."""
    if operator not in services:
        return None
    found = services.get(operator)
    if found.mode is not Mode.EFFECT or not found.result.get("properties"):
        return None
    made = _value(found.result)
    return made if isinstance(made, dict) else None


def with_answers(example: Mapping[str, Any], made: Mapping[str, Mapping[str, Json]]) -> dict[str, Any]:
    """*example* with the *made* answers behind its own."""
    return {**example, "services": {**example.get("services", {}), **{name: [one] for name, one in made.items()}}}


def _value(shape: Shape) -> Json:
    for usual in ("enum", "x-known-values"):
        if shape.get(usual):
            first: Json = shape[usual][0]
            return first
    match next(iter(kinds(shape)), "null"):
        case "string":
            text = _FORMATS.get(str(shape.get("format")), _WORD)
            return text.ljust(int(shape.get("minLength", 0)), "x")[: shape.get("maxLength")]
        case "number" | "integer":
            number: int | float = shape.get("minimum", min(1, shape.get("maximum", 1)))
            return number
        case "boolean":
            return True
        case "object":
            wanted = shape.get("required", ())
            return {name: _value(field) for name, field in shape.get("properties", {}).items() if name in wanted}
        case "array":
            return []
        case _:
            return None
