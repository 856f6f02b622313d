"""The value of an expression that does not depend on case data."""

from __future__ import annotations

import ast
from datetime import UTC, datetime

from usher_engine.expressions import compile_expression

#: Stands for a value that depends on case data.
UNKNOWN = object()
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def known_value(source: str) -> object:
    """Return the value of *source*, or `UNKNOWN`; raise `ExpressionError` if it has none whatever the data."""
    expression = compile_expression(source)
    if expression.names or _reads_data(ast.parse(source.strip(), mode="eval")):
        return UNKNOWN
    return expression.evaluate({}, _NOW)


def _reads_data(tree: ast.AST) -> bool:
    return any(isinstance(part, ast.Name) and part.id == "get" for part in ast.walk(tree))
