"""What an expression gives in every case, where that can be known without the data of one."""

from __future__ import annotations

import ast
from datetime import UTC, datetime

from usher_engine.expressions import compile_expression

#: In the place of a value that depends on the data.
UNKNOWN = object()
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def known_value(source: str) -> object:
    """The value of *source*, or `UNKNOWN`; raises `ExpressionError` where it has none in any case."""
    expression = compile_expression(source)
    if expression.names or _asks_data(ast.parse(source.strip(), mode="eval")):
        return UNKNOWN
    return expression.evaluate({}, _NOW)


def _asks_data(tree: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "get" for part in ast.walk(tree))
