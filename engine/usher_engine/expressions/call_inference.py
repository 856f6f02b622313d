"""Infers calls of functions and methods: what they give, and arguments of kinds that they do not take."""

from __future__ import annotations

import ast

from usher_engine.core.shape_algebra import NULL, Standing, find_field, of_kinds, union
from usher_engine.core.shapes import ANYTHING, Shape, kinds, list_of

from .doubts import Doubt, close_to, did_you_mean
from .function_shapes import FUNCTION_SHAPES, METHOD_SHAPES, CallShape, element_of
from .inference import Inference, label_of
from .known_data import KnownData, name_asked_for
from .syntax import line_of


def call_shape(inference: Inference, node: ast.Call, data: KnownData) -> Shape:
    """The shape of what *node* gives."""
    if isinstance(node.func, ast.Attribute):
        return _method(inference, node, node.func, data)
    shapes = [inference.shape(argument, data) for argument in node.args]
    known = FUNCTION_SHAPES.get(node.func.id) if isinstance(node.func, ast.Name) else None
    if known is None or not isinstance(node.func, ast.Name):
        return ANYTHING
    _check_arguments(inference, node, shapes, known, f"{node.func.id}(…)", data)
    return _given(inference, node, node.func.id, shapes, data) or known.gives


def _check_arguments(
    inference: Inference, node: ast.Call, shapes: list[Shape], known: CallShape, what: str, data: KnownData
) -> None:
    for place, (argument, shape) in enumerate(zip(node.args, shapes, strict=True)):
        inference.check_kinds(argument, shape, known.kinds_of(place), what, data)


def _given(inference: Inference, node: ast.Call, name: str, shapes: list[Shape], data: KnownData) -> Shape | None:
    """What a function gives whose result depends on what it is given; None if it does not."""
    if name == "get":
        return _get(inference, node, shapes, data)
    if name in ("sorted", "list") and shapes:
        return list_of(element_of(shapes[0]))
    if name in ("min", "max") and shapes:
        return element_of(shapes[0]) if len(shapes) == 1 else union(*shapes)
    return None


def _get(inference: Inference, node: ast.Call, shapes: list[Shape], data: KnownData) -> Shape:
    name = name_asked_for(node)
    default = shapes[1] if len(shapes) > 1 else NULL
    known = data.names.get(name) if name else None
    if known is not None:
        return known.shape if known.certain else union(known.shape, default)
    if not name or not data.closed:
        inference.asked |= {name} - {""}
        return ANYTHING
    close = close_to(name, {*data.names, *inference.spellings})
    if close:
        message = f"Nothing sets “{name}” before this place.{did_you_mean(close)}"
        inference.doubt(Doubt(about="unset", message=message, line=line_of(node), name=name, old=name, new=close))
    return default


def _method(inference: Inference, node: ast.Call, target: ast.Attribute, data: KnownData) -> Shape:
    owner = inference.shape(target.value, data)
    shapes = [inference.shape(argument, data) for argument in node.args]
    name = target.attr
    having = {kind: known[name] for kind, known in METHOD_SHAPES.items() if name in known}
    fitting = [kind for kind in kinds(owner) if kind in having]
    inference.check_kinds(target.value, owner, tuple(having), f".{name}(…)", data)
    if not fitting:
        return ANYTHING
    for kind in fitting:
        if len(fitting) == 1:
            _check_arguments(inference, node, shapes, having[kind], f".{name}(…)", data)
    if fitting == ["object"] and name == "get":
        return _record_get(inference, node, target.value, owner, shapes)
    return union(*(having[kind].gives for kind in fitting))


def _record_get(inference: Inference, node: ast.Call, owner: ast.expr, shape: Shape, shapes: list[Shape]) -> Shape:
    """What ``.get("key", default)`` gives of a record of *shape*."""
    match node.args:
        case [ast.Constant(value=str() as key), *_]:
            found = find_field(of_kinds(shape, ["object"]), key)
        case _:
            return ANYTHING
    default = shapes[1] if len(shapes) > 1 else NULL
    if found.standing is Standing.NEVER:
        close = close_to(key, shape["properties"])
        message = f"{label_of(owner)} has no field “{key}”.{did_you_mean(close)}"
        inference.doubt(Doubt(about="field", message=message, line=line_of(node), name=key, old=key, new=close))
        return default
    if found.standing is Standing.UNKNOWN:
        return ANYTHING
    return found.shape if found.standing is Standing.THERE else union(found.shape, default)
