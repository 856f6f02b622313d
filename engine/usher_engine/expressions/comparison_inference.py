"""Infers comparisons: of kinds that have no order or are never equal, and with values that never come."""

from __future__ import annotations

import ast

from usher_engine.core.shape_algebra import Standing, find_field, kind_of_value, usual_texts
from usher_engine.core.shapes import ANYTHING, Shape, boolean, kinds

from .doubts import Doubt, close_to, did_you_mean, in_words, listed
from .inference import ELEMENTS, Inference, label_of
from .known_data import KnownData
from .syntax import line_of


def compare(inference: Inference, node: ast.Compare, data: KnownData) -> Shape:
    left = node.left
    shape = inference.shape(left, data)
    for sign, right in zip(node.ops, node.comparators, strict=True):
        other = inference.shape(right, data)
        if isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            _ordered(inference, (left, right), (shape, other), data)
        elif isinstance(sign, ast.Eq | ast.NotEq):
            _equal(inference, (left, right), (shape, other))
            _equal(inference, (right, left), (other, shape))
        elif isinstance(sign, ast.In | ast.NotIn):
            _contained(inference, (left, right), (shape, other), data)
        left, shape = right, other
    return boolean()


def _ordered(
    inference: Inference, nodes: tuple[ast.expr, ast.expr], shapes: tuple[Shape, Shape], data: KnownData
) -> None:
    sides = [kinds(shape) for shape in shapes]
    for node, other in (nodes, nodes[::-1]):
        if isinstance(node, ast.Name) and isinstance(other, ast.Constant) and node.id in inference.wanted:
            inference.want(node.id, {"type": kind_of_value(other.value)})  # type: ignore[arg-type]
    if not all(sides):
        return
    groups = ("string",), ("number", "integer")
    fitting = [group for group in groups if all(set(side) & {*group} for side in sides)]
    if not fitting:
        left, right = (f"{label_of(n)} is {in_words(side)}" for n, side in zip(nodes, sides, strict=True))
        message = f"Smaller and larger are known of two numbers or two texts; {left}, {right}."
        inference.doubt(Doubt(about="kind", message=message, line=line_of(nodes[0])))
        return
    for node, shape in zip(nodes, shapes, strict=True):
        if "null" in kinds(shape):
            inference.check_kinds(
                node, shape, [kind for group in fitting for kind in group], "a comparison by size", data
            )


def _equal(inference: Inference, nodes: tuple[ast.expr, ast.expr], shapes: tuple[Shape, Shape]) -> None:
    """Doubt that the first is ever the constant on the other side."""
    if not isinstance(nodes[1], ast.Constant) or isinstance(nodes[0], ast.Constant):
        return
    value = nodes[1].value
    if isinstance(nodes[0], ast.Name) and nodes[0].id in inference.wanted and value is not None:
        inference.want(nodes[0].id, {"type": kind_of_value(value)})  # type: ignore[arg-type]
    if value not in (None, "") or isinstance(value, bool | int):
        never_value(inference, nodes[0], shapes[0], value, nodes[1])


def never_value(inference: Inference, node: ast.expr, shape: Shape, value: object, at: ast.expr) -> None:
    """Doubt that *node*, of *shape*, can be *value*."""
    found = kinds(shape)
    kind = kind_of_value(value)  # type: ignore[arg-type]
    numbers = {"number", "integer"}
    if found and kind not in found and not (kind in numbers and set(found) & numbers):
        message = f"{label_of(node)} is {in_words(found)} and never equals {in_words([kind])}."
        inference.doubt(Doubt(about="kind", message=message, line=line_of(at)))
    elif isinstance(value, str):
        unknown_text(inference, label_of(node), shape, value, line_of(at))


def unknown_text(inference: Inference, label: str, shape: Shape, value: str, line: int) -> None:
    """Doubt that a text of *shape* is *value*, if its values are listed."""
    values = usual_texts(shape)
    if not values or value in values:
        return
    close = close_to(value, values)
    certain = "enum" in shape or bool(close)
    message = f"{label} is never “{value}”." if "enum" in shape else f"{label} is usually not “{value}”."
    message += did_you_mean(close) or f" It may be: {listed(filter(None, values))}."
    inference.doubt(Doubt(about="value", message=message, certain=certain, line=line, name=value, old=value, new=close))


def _contained(
    inference: Inference, nodes: tuple[ast.expr, ast.expr], shapes: tuple[Shape, Shape], data: KnownData
) -> None:
    part, whole = nodes
    if isinstance(whole, ast.List | ast.Tuple):
        for element in whole.elts:
            _equal(inference, (part, element), (shapes[0], ANYTHING))
        return
    inference.check_kinds(whole, shapes[1], ELEMENTS, "“in”", data)
    if not isinstance(part, ast.Constant) or not isinstance(part.value, str):
        return
    if kinds(shapes[1]) == ("array",):
        items = shapes[1].get("items", ANYTHING)
        unknown_text(inference, f"An element of {label_of(whole)}", items, part.value, line_of(part))
    elif kinds(shapes[1]) == ("object",):
        _unknown_key(inference, whole, shapes[1], part.value, line_of(part))


def _unknown_key(inference: Inference, whole: ast.expr, shape: Shape, key: str, line: int) -> None:
    if find_field(shape, key).standing is Standing.NEVER:
        close = close_to(key, shape["properties"])
        message = f"{label_of(whole)} has no field “{key}”.{did_you_mean(close)}"
        inference.doubt(Doubt(about="field", message=message, line=line, name=key, old=key, new=close))
