"""The form of an assumption: made from a task's own form or from the shape of a result, and read back as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from changed_package import FIRST
from usher_engine import InvalidSubmission, Services
from usher_engine.core.shapes import boolean, list_of, nullable, number, record, text
from usher_engine.enrollment.operator_shapes import PATIENT
from usher_engine.reexecution import Question
from usher_engine.services import Mode, Operator
from usher_web.analyst.assumption_form import assumption_of, fields_of, in_words

SCORE = record({
    "score": number("Score", unit="points"),
    "whole": number("Visits", whole=True),
    "sure": boolean("Sure"),
    "kind": text("Kind", enum=("a", "b")),
    "note": nullable(text("Note", description="in words")),
    "list": list_of(text()),
})  # fmt: skip


def services(*shapes: tuple[str, Any]) -> Services:
    made = (Operator(name=n, title=n, mode=Mode.READ, call=lambda *_: None, result=shape) for n, shape in shapes)
    return Services(tuple(made))


KNOWN = services(("x/score", SCORE), ("x/any", {}), ("x/number", number("Sum")), ("patient/load", PATIENT))
ASKS = Question(element="E", operator="x/score")


def test_a_result_gives_a_field_for_each_of_its_plain_parts() -> None:
    found = {field.key: field for field in fields_of(ASKS, FIRST, KNOWN)}
    assert {key: (field.kind, field.label) for key, field in found.items()} == {
        "score": ("number", "Score"), "whole": ("number", "Visits"), "sure": ("select", "Sure"),
        "kind": ("select", "Kind"), "note": ("text", "Note"),
    }  # fmt: skip
    assert (found["score"].help, found["note"].help) == ("points", "in words")
    assert not any(field.required for field in found.values()), "what is left empty, each case knows"


def test_the_portal_status_is_one_choice() -> None:
    found = fields_of(Question(element="E", operator="patient/load"), FIRST, KNOWN)
    (status,) = (field for field in found if field.key == "status")
    assert ("Pending", "Pending") in status.options


def test_what_is_sent_is_read_as_the_shape_says() -> None:
    sent = {"score": "1.5", "whole": "-3", "sure": "false", "kind": "a", "note": " ", "csrf_token": "t", "list": "x"}
    assert assumption_of(ASKS, sent, FIRST, KNOWN) == {
        "element": "E", "operator": "x/score", "answer": {"score": 1.5, "whole": -3, "sure": False, "kind": "a"},
    }  # fmt: skip
    for typed in ("many", "nan", "1e999", "--5", "9" * 400):
        with pytest.raises(InvalidSubmission) as wrong:
            assumption_of(ASKS, {"score": typed}, FIRST, KNOWN)
        assert wrong.value.fields == {"score": "“Score” must be a number."}


def test_a_result_that_is_no_record() -> None:
    plain, anything = Question(element="E", operator="x/number"), Question(element="E", operator="x/any")
    assert assumption_of(plain, {"answer": "7"}, FIRST, KNOWN)["answer"] == 7
    assert assumption_of(anything, {"answer": '{"a": [1]}'}, FIRST, KNOWN)["answer"] == {"a": [1]}
    assert assumption_of(anything, {}, FIRST, KNOWN)["answer"] is None
    with pytest.raises(InvalidSubmission):
        assumption_of(anything, {"answer": "{"}, FIRST, KNOWN)


def test_a_task_is_answered_by_its_own_form() -> None:
    task = Question(element="Update", form="update.form")
    assert [field.key for field in fields_of(task, FIRST, KNOWN)][:2] == ["first_name", "last_name"]
    sent = {"first_name": "Ada", "mobile": "", "other": "x"}
    assert assumption_of(task, sent, FIRST, KNOWN) == {
        "element": "Update", "form": "update.form", "answer": {"first_name": "Ada"},
    }  # fmt: skip
    assert fields_of(Question(element="Call"), FIRST, KNOWN) == ()


def test_an_assumption_in_words() -> None:
    fields = fields_of(ASKS, FIRST, KNOWN)
    assert in_words({"answer": {"kind": "a", "score": 2}}, fields) == "Kind: a, Score: 2"
    assert in_words({"answer": {}}, fields) == "as last known in each case"
    assert in_words({"refused": "no"}, fields) == "refused with no"
    assert in_words({"answer": {}}, ()) == "somebody completes it at once"
