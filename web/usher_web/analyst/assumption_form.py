"""The form in which an analyst assumes an answer once for all cases: a task's own form, or one made from a shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from usher_engine import InvalidSubmission, Services
from usher_engine.core import Shape, kinds
from usher_engine.definitions import Package
from usher_engine.forms import Field, parse_form
from usher_engine.reexecution import Question

from .. import strict_json

#: The key of the one field where a result is no record.
RESULT = "answer"
_TRUTH = (("true", "true"), ("false", "false"))


def fields_of(question: Question, package: Package, services: Services) -> tuple[Field, ...]:
    """The fields to fill; what is left empty, each case answers with what is last known there."""
    if not question.operator:
        return parse_form(package.text(question.form)).fields if question.form else ()
    shape = services.get(question.operator).result
    found = (_field(key, part) for key, part in shape.get("properties", {}).items())
    fields = tuple(field for field in found if field is not None)
    return fields or (_field(RESULT, shape) or Field(key=RESULT, label="The result, as JSON", kind="textarea"),)


def _field(key: str, shape: Shape) -> Field | None:
    """The field for a part of a result; None for lists and records, which the case knows or not."""
    label, asked = str(shape.get("title") or key), [kind for kind in kinds(shape) if kind != "null"]
    options = tuple((str(value), str(value)) for value in (*shape.get("enum", ()), *shape.get("x-known-values", ())))
    if options:
        return Field(key=key, label=label, kind="select", options=options)
    if asked == ["boolean"]:
        return Field(key=key, label=label, kind="select", options=_TRUTH)
    if asked in (["number"], ["integer"]):
        return Field(key=key, label=label, kind="number", help=str(shape.get("x-unit", "")))
    return Field(key=key, label=label, help=str(shape.get("description", ""))) if asked == ["string"] else None


def assumption_of(question: Question, sent: Mapping[str, str], package: Package, services: Services) -> dict[str, Any]:
    """The assumption in what a browser *sent*, as JSON; raises `InvalidSubmission` for a field that cannot be read."""
    about = question.to_json()
    filled = {key: sent[key].strip() for key in sent if sent[key].strip()}
    fields = {field.key: field for field in fields_of(question, package, services)}
    answer: dict[str, Any] = {key: filled[key] for key in fields if key in filled}
    if not question.operator:
        return {**about, "answer": answer}
    if RESULT in fields and fields[RESULT].kind == "textarea":
        return {**about, "answer": _json(filled.get(RESULT, "") or "null")}
    answer = {key: _value(fields[key], text) for key, text in answer.items()}
    shape = services.get(question.operator).result
    return {**about, "answer": answer if "properties" in shape else answer.get(RESULT)}


def _value(field: Field, text: str) -> Any:
    if field.options == _TRUTH:
        return text == "true"
    if field.kind != "number":
        return text
    try:
        found = int(text) if text.lstrip("-").isdigit() and len(text) <= strict_json.MOST_DIGITS else float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        wrong = {field.key: f"“{field.label}” must be a number."}
        raise InvalidSubmission(wrong[field.key], fields=wrong)
    return found


def _json(text: str) -> Any:
    try:
        return strict_json.loads(text)
    except strict_json.NotJson as error:
        wrong = {RESULT: f"What you typed {error}."}
        raise InvalidSubmission(wrong[RESULT], fields=wrong) from None


def in_words(assumed: Mapping[str, Any], fields: tuple[Field, ...]) -> str:
    """“Portal status: Pending”; what an assumption says."""
    if "refused" in assumed:
        return f"refused with {assumed['refused']}"
    answer = assumed.get("answer")
    if not fields:
        return "somebody completes it at once"
    labels = {field.key: field.label for field in fields}
    if isinstance(answer, dict):
        said = [f"{labels.get(key, key)}: {value}" for key, value in answer.items() if value not in ("", None)]
        return ", ".join(said[:4]) + (", …" if len(said) > 4 else "") or "as last known in each case"
    return str(answer)
