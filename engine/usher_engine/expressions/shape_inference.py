"""Infers the shape of an expression's value from what is known of the data, and notes what cannot be right in it.

An abstract interpreter over the syntax tree: it evaluates nothing and looks at each node once. What it does not know
is `ANYTHING`, about which it has no doubts. Calls are inferred in `call_inference.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from usher_engine.core.shape_algebra import kind_of_value, of_kinds, union, without_null
from usher_engine.core.shapes import ANYTHING, Shape, boolean, kinds, list_of, number, record, text

from .call_inference import call_shape
from .comparison_inference import compare
from .doubts import Doubt, close_to, did_you_mean, in_words
from .function_shapes import element_of
from .inference import ELEMENTS, NUMBERS, Inference, Nodes, bound, field_shape
from .known_data import KnownData
from .narrowing import narrowed
from .syntax import line_of

_LONGEST_VALUE = 200
_SIGNS: Mapping[type[ast.AST], str] = {
    ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
}  # fmt: skip


def _constant(_self: Inference, node: ast.Constant, _data: KnownData) -> Shape:
    value = node.value
    if isinstance(value, str):
        return text(enum=[value]) if len(value) <= _LONGEST_VALUE else text()
    return {"type": kind_of_value(value)} if value is None or isinstance(value, bool | int | float) else ANYTHING


def _name(inference: Inference, node: ast.Name, data: KnownData) -> Shape:
    known = data.names.get(node.id)
    line = line_of(node)
    if known is None:
        if not data.closed:
            inference.want(node.id)
            return ANYTHING
        close = close_to(node.id, {*data.names, *inference.spellings})
        message = f"Nothing sets “{node.id}” before this place.{did_you_mean(close)}"
        inference.doubt(Doubt(about="unset", message=message, line=line, name=node.id, old=node.id, new=close))
        return ANYTHING
    if not known.certain and not known.tested and not inference.guarded:
        instead = f'get("{node.id}")'
        message = f"“{node.id}” is not set on every way to this place; where it may be missing, write {instead}."
        inference.doubt(
            Doubt(about="perhaps", message=message, certain=False, line=line, name=node.id, old=node.id, new=instead)
        )
    return known.shape


def _attribute(inference: Inference, node: ast.Attribute, data: KnownData) -> Shape:
    return field_shape(inference, node, node.value, node.attr, data)


def _subscript(inference: Inference, node: ast.Subscript, data: KnownData) -> Shape:
    if isinstance(node.slice, ast.Slice):
        owner = inference.shape(node.value, data)
        for bound in (node.slice.lower, node.slice.upper, node.slice.step):
            if bound is not None:
                inference.shape(bound, data)
        return of_kinds(owner, ("array", "string"))
    if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return field_shape(inference, node, node.value, node.slice.value, data)
    owner = inference.shape(node.value, data)
    inference.shape(node.slice, data)
    inference.check_kinds(node.value, owner, ELEMENTS, "[…]", data)
    return element_of(owner) if kinds(owner) in (("array",), ("string",)) else ANYTHING


def _boolean(inference: Inference, node: ast.BoolOp, data: KnownData) -> Shape:
    is_and = isinstance(node.op, ast.And)
    found = [inference.shape(node.values[0], data)]
    for before, part in zip(node.values, node.values[1:], strict=False):
        data = narrowed(before, data, holds=is_and)
        found.append(inference.guarded_shape(part, data))
    *first, last = found
    return union(*(first if is_and else map(without_null, first)), last)


def _unary(inference: Inference, node: ast.UnaryOp, data: KnownData) -> Shape:
    shape = inference.shape(node.operand, data)
    if isinstance(node.op, ast.Not):
        return boolean()
    inference.check_kinds(node.operand, shape, NUMBERS, "A sign in front", data)
    return number()


def _binary(inference: Inference, node: ast.BinOp, data: KnownData) -> Shape:
    left, right = inference.shape(node.left, data), inference.shape(node.right, data)
    if isinstance(node.op, ast.Add):
        return _sum(inference, node, (left, right), data)
    sign = _SIGNS.get(type(node.op), "")
    if sign:
        inference.check_kinds(node.left, left, NUMBERS, f"“{sign}”", data)
        inference.check_kinds(node.right, right, NUMBERS, f"“{sign}”", data)
    return number()


def _sum(inference: Inference, node: ast.BinOp, shapes: tuple[Shape, Shape], data: KnownData) -> Shape:
    groups = (("string",), NUMBERS, ("array",))
    sides = [kinds(shape) for shape in shapes]
    if not all(sides):
        return ANYTHING
    fitting = [group for group in groups if all(set(side) & {*group} for side in sides)]
    if not fitting:
        left, right = (in_words(side) for side in sides)
        message = (
            f"“+” takes two numbers, two texts or two lists, not {left} and {right}; str(…) makes a text of a number."
        )
        inference.doubt(Doubt(about="kind", message=message, line=line_of(node)))
        return ANYTHING
    for part, shape in zip((node.left, node.right), shapes, strict=True):
        if "null" in kinds(shape):
            inference.check_kinds(part, shape, [kind for group in fitting for kind in group], "“+”", data)
    results: dict[tuple[str, ...], Shape] = {("string",): text(), NUMBERS: number(), ("array",): _list_of_both(shapes)}
    return union(*(results[group] for group in fitting))


def _list_of_both(shapes: tuple[Shape, Shape]) -> Shape:
    return list_of(union(*(shape.get("items", ANYTHING) for shape in shapes)))


def _choice(inference: Inference, node: ast.IfExp, data: KnownData) -> Shape:
    inference.shape(node.test, data)
    then = inference.guarded_shape(node.body, narrowed(node.test, data, holds=True))
    otherwise = inference.guarded_shape(node.orelse, narrowed(node.test, data, holds=False))
    return union(then, otherwise)


def _list(inference: Inference, node: ast.List | ast.Tuple, data: KnownData) -> Shape:
    return list_of(union(*[inference.shape(part, data) for part in node.elts]))


def _record(inference: Inference, node: ast.Dict, data: KnownData) -> Shape:
    values = [inference.shape(value, data) for value in node.values]
    keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    if not all(isinstance(key, str) for key in keys):
        return record()
    return record({str(key): value for key, value in zip(keys, values, strict=True)})


def _comprehension(
    inference: Inference, node: ast.ListComp | ast.DictComp | ast.GeneratorExp, data: KnownData
) -> Shape:
    loop = node.generators[0]
    source = inference.shape(loop.iter, data)
    inference.check_kinds(loop.iter, source, ELEMENTS, "“for”", data)
    inner = bound(loop.target, element_of(source), data)
    for test in loop.ifs:
        inference.guarded_shape(test, inner)
        inner = narrowed(test, inner, holds=True)
    if isinstance(node, ast.DictComp):
        inference.guarded_shape(node.key, inner)
        inference.guarded_shape(node.value, inner)
        return record()
    return list_of(inference.guarded_shape(node.elt, inner))


def _text(inference: Inference, node: ast.JoinedStr, data: KnownData) -> Shape:
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            shape = inference.shape(part.value, data)
            inference.check_kinds(part.value, shape, ("string", *NUMBERS, "null"), "A text", data)
    return text()


NODES: Nodes = {
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Call: call_shape,
    ast.Compare: compare,
    ast.Constant: _constant,
    ast.Dict: _record,
    ast.DictComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.IfExp: _choice,
    ast.JoinedStr: _text,
    ast.List: _list,
    ast.ListComp: _comprehension,
    ast.Name: _name,
    ast.Subscript: _subscript,
    ast.Tuple: _list,
    ast.UnaryOp: _unary,
}
