"""What is kept of an answer: the fields its declared shape names, and nothing else."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from ..core.canonical import Json, check_input
from ..core.errors import InvalidSubmission
from ..core.shapes import Shape, kinds, value_problems


class WrongShape(Exception):
    """The answer is not of its declared shape; the text is a sentence without values."""


def mapped_answer(body: bytes, coding: str, shape: Shape) -> Json:
    """
    The answer *body* (JSON) reduced to *shape*: fields it does not name are left out, also in lists.

    A shape that is null alone keeps nothing, and does not read the body. Raises `WrongShape`.
    """
    if kinds(shape) == ("null",):
        return None
    if coding != "identity":
        raise WrongShape("The answer is compressed, which was not asked for.")
    found = _reduced(_parsed(body), shape)
    problems = value_problems(shape, found, where="The answer", most=1)
    if problems:
        raise WrongShape(problems[0])
    try:
        return check_input(found, where="The answer")
    except InvalidSubmission as refused:
        raise WrongShape(refused.message) from None


def kept_shape(shape: Shape) -> Shape:
    """The shape of what `mapped_answer` gives: that of *shape*, without fields it does not name."""
    kept = dict(shape)
    if isinstance(kept.get("items"), dict):
        kept["items"] = kept_shape(kept["items"])
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {name: kept_shape(part) for name, part in kept["properties"].items()}
        kept.setdefault("additionalProperties", False)
    return kept


def _parsed(body: bytes) -> Any:
    if not body.strip():
        return None
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise WrongShape("The answer is not JSON.") from None


def _no_number(_text: str) -> NoReturn:
    raise ValueError


def _reduced(value: Any, shape: Shape) -> Any:
    if isinstance(value, list) and isinstance(shape.get("items"), dict):
        return [_reduced(item, shape["items"]) for item in value]
    named = shape.get("properties")
    if not isinstance(value, dict) or not isinstance(named, dict):
        return value
    others = shape.get("additionalProperties", False)
    kept = {}
    for name, part in value.items():
        if name in named:
            kept[name] = _reduced(part, named[name])
        elif others:
            kept[name] = _reduced(part, others) if isinstance(others, dict) else part
    return kept
