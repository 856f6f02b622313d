"""What a condition tells about the data where it holds, and where it does not."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import reduce
from typing import TypeGuard

from usher_engine.core.canonical import Json
from usher_engine.core.shape_algebra import Standing, find_field, none_of, one_of, with_field, without_null
from usher_engine.core.shapes import Shape, kinds

from .comparison import moment
from .known_data import Known, KnownData, either, name_asked_for, names_in, path_of


def narrowed(test: ast.expr, data: KnownData, *, holds: bool) -> KnownData:
    """*data* on the way on which the condition *test* holds or, without *holds*, does not."""
    return _told(test, data, holds=holds).asked(names_in(test))


def _told(test: ast.expr, data: KnownData, *, holds: bool) -> KnownData:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _told(operand, data, holds=not holds)
        case ast.BoolOp(op=op, values=values):
            if isinstance(op, ast.And) == holds:
                return reduce(lambda known, part: _told(part, known, holds=holds), values, data)
            return _one_of_several(values, data, holds=holds)
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _compared(left, sign, right, data, holds=holds)
        case ast.Call():
            name = _name_without_default(test)
            return _present(data, name) if holds and name else data
        case _:
            path = path_of(test)
            return data.refined(path, without_null) if holds and path else data


def _one_of_several(values: Sequence[ast.expr], data: KnownData, *, holds: bool) -> KnownData:
    """One of *values* decided, the first to hold (or not) after the others did not (or did)."""
    found, before = [], data
    for part in values:
        found.append(_told(part, before, holds=holds))
        before = _told(part, before, holds=not holds)
    return reduce(either, found)


def _present(data: KnownData, name: str) -> KnownData:
    """*data* in which *name* was found, with a value that is not null."""
    known = data.names.get(name)
    if known is None:
        return data if data.closed else data.knowing({name: Known(first=True)})
    there = Known(without_null(known.set_shape), certain=True, first=known.first, tested=True)
    return data.knowing({name: there})


def _compared(left: ast.expr, sign: ast.cmpop, right: ast.expr, data: KnownData, *, holds: bool) -> KnownData:
    if isinstance(sign, ast.In | ast.NotIn) and isinstance(left, ast.Constant):
        return _with_key(left.value, right, data) if isinstance(sign, ast.In) == holds else data
    path = path_of(left)
    values = _constants(sign, right)
    if values is None:
        return data
    equal = isinstance(sign, ast.Eq | ast.Is | ast.In) == holds
    if path:
        change = (lambda shape: one_of(shape, values)) if equal else (lambda shape: none_of(shape, values))
        return data.refined(path, change)
    name = _name_without_default(left)
    is_there = name and (None not in values if equal else None in values)
    return _present(data, name) if is_there else data


def _name_without_default(node: ast.expr) -> str:
    """The name that ``get("…")`` asks for, if the answer is null where it is missing; else empty."""
    return name_asked_for(node) if isinstance(node, ast.Call) and len(node.args) == 1 else ""


def _constants(sign: ast.cmpop, right: ast.expr) -> list[Json] | None:
    """The constants that a comparison names; None if it names others, or such as several values equal."""
    parts: list[ast.expr] = []
    if isinstance(sign, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
        parts = [right]
    elif isinstance(sign, ast.In | ast.NotIn) and isinstance(right, ast.List | ast.Tuple):
        parts = right.elts
    values: list[Json] = []
    for part in parts:
        if not isinstance(part, ast.Constant) or not _equals_only_itself(part.value):
            return None
        values.append(part.value)
    return values or None


def _equals_only_itself(value: object) -> TypeGuard[Json]:
    return value is None or isinstance(value, bool) or (isinstance(value, str) and moment(value) is None)


def _with_key(key: object, record: ast.expr, data: KnownData) -> KnownData:
    """*data* in which *record* was found to have the field *key*."""
    path = path_of(record)
    if not path or not isinstance(key, str):
        return data

    def there(shape: Shape) -> Shape:
        found = find_field(shape, key)
        known = kinds(shape) == ("object",) and found.standing is Standing.PERHAPS
        return with_field(shape, key, found.shape) if known else shape

    return data.refined(path, there)
