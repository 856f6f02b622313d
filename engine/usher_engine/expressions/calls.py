"""Calls and comprehensions: functions by name, methods by the type of their owner, one loop inside an expression."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any

from usher_engine.core.errors import ExpressionError

from .budget import Code, Run, checked_key, kind_of
from .compiler import Compiler, binder, label_of
from .functions import FUNCTIONS, LAZY, Function, Lazy, elements
from .methods import ALL, LOOKING
from .syntax import checked_name, line_of, weight


def call(compiler: Compiler, node: ast.Call) -> Code:
    if node.keywords:
        raise ExpressionError("Values in a call are given by position, without “name=”.", line=line_of(node))
    if isinstance(node.func, ast.Attribute):
        return _method_call(compiler, node, node.func)
    if not isinstance(node.func, ast.Name):
        raise ExpressionError("Only a function or method can be called, by its name.", line=line_of(node))
    name = checked_name(node.func.id, node)
    function = FUNCTIONS.get(name)
    if function is None:
        known = ", ".join(FUNCTIONS)
        raise ExpressionError(f"There is no function “{name}”. There are: {known}.", line=line_of(node))
    _check_count(name, [function], node)
    return _function_call(function.call, _arguments(compiler, name, node))


def _function_call(call: Callable[..., Any], arguments: tuple[Code, ...]) -> Code:
    if len(arguments) == 1:
        only = arguments[0]
        return lambda run: call(run, only(run))
    return lambda run: call(run, *[argument(run) for argument in arguments])


def _arguments(compiler: Compiler, name: str, node: ast.Call) -> tuple[Code, ...]:
    if len(node.args) != 1 or not isinstance(node.args[0], ast.GeneratorExp):
        return compiler.codes(node.args)
    loop = node.args[0]
    rounds = _comprehension(compiler, loop, loop.elt)
    if name in LAZY:
        return (lambda run: Lazy(rounds(run)),)
    return (lambda run: list(rounds(run)),)


def _method_call(compiler: Compiler, node: ast.Call, target: ast.Attribute) -> Code:
    name = checked_name(target.attr, node)
    table = {kind: known[name] for kind, known in compiler.methods.items() if name in known}
    if not table:
        raise ExpressionError(_no_method(name), line=line_of(node))
    _check_count(f".{name}", list(table.values()), node)
    label = label_of(target.value)
    owner = compiler.code(target.value)
    arguments = _arguments(compiler, name, node)

    def called(run: Run) -> Any:
        value = owner(run)
        method = table.get(type(value))
        if method is None:
            raise ExpressionError(f"{label} is {kind_of(value)}, which has no method .{name}(…).")
        if not method.least <= len(arguments) <= method.most:
            raise ExpressionError(f".{name}(…) of {kind_of(value)} takes another number of values.")
        return method.call(run, value, *[argument(run) for argument in arguments])

    return called


def _no_method(name: str) -> str:
    if any(name in known for known in ALL.values()):
        return f".{name}(…) changes its owner, which only a script may do."
    known = sorted({method for methods_of_kind in LOOKING.values() for method in methods_of_kind})
    return f"There is no method .{name}(…). There are: {', '.join(known)}."


def _check_count(name: str, functions: list[Function], node: ast.Call) -> None:
    least, most = min(f.least for f in functions), max(f.most for f in functions)
    if not least <= len(node.args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ExpressionError(f"{name}(…) takes {wanted} value(s), not {len(node.args)}.", line=line_of(node))


def list_comprehension(compiler: Compiler, node: ast.ListComp) -> Code:
    rounds = _comprehension(compiler, node, node.elt)
    return lambda run: list(rounds(run))


def record_comprehension(compiler: Compiler, node: ast.DictComp) -> Code:
    pair = ast.List([node.key, node.value], ast.Load())
    rounds = _comprehension(compiler, node, ast.copy_location(pair, node))
    return lambda run: {checked_key(key): value for key, value in rounds(run)}


def _comprehension(
    compiler: Compiler, node: ast.ListComp | ast.DictComp | ast.GeneratorExp, result: ast.expr
) -> Callable[[Run], Iterator[Any]]:
    """Compile the rounds of a comprehension; each round costs as much fuel as its body has nodes."""
    if compiler.in_comprehension or len(node.generators) != 1:
        raise ExpressionError("A comprehension has one “for” and no other inside.", line=line_of(node))
    loop = node.generators[0]
    if loop.is_async:
        raise ExpressionError("“async” is not part of the expression language.", line=line_of(node))
    outside = compiler.bound
    compiler.in_comprehension = True
    source = compiler.code(loop.iter)
    bind, names = binder(loop.target)
    compiler.bound = outside | names
    tests, value = compiler.codes(loop.ifs), compiler.code(result)
    compiler.bound, compiler.in_comprehension = outside, False
    cost = 1 + weight(result, *loop.ifs)

    def rounds(run: Run) -> Iterator[Any]:
        for element in elements(run, source(run), "“for”"):
            run.spend(cost)
            bind(run.local, element)
            if all(test(run) for test in tests):
                yield value(run)

    return rounds
