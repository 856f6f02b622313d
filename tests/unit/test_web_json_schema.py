"""Shapes as JSON Schemas, and bodies read by them."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

import pytest
from usher_engine import InvalidSubmission
from usher_web.json_schema import components, read, reference


class Inner(TypedDict):
    code: str


class Shape(TypedDict):
    """What it is
    for.
    """

    name: str
    day: Annotated[str | None, {"format": "date"}]
    parts: list[Inner]
    words: dict[str, str]
    more: NotRequired[dict[str, Any]]


class Body(TypedDict):
    name: str
    mode: NotRequired[Annotated[str, {"enum": ["a"]}]]
    count: NotRequired[int | None]
    data: NotRequired[dict[str, Any]]


def test_a_shape_is_described_with_all_that_is_in_it():
    found = components([Shape])
    assert list(found) == ["Shape", "Inner"]
    assert found["Shape"] == {
        "type": "object",
        "description": "What it is for.",
        "required": ["name", "day", "parts", "words"],
        "properties": {
            "name": {"type": "string"},
            "day": {"type": ["string", "null"], "format": "date"},
            "parts": {"type": "array", "items": reference(Inner)},
            "words": {"type": "object", "additionalProperties": {"type": "string"}},
            "more": {"type": "object"},
        },
    }
    assert found["Inner"] == {
        "type": "object", "required": ["code"], "properties": {"code": {"type": "string"}},
    }  # fmt: skip


def test_only_a_strict_shape_takes_no_other_fields():
    found = components([Shape], strict=[Body])
    assert found["Body"]["additionalProperties"] is False
    assert "additionalProperties" not in found["Shape"]


def test_what_cannot_be_described_is_an_error():
    class Odd(TypedDict):
        what: complex

    with pytest.raises(KeyError):
        components([Odd])


@pytest.mark.parametrize(
    "body",
    [{"name": ""}, {"name": "n", "mode": "b", "count": 7, "data": {"a": [1]}}, {"name": "n", "count": None}],
)
def test_a_body_that_fits_is_given_back_as_it_is(body):
    assert read(Body, body) is body


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name": "is missing"}),
        ({"name": None}, {"name": "must be text"}),
        ({"name": 7, "mode": []}, {"name": "must be text", "mode": "must be text"}),
        ({"name": "n", "count": "7"}, {"count": "must be a whole number"}),
        ({"name": "n", "count": True}, {"count": "must be a whole number"}),
        ({"name": "n", "count": 7.0}, {"count": "must be a whole number"}),
        ({"name": "n", "data": []}, {"data": "must be an object"}),
        ({"name": "n", "data": None}, {"data": "must be an object"}),
        ({"more": 1, "Name": "n"}, {"name": "is missing", "more": "is not known here", "Name": "is not known here"}),
    ],
)
def test_a_body_that_does_not_fit_is_refused_by_field(body, fields):
    with pytest.raises(InvalidSubmission) as refusal:
        read(Body, body)
    assert refusal.value.fields == fields
