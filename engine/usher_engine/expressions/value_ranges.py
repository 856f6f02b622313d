"""What a condition says of one value, where it says nothing else: the cases a gateway tells apart. Nothing is run."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from usher_engine.core.canonical import Json
from usher_engine.core.errors import ExpressionError

from .constant_comparison import checked_constant
from .syntax import parsed_expression


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """*path* (like ``order.state``) is one of *values*; with *otherwise* it is any but these."""

    path: str
    values: tuple[Json, ...]
    otherwise: bool = False


def case_of(source: str) -> Case | None:
    """
    The case *source* stands for; None when it is anything but one value compared with constants.

    Read are ``x == "a"``, ``x != "a"``, ``x in ["a", "b"]``, ``x not in […]``, ``x``, ``not x``, and ``or`` between
    cases of the same value. A bare ``x`` is the case true.
    """
    try:
        return _case(parsed_expression(source))
    except ExpressionError:
        return None


def _case(node: ast.expr) -> Case | None:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return _either([_case(part) for part in node.values])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _case(node.operand)
        return inner and Case(path=inner.path, values=inner.values, otherwise=not inner.otherwise)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _compared(node.left, node.ops[0], node.comparators[0])
    path = _path(node)
    return Case(path=path, values=(True,)) if path else None


def _either(cases: list[Case | None]) -> Case | None:
    first = cases[0]
    if first is None or any(c is None or c.path != first.path or c.otherwise for c in cases):
        return None
    return Case(path=first.path, values=tuple(value for case in cases if case for value in case.values))


def _compared(left: ast.expr, sign: ast.cmpop, right: ast.expr) -> Case | None:
    path = _path(left)
    if not path:
        return None
    if isinstance(sign, ast.Eq | ast.NotEq | ast.Is | ast.IsNot) and isinstance(right, ast.Constant):
        value: Json = checked_constant(right)
        return Case(path=path, values=(value,), otherwise=isinstance(sign, ast.NotEq | ast.IsNot))
    if isinstance(sign, ast.In | ast.NotIn) and isinstance(right, ast.List | ast.Tuple):
        constants: list[Json] = [checked_constant(part) for part in right.elts if isinstance(part, ast.Constant)]
        if len(constants) == len(right.elts):
            return Case(path=path, values=tuple(constants), otherwise=isinstance(sign, ast.NotIn))
    return None


def _path(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
