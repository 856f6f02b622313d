"""What the functions and methods of the language take and give, for `shape_inference.py`; a test compares the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from usher_engine.core.shape_algebra import union
from usher_engine.core.shapes import ANYTHING, Shape, boolean, list_of, number, record, text

_TEXT, _NUMBER, _WHOLE, _TRUTH = text(), number(), number(whole=True), boolean()
_NUMBERS = ("number", "integer", "boolean")
_SCALARS = ("string", *_NUMBERS, "null")
_ELEMENTS = ("array", "object", "string")


@dataclass(frozen=True, slots=True)
class CallShape:
    """*takes* are the kinds that each argument may have, the last for all further ones too; empty for any."""

    gives: Shape
    takes: tuple[tuple[str, ...], ...] = ()

    def kinds_of(self, place: int) -> tuple[str, ...]:
        """The kinds that the argument at *place* (from 0) may have; empty for any."""
        return self.takes[min(place, len(self.takes) - 1)] if self.takes else ()


FUNCTION_SHAPES: Mapping[str, CallShape] = {
    "abs": CallShape(_NUMBER, (_NUMBERS,)),
    "all": CallShape(_TRUTH, (_ELEMENTS,)),
    "any": CallShape(_TRUTH, (_ELEMENTS,)),
    "bool": CallShape(_TRUTH),
    "date_text": CallShape(_TEXT, (("string",),)),
    "datetime_text": CallShape(_TEXT, (("string",),)),
    "dict": CallShape(record(), (_ELEMENTS,)),
    "float": CallShape(_NUMBER, ((*_NUMBERS, "string"),)),
    "get": CallShape(ANYTHING, (("string",), ())),
    "int": CallShape(_WHOLE, ((*_NUMBERS, "string"),)),
    "join": CallShape(_TEXT, (_ELEMENTS, ("string",))),
    "len": CallShape(_WHOLE, (_ELEMENTS,)),
    "list": CallShape(list_of(), (_ELEMENTS,)),
    "max": CallShape(ANYTHING),
    "min": CallShape(ANYTHING),
    "now": CallShape(text(form="date-time")),
    "range": CallShape(list_of(_WHOLE), (("integer", "number"),)),
    "round": CallShape(_NUMBER, (_NUMBERS, ("integer", "number", "null"))),
    "sorted": CallShape(list_of(), (_ELEMENTS,)),
    "str": CallShape(_TEXT, (_SCALARS,)),
    "sum": CallShape(_NUMBER, (_ELEMENTS,)),
    "today": CallShape(text(form="date")),
}

#: By the kind of the owner.
METHOD_SHAPES: Mapping[str, Mapping[str, CallShape]] = {
    "string": {
        **{name: CallShape(_TEXT) for name in ("lower", "lstrip", "rstrip", "strip", "title", "upper")},
        "endswith": CallShape(_TRUTH, (("string",),)),
        "isdigit": CallShape(_TRUTH),
        "join": CallShape(_TEXT, (_ELEMENTS,)),
        "replace": CallShape(_TEXT, (("string",),)),
        "split": CallShape(list_of(_TEXT), (("string", "null"),)),
        "startswith": CallShape(_TRUTH, (("string",),)),
    },
    "object": {
        "get": CallShape(ANYTHING, (("string",), ())),
        "items": CallShape(list_of(list_of())),
        "keys": CallShape(list_of(_TEXT)),
        "pop": CallShape(ANYTHING, (("string",), ())),
        "update": CallShape({"type": "null"}, (("object",),)),
        "values": CallShape(list_of()),
    },
    "array": {
        "append": CallShape({"type": "null"}),
        "extend": CallShape({"type": "null"}, (_ELEMENTS,)),
        "pop": CallShape(ANYTHING, (("integer", "number"),)),
        "remove": CallShape({"type": "null"}),
    },
}


def element_of(shape: Shape) -> Shape:
    """The shape of what a loop over a value of *shape* visits."""
    found = shape.get("type", ())
    kinds = (found,) if isinstance(found, str) else tuple(found)
    by_kind = {"array": shape.get("items", ANYTHING), "object": _TEXT, "string": _TEXT}
    held = [by_kind[kind] for kind in kinds if kind in by_kind]
    return union(*held) if held else ANYTHING
