"""Case analysis of gateway conditions that compare one value with constants. Evaluates nothing."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from usher_engine.core.canonical import Json
from usher_engine.core.errors import ExpressionError

from .constant_comparison import checked_constant
from .syntax import parse_expression


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Holds if *path* (like ``order.state``) is one of *values*; with *otherwise*, if it is none of them."""

    path: str
    values: tuple[Json, ...]
    otherwise: bool = False


def case_of(source: str) -> Case | None:
    """
    Return the case of the condition *source*; None unless it compares exactly one value with constants.

    Supports ``x == "a"``, ``x != "a"``, ``x in ["a", "b"]``, ``x not in […]``, ``x``, ``not x``, and ``or`` between
    cases of the same value. A bare ``x`` means true.
    """
    try:
        return _case(parse_expression(source))
    except ExpressionError:
        return None


def _case(node: ast.expr) -> Case | None:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return _or_case([_case(part) for part in node.values])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _case(node.operand)
        return inner and Case(path=inner.path, values=inner.values, otherwise=not inner.otherwise)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _comparison_case(node.left, node.ops[0], node.comparators[0])
    path = _path(node)
    return Case(path=path, values=(True,)) if path else None


def _or_case(cases: list[Case | None]) -> Case | None:
    first = cases[0]
    if first is None or any(c is None or c.path != first.path or c.otherwise for c in cases):
        return None
    return Case(path=first.path, values=tuple(value for case in cases if case for value in case.values))


def _comparison_case(left: ast.expr, sign: ast.cmpop, right: ast.expr) -> Case | None:
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
