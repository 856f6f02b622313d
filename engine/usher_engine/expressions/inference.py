"""What the inference of shapes carries on its way down the syntax tree; `shape_inference.py` infers the nodes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeAlias

from usher_engine.core.shape_algebra import Standing, find_field
from usher_engine.core.shapes import ANYTHING, Shape, kinds

from .doubts import Doubt, close_to, did_you_mean, in_words, listed
from .function_shapes import element_of
from .known_data import KnownData, path_of
from .syntax import line_of

Nodes: TypeAlias = Mapping[type[ast.expr], Callable[["Inference", Any, KnownData], Shape]]

#: The kinds that arithmetic takes.
NUMBERS = ("number", "integer", "boolean")
ELEMENTS = ("array", "object", "string")


@dataclass
class Inference:
    """
    One expression, or one script, looked at.

    ``doubts`` collects what cannot be right; ``wanted`` maps each name that nothing sets before to the shape that its
    readers ask for, ``asked`` are those that ``get("…")`` asks for. ``spellings`` are names that elements set.
    ``guarded`` is greater than 0 inside a part that is evaluated only if a condition holds.
    """

    nodes: Nodes
    spellings: frozenset[str] = frozenset()
    doubts: list[Doubt] = field(default_factory=list)
    wanted: dict[str, Shape] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    guarded: int = 0

    def doubt(self, doubt: Doubt) -> None:
        if doubt not in self.doubts:
            self.doubts.append(doubt)

    def shape(self, node: ast.expr, data: KnownData) -> Shape:
        """The shape of the value of *node* on *data*."""
        infer = self.nodes.get(type(node))
        return ANYTHING if infer is None else infer(self, node, data)

    def guarded_shape(self, node: ast.expr, data: KnownData) -> Shape:
        """The shape of *node*, which is evaluated only under a condition."""
        self.guarded += 1
        found = self.shape(node, data)
        self.guarded -= 1
        return found

    def want(self, name: str, shape: Shape = ANYTHING) -> None:
        """Note that a reader asks the first data for *name*, of *shape*."""
        known = self.wanted.get(name)
        self.wanted[name] = shape if known is None or not kinds(known) else known

    def check_kinds(self, node: ast.expr, shape: Shape, wanted: Iterable[str], what: str, data: KnownData) -> None:
        """Doubt that a value of *shape* has a kind of *wanted*; *what* takes it, in words."""
        wanted = tuple(wanted)
        found = kinds(shape)
        if not found or not wanted or set(found) <= {*wanted}:
            return
        label, line = label_of(node), line_of(node)
        if not set(found) & {*wanted}:
            message = f"{what} takes {in_words(_said(wanted))}; {label} is {in_words(found)}."
            self.doubt(Doubt(about="kind", message=message, line=line))
        elif "null" in found and "null" not in wanted:
            self._null(node, what, data)

    def _null(self, node: ast.expr, what: str, data: KnownData) -> None:
        path = path_of(node)
        known = data.names.get(path[0]) if path else None
        if self.guarded or known is None or known.tested:
            return
        label = label_of(node)
        message = f"{label} may be null, and {what} does not take null. Ask first: … if {plain(node)} else …"
        self.doubt(Doubt(about="null", message=message, certain=False, line=line_of(node), name=path[0]))


def _said(wanted: Iterable[str]) -> list[str]:
    """*wanted* without the kinds that go without saying."""
    found = list(wanted)
    numbers = {"number", "integer", "boolean"} <= set(found)
    return [kind for kind in found if not (numbers and kind in ("integer", "boolean"))]


def plain(node: ast.expr) -> str:
    return ast.unparse(node)[:80]


def label_of(node: ast.expr) -> str:
    """*node* as people refer to it."""
    return f"“{plain(node)}”"


def field_shape(inference: Inference, node: ast.expr, owner: ast.expr, key: str, data: KnownData) -> Shape:
    """The shape of the field *key* of *owner*."""
    shape = inference.shape(owner, data)
    inference.check_kinds(owner, shape, ("object",), f"“.{key}”", data) if isinstance(node, ast.Attribute) else None
    found = find_field(shape, key)
    if found.standing is Standing.NEVER:
        names = list(shape["properties"])
        close = close_to(key, names)
        message = f"{label_of(owner)} has no field “{key}”."
        message += did_you_mean(close) or f" It has: {listed(names)}."
        inference.doubt(Doubt(about="field", message=message, line=line_of(node), name=key, old=key, new=close))
    elif found.standing is Standing.PERHAPS and not inference.guarded and not _was_tested(owner, data):
        message = f'{label_of(owner)} may lack the field “{key}”; write .get("{key}") if it may be missing.'
        inference.doubt(Doubt(about="perhaps", message=message, certain=False, line=line_of(node), name=key))
    return found.shape


def _was_tested(owner: ast.expr, data: KnownData) -> bool:
    path = path_of(owner)
    known = data.names.get(path[0]) if path else None
    return known is not None and known.tested


def bound(target: ast.expr, element: Shape, data: KnownData) -> KnownData:
    """*data* inside a loop whose variable or variables hold *element*."""
    if isinstance(target, ast.Name):
        return data.having(target.id, element)
    names = [part.id for part in ast.walk(target) if isinstance(part, ast.Name)]
    return reduce(lambda known, name: known.having(name, element_of(element)), names, data)
