"""Fast path for the most common clause of conditions: a value compared with a constant, without an extra call.

The semantics are those of `operators.py`. A constant is short, so the comparison costs no fuel.
"""

from __future__ import annotations

import ast
from typing import Any

from usher_engine.core.errors import ExpressionError

from .budget import Code, Run, check_size, checked_number, checked_text
from .comparison import NUMERIC, moment
from .compiler import Compiler
from .operators import COMPARE, Operation
from .syntax import line_of


def checked_constant(node: ast.Constant) -> Any:
    """Return the value of *node* if the language supports it and a database can store it."""
    value = node.value
    if type(value) is int or type(value) is float:
        return checked_number(value)
    if value is None or type(value) is bool:
        return value
    if type(value) is not str:
        raise ExpressionError("This kind of constant is not part of the expression language.", line=line_of(node))
    check_size(len(value))
    try:
        return checked_text(value)
    except ExpressionError as error:
        raise ExpressionError(error.message, line=line_of(node)) from None


def against_constant(compiler: Compiler, node: ast.Compare) -> Code | None:
    """Compile ``left sign constant``; None if *node* is another comparison."""
    sign, right = type(node.ops[0]), node.comparators[0]
    if not isinstance(right, ast.Constant) or sign not in COMPARE:
        return None
    value = checked_constant(right)
    if sign is ast.Eq and _is_plain(value):
        left = compiler.code(node.left)
        return lambda run: left(run) == value
    if sign is ast.NotEq and _is_plain(value):
        left = compiler.code(node.left)
        return lambda run: left(run) != value
    if type(value) in NUMERIC and sign in (ast.Lt, ast.LtE, ast.Gt, ast.GtE):
        return _order_comparison(compiler.code(node.left), sign, value, COMPARE[sign])
    return None


def _is_plain(value: Any) -> bool:
    """Whether *value* equals only itself: under earlier rules true equals 1, and a moment has several notations."""
    return value is None or (type(value) is str and moment(value) is None)


def _order_comparison(left: Code, sign: type[ast.cmpop], value: Any, general: Operation) -> Code:
    """Compile ``left < value`` and the like; if *left* is not a number, the general operation raises the error."""

    def less(run: Run) -> Any:
        found = left(run)
        return found < value if type(found) in NUMERIC else general(run, found, value)

    def less_or_equal(run: Run) -> Any:
        found = left(run)
        return found <= value if type(found) in NUMERIC else general(run, found, value)

    def greater(run: Run) -> Any:
        found = left(run)
        return found > value if type(found) in NUMERIC else general(run, found, value)

    def greater_or_equal(run: Run) -> Any:
        found = left(run)
        return found >= value if type(found) in NUMERIC else general(run, found, value)

    return {ast.Lt: less, ast.LtE: less_or_equal, ast.Gt: greater, ast.GtE: greater_or_equal}[sign]
