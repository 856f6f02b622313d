"""Shapes: what may be declared, and the sentences about values that differ."""

from __future__ import annotations

from typing import Any

import pytest
from usher_engine.core import shapes
from usher_engine.core.shape_algebra import sample_value
from usher_engine.core.shapes import (
    boolean,
    declared,
    list_of,
    nullable,
    number,
    record,
    shape_problems,
    text,
    value_problems,
)

PERSON = record(
    {
        "status": text("Status", enum=("Pending", "Declined")),
        "age": number("Age", unit="years", whole=True),
        "mails": list_of(text()),
        "answer": nullable(record({"at": text(form="date-time")})),
        "note": text(),
    },
    optional=["note"],
)
RIGHT: dict[str, Any] = {"status": "Pending", "age": 4, "mails": ["a"], "answer": None}


def test_a_value_of_its_shape_has_no_problem() -> None:
    assert shapes.value_problems(PERSON, RIGHT, where="x") == []
    assert shapes.value_problems(PERSON, {**RIGHT, "answer": {"at": "2026-01-01T00:00:00Z"}}, where="x") == []


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"status": "Pendng"}, "x.status must be one of: Pending, Declined."),
        ({"age": 4.5}, "x.age must be a whole number."),
        ({"age": True}, "x.age must be a whole number."),
        ({"mails": ["a", 1]}, "x.mails[1] must be text."),
        ({"answer": {}}, "x.answer lacks “at”."),
        ({"answer": "no"}, "x.answer must be null or a record."),
        ({"nte": ""}, "x has “nte”, which its shape does not know."),
    ],
)
def test_a_difference_is_said_with_its_place_and_without_the_value(other: dict[str, Any], sentence: str) -> None:
    assert shapes.value_problems(PERSON, {**RIGHT, **other}, where="x") == [sentence]


def test_no_more_sentences_than_asked_for_and_no_depth_breaks_it() -> None:
    assert len(shapes.value_problems(list_of(text()), list(range(1000)), where="x", most=3)) == 3
    deep: Any = "end"
    for _ in range(900):
        deep = [deep]
    assert shapes.value_problems(text(), deep, where="x") == ["x is nested too deeply."]


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ("text", "it must be a JSON Schema, an object."),
        ({"type": "thing"}, "it is not JSON Schema: "),
        ({"oneOf": []}, "it uses “oneOf”; shapes use "),
        ({"properties": {"a": {"$ref": "#"}}}, "it.a uses “$ref”; shapes use "),
        ({"items": {"pattern": "(a+)+"}}, "it.items uses “pattern”; shapes use "),
        ({"type": "object", "properties": {"a": {"enum": 3}}}, "it is not JSON Schema: "),
    ],
)
def test_what_is_no_shape_is_refused_with_the_reason(shape: Any, sentence: str) -> None:
    found = shape_problems(shape, where="it")
    assert found
    assert found[0].startswith(sentence)


def test_every_shape_of_ours_is_one() -> None:
    assert not [problem for shape in (PERSON, boolean(), number(), {}) for problem in shape_problems(shape)]
    endless: dict[str, Any] = {}
    for _ in range(30):
        endless = {"items": endless}
    assert shape_problems(endless, where="it") == [f"it{'.items' * 12} is nested more than 12 deep."]


def test_the_kind_in_one_word() -> None:
    assert [declared(s) for s in (text(), number(), number(whole=True), boolean(), record(), list_of(), {})] == [
        "text", "number", "number", "boolean", "record", "list", "any",
    ]  # fmt: skip
    assert declared(nullable(text())) == "text"
    assert declared({"type": ["string", "number"]}) == "any"


@pytest.mark.parametrize(
    "shape",
    [
        {}, {"type": "null"}, {"type": ["string", "null"]}, {"type": "boolean"}, {"type": "integer"},
        {"type": "string", "enum": ["a", "b"]}, {"type": "string", "format": "date"}, {"type": "array"},
        record({"a": text(known=("x",)), "b": list_of(record({"c": number()})), "d": nullable(boolean())}),
    ],
)  # fmt: skip
def test_a_sample_has_its_shape(shape: dict[str, object]) -> None:
    assert value_problems(shape, sample_value(shape), where="it") == []
