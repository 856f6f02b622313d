"""Compiles names, fields, operators, lists, records and f-texts: each node of the syntax tree becomes one closure."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from usher_engine.core.errors import ExpressionError

from .budget import Code, Run, check_size, checked_key, kind_of, not_json
from .calls import call, list_comprehension, record_comprehension
from .compiler import Compiler, Nodes, label_of
from .constant_comparison import against_constant, checked_constant
from .functions import FUNCTIONS, text_of
from .operators import BINARY, COMPARE, JSON, item, negative, positive, slice_of
from .syntax import checked_name, line_of, not_in_language


def _constant(_compiler: Compiler, node: ast.Constant) -> Code:
    value = checked_constant(node)
    return lambda _run: value


def _name(compiler: Compiler, node: ast.Name) -> Code:
    name = checked_name(node.id, node)
    if name in compiler.bound:
        return lambda run: run.local[name]
    if name not in compiler.assigned:
        compiler.names.add(name)

    def read(run: Run) -> Any:
        try:
            value = run.data[name]
        except KeyError:
            raise _unknown(name) from None
        if type(value) in JSON:
            return value
        raise not_json(f"“{name}”")

    return read


def _unknown(name: str) -> ExpressionError:
    if name in FUNCTIONS:
        return ExpressionError(f"“{name}” is a function; call it: {name}(…).")
    return ExpressionError(f'The case has no “{name}”; if it may be missing, write get("{name}").')


def _attribute(compiler: Compiler, node: ast.Attribute) -> Code:
    key = checked_name(node.attr, node)
    label = label_of(node.value)
    owner = compiler.code(node.value)

    def field(run: Run) -> Any:
        record = owner(run)
        if type(record) is not dict:
            raise ExpressionError(f"{label} is {kind_of(record)}, not a record, so it has no field “{key}”.")
        try:
            value = record[key]
        except KeyError:
            raise ExpressionError(f"{label} has no field “{key}”; use .get(…) if it may be missing.") from None
        if type(value) in JSON:
            return value
        raise not_json(f"“{key}” of {label}")

    return field


def _subscript(compiler: Compiler, node: ast.Subscript) -> Code:
    label = label_of(node.value)
    owner = compiler.code(node.value)
    if isinstance(node.slice, ast.Slice):
        bounds = [compiler.code(b or ast.Constant(None)) for b in (node.slice.lower, node.slice.upper, node.slice.step)]
        lower, upper, step = bounds
        return lambda run: slice_of(run, owner(run), (lower(run), upper(run), step(run)), label)
    key = compiler.code(node.slice)
    return lambda run: item(owner(run), key(run), label)


def _boolean(compiler: Compiler, node: ast.BoolOp) -> Code:
    *first, last = compiler.codes(node.values)
    parts = tuple(first)

    def both(run: Run) -> Any:
        for part in parts:
            value = part(run)
            if not value:
                return value
        return last(run)

    def either(run: Run) -> Any:
        for part in parts:
            value = part(run)
            if value:
                return value
        return last(run)

    return both if isinstance(node.op, ast.And) else either


def _unary(compiler: Compiler, node: ast.UnaryOp) -> Code:
    operand = compiler.code(node.operand)
    if isinstance(node.op, ast.Not):
        return lambda run: not operand(run)
    if isinstance(node.op, ast.USub):
        return lambda run: negative(operand(run))
    if isinstance(node.op, ast.UAdd):
        return lambda run: positive(operand(run))
    raise not_in_language(node.op, node)


def _binary(compiler: Compiler, node: ast.BinOp) -> Code:
    operation = BINARY.get(type(node.op))
    if operation is None:
        raise not_in_language(node.op, node)
    left, right = compiler.code(node.left), compiler.code(node.right)
    return lambda run: operation(run, left(run), right(run))


def _compare(compiler: Compiler, node: ast.Compare) -> Code:
    if len(node.ops) == 1 and (quick := against_constant(compiler, node)) is not None:
        return quick
    left = compiler.code(node.left)
    links = [_link(compiler, op, right) for op, right in zip(node.ops, node.comparators, strict=True)]
    if len(links) == 1:
        operation, right = links[0]
        return lambda run: operation(run, left(run), right(run))

    def chain(run: Run) -> bool:
        value = left(run)
        for operation, right in links:
            following = right(run)
            if not operation(run, value, following):
                return False
            value = following
        return True

    return chain


def _link(compiler: Compiler, op: ast.cmpop, right: ast.expr) -> tuple[Callable[[Run, Any, Any], Any], Code]:
    operation = COMPARE.get(type(op))
    if operation is not None:
        return operation, compiler.code(right)
    if not isinstance(right, ast.Constant) or (right.value is not None and type(right.value) is not bool):
        raise ExpressionError("“is” compares with None, True or False only; use “==”.", line=line_of(right))
    wanted = right.value
    if isinstance(op, ast.IsNot):
        return (lambda _run, value, _: value is not wanted), compiler.code(right)
    return (lambda _run, value, _: value is wanted), compiler.code(right)


def _choice(compiler: Compiler, node: ast.IfExp) -> Code:
    test, then, otherwise = compiler.code(node.test), compiler.code(node.body), compiler.code(node.orelse)
    return lambda run: then(run) if test(run) else otherwise(run)


def _list(compiler: Compiler, node: ast.List | ast.Tuple) -> Code:
    parts = compiler.codes(node.elts)
    return lambda run: [part(run) for part in parts]


def _record(compiler: Compiler, node: ast.Dict) -> Code:
    fields = []
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            raise ExpressionError("“**” is not part of the expression language.", line=line_of(node))
        fields.append((compiler.code(key), compiler.code(value)))
    return lambda run: {checked_key(key(run)): value(run) for key, value in fields}


def _text(compiler: Compiler, node: ast.JoinedStr) -> Code:
    parts = compiler.codes(node.values)

    def text(run: Run) -> str:
        pieces = [text_of(part(run)) for part in parts]
        size = sum(map(len, pieces))
        check_size(size)
        run.spend(size // 64)
        return "".join(pieces)

    return text


def _placeholder(compiler: Compiler, node: ast.FormattedValue) -> Code:
    if node.conversion != -1 or node.format_spec is not None:
        raise ExpressionError("A value in an f-text cannot be formatted with “!” or “:”.", line=line_of(node))
    return compiler.code(node.value)


#: The allow-list: a node that is not listed is not in the language.
NODES: Nodes = {
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Call: call,
    ast.Compare: _compare,
    ast.Constant: _constant,
    ast.Dict: _record,
    ast.DictComp: record_comprehension,
    ast.FormattedValue: _placeholder,
    ast.IfExp: _choice,
    ast.JoinedStr: _text,
    ast.List: _list,
    ast.ListComp: list_comprehension,
    ast.Name: _name,
    ast.Subscript: _subscript,
    ast.Tuple: _list,
    ast.UnaryOp: _unary,
}
