"""Read the JSON that pages and programs send. Refuse what two parsers could read differently, and name its place."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import usher_engine
from flask import request
from usher_engine.core import check_input
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

#: We take no number with more digits; longer ones become infinite, and `check_input` names their place.
MOST_DIGITS = 20


class NotJson(ValueError):
    """The text is not JSON. The message is the end of a sentence: "is not JSON …"."""


def body() -> dict[str, Any]:
    """The request's body, a JSON object within the limits of `check_input`; empty without a body."""
    found = _object()
    check_input(found)
    return found


def large_body() -> dict[str, Any]:
    """The request's body without those limits, for callers that check what they take from it (files of a draft)."""
    found = _object()
    try:
        storable(found)
    except NotJson as error:
        raise BadRequest(f"The body {error}.") from None
    return found


def _object() -> dict[str, Any]:
    sent = request.get_data()
    if not sent:
        return {}
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON: Content-Type: application/json.")
    try:
        found = loads(sent)
    except NotJson as error:
        raise BadRequest(f"The body {error}.") from None
    if not isinstance(found, dict):
        raise BadRequest("The body must be a JSON object.")
    return found


def field(text: str, name: str) -> dict[str, Any]:
    """The JSON object typed into the field *name* of a form; raises `InvalidSubmission`."""
    try:
        found = loads(text)
    except NotJson as error:
        reason = f"This {error}."
        raise usher_engine.InvalidSubmission(reason, fields={name: reason}) from None
    if not isinstance(found, dict):
        reason = 'This must be a record, like {"name": "Ada"}.'
        raise usher_engine.InvalidSubmission(reason, fields={name: reason})
    check_input(found, where=name)
    return found


def loads(sent: str | bytes) -> Any:
    """Parse *sent*; raises `NotJson`, or `InvalidSubmission` if an object has a key twice."""
    try:
        return json.loads(sent, object_pairs_hook=_without_repeated_keys, parse_int=_parse_integer)
    except json.JSONDecodeError as error:
        raise NotJson(f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except RecursionError:
        raise NotJson("is not JSON that can be read: it is nested too deeply") from None
    except ValueError:
        raise NotJson("is not JSON that can be read: it is not UTF-8 text") from None


def storable(value: Any) -> None:
    """Raise `NotJson` for values that parse but cannot be stored: NaN, infinity, lone surrogates."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise NotJson("holds half a character (a lone surrogate)") from None
    except ValueError:
        raise NotJson("holds a number that is none, or is beyond all bounds") from None


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        shown = ascii(twice[:60])[1:-1]
        raise usher_engine.InvalidSubmission(f"“{shown}” is there twice.", fields={shown: "is there twice"})
    return found


def _parse_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else float("inf")
