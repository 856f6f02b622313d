"""The compiler's state on its way down the syntax tree; `nodes.py` and `calls.py` compile the nodes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from usher_engine.core.errors import ExpressionError

from .budget import Code
from .methods import Methods
from .operators import json_value
from .syntax import checked_name, line_of, not_in_language

Bind: TypeAlias = Callable[[dict[str, Any], Any], None]
Nodes: TypeAlias = Mapping[type[ast.expr], Callable[["Compiler", Any], Code]]


class Compiler:
    """
    Compiles the nodes of an allow-list and records which data they read.

    ``names`` are the top-level names read from the data, ``assigned`` those that a script has certainly set before,
    ``bound`` the variables of the enclosing comprehension.
    """

    def __init__(self, nodes: Nodes, methods: Methods) -> None:
        self.nodes = nodes
        self.methods = methods
        self.names: set[str] = set()
        self.assigned: set[str] = set()
        self.bound: frozenset[str] = frozenset()
        self.in_comprehension = False

    def code(self, node: ast.expr) -> Code:
        """Return the closure for *node*; raises `ExpressionError` if it is not in the language."""
        compile_node = self.nodes.get(type(node))
        if compile_node is None:
            raise not_in_language(node)
        return compile_node(self, node)

    def codes(self, nodes: list[ast.expr]) -> tuple[Code, ...]:
        return tuple(self.code(node) for node in nodes)


def label_of(node: ast.expr) -> str:
    """A label for *node* in messages, in the author's terms."""
    path: list[str] = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        return "“" + ".".join([node.id, *reversed(path)]) + "”"
    return f"The value before “.{path[-1]}”" if path else "The value"


def binder(target: ast.expr) -> tuple[Bind, frozenset[str]]:
    """Return a function that assigns the variables of a loop or unpacking, and their names."""
    if isinstance(target, ast.Name):
        name = checked_name(target.id, target)

        def bind_one(variables: dict[str, Any], value: Any) -> None:
            variables[name] = json_value(value, f"“{name}”")

        return bind_one, frozenset({name})
    if not isinstance(target, (ast.Tuple, ast.List)):
        raise ExpressionError("A loop or unpacking fills plain names.", line=line_of(target))
    names = [checked_name(part.id, part) for part in target.elts if isinstance(part, ast.Name)]
    if len(names) != len(target.elts):
        raise ExpressionError("A loop or unpacking fills plain names.", line=line_of(target))

    def bind_many(variables: dict[str, Any], value: Any) -> None:
        if type(value) is not list or len(value) != len(names):
            raise ExpressionError(f"This needs a list of exactly {len(names)} elements to unpack.")
        for name, part in zip(names, value, strict=True):
            variables[name] = json_value(part, f"“{name}”")

    return bind_many, frozenset(names)
