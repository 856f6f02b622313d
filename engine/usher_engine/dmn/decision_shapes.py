"""The shapes of what a decision gives: of each output, and of its whole answer."""

from __future__ import annotations

from usher_engine.core.shape_algebra import NULL, kind_of_value, union
from usher_engine.core.shapes import ANYTHING, Shape, boolean, list_of, nullable, number, record, text

from .decision_table import Answer, Decision, Output, Table
from .hit_policies import ONE

#: By the type of a column; see `literals.TYPES`.
KIND_SHAPES: dict[str, Shape] = {
    "": ANYTHING,
    "text": text(),
    "true or false": boolean(),
    "whole number": number(whole=True),
    "number": number(),
    "date": text(form="date"),
    "date and time": text(form="date-time"),
    "duration": text(),
}


def output_shapes(decision: Decision) -> dict[str, Shape]:
    """The shape of each output of *decision*, by name."""
    table = decision.logic
    if not isinstance(table, Table):
        return {decision.variable: _of_kind(decision.kind)}
    if table.aggregation:
        total = number(whole=True) if table.aggregation == "COUNT" else nullable(number())
        return {table.outputs[0].name: total}
    shapes = {
        output.name: _output(output, [rule.answers[place] for rule in table.rules])
        for place, output in enumerate(table.outputs)
    }
    return shapes if table.policy in ONE else {name: list_of(shape) for name, shape in shapes.items()}


def answer_shape(decision: Decision) -> Shape:
    """The shape of the whole answer of *decision*."""
    table, shapes = decision.logic, output_shapes(decision)
    if len(shapes) == 1:
        return next(iter(shapes.values()))
    if isinstance(table, Table) and table.policy not in ONE:
        return list_of(record({name: shape.get("items", ANYTHING) for name, shape in shapes.items()}))
    return record(shapes)


def _output(output: Output, answers: list[Answer]) -> Shape:
    """The shape of one output; without a default it is null where no row matches, so null is always among it."""
    cells = answers if output.default is None else [*answers, output.default]
    found = [_cell(answer, output.kind) for answer in cells]
    return union(*found, NULL) if output.default is None else union(*found)


def _cell(answer: Answer, kind: str) -> Shape:
    if not isinstance(answer, tuple):
        return _of_kind(kind)
    value = answer[0]
    if isinstance(value, str):
        return text(enum=[value])
    return ANYTHING if isinstance(value, list | dict) else {"type": kind_of_value(value)}


def _of_kind(kind: str) -> Shape:
    """Of an expression in a column of *kind*, which may also give null."""
    shape = KIND_SHAPES.get(kind, ANYTHING)
    return nullable(shape)
