"""Literals in cells: text, number, true and false, null, date, date and time, duration. Types never mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from usher_engine.core.canonical import Json
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import compile_expression, moment, parse_duration

from .cell_lexer import Token

#: Maps ``typeRef`` as written by dmn-js, Camunda and DMN to our type name; "" is any type.
TYPES = {
    "": "", "any": "", "Any": "",
    "string": "text",
    "boolean": "true or false",
    "integer": "whole number", "long": "whole number",
    "number": "number", "double": "number",
    "date": "date",
    "dateTime": "date and time", "date and time": "date and time",
    "dayTimeDuration": "duration", "days and time duration": "duration",
}  # fmt: skip
#: The types an editor offers for a column, each under one of its names; "Any" is no type.
OFFERED_TYPES = ("string", "boolean", "number", "integer", "date", "dateTime", "dayTimeDuration", "Any")
_LIKE = {
    "date": "a date like 2026-05-03",
    "date and time": "a date and time like 2026-05-03T09:12:00Z",
    "duration": "a duration like P2D",
}
#: Types that are stored as ISO 8601 text and compared by their meaning.
TEMPORAL = frozenset(_LIKE)
_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value with its type. ``value`` is JSON; ``key`` is used for comparison and equal only for equal meanings."""

    kind: str
    value: Json
    key: Any


NULL = Literal("null", None, None)


def literal(value: Json, kind: str = "") -> Literal:
    """
    Return *value* as a literal of the column's *kind*, if the column has one.

    Raises:
        ExpressionError: *value* has another type; the message names the expected type, never the value.
    """
    if value is None:
        return NULL
    if kind in TEMPORAL:
        return _temporal(value, kind)
    own = kind_of(value)
    if kind and own != kind and not (kind == "whole number" and own == "number" and _is_whole(value)):
        raise ExpressionError(f"{a_kind(kind)} is wanted, this is {a_kind(own)}.")
    return Literal(own, value, value)


def kind_of(value: Json) -> str:
    """The type of *value*; the three temporal types count as text."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "list"
    return "record" if isinstance(value, dict) else "null"


def _is_whole(value: Any) -> bool:
    return bool(value == int(value))


def _temporal(value: Any, kind: str) -> Literal:
    try:
        if type(value) is str and len(value) <= 40:
            return Literal(kind, value, _key(value.strip(), kind))
    except (ValueError, OverflowError, ExpressionError):
        pass
    raise ExpressionError(f"{_LIKE[kind]} is wanted.")


def _key(text: str, kind: str) -> float:
    if kind == "date":
        if len(text) != len("2026-05-03"):
            raise ValueError
        return float(date.fromisoformat(text).toordinal())
    if kind == "duration":
        return parse_duration(text).total_seconds()
    named = moment(text)
    if named is None:
        raise ValueError
    return (named - _ORIGIN).total_seconds()


def literal_of(tokens: Sequence[Token]) -> Literal | None:
    """Parse *tokens* as a literal; None if they are something else."""
    match [token.text for token in tokens]:
        case ["null"]:
            return NULL
        case ["true" | "false" | "True" | "False" as text]:
            return literal(text.lower() == "true")
        case ["None"]:
            return NULL
        case ["-", number] if tokens[1].kind == "number":
            return literal(_constant(f"-{number}"))
        case ["date", "(", text, ")"] if tokens[2].kind == "string":
            return literal(_constant(text), "date")
        case ["date", "and", "time", "(", text, ")"] if tokens[4].kind == "string":
            return literal(_constant(text), "date and time")
        case ["duration", "(", text, ")"] if tokens[2].kind == "string":
            return literal(_constant(text), "duration")
        case [only] if tokens[0].kind in ("string", "number"):
            return literal(_constant(only))
        case _:
            return None


def _constant(source: str) -> Json:
    if source.startswith("."):
        source = f"0{source}"
    return compile_expression(source).evaluate({}, _ORIGIN)


def a_kind(kind: str) -> str:
    return kind if kind in ("true or false", "null") else f"a {kind}"
