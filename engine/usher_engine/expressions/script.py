"""Scripts in diagrams: assignments, conditions and bounded loops over a copy of the data."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias

from usher_engine.core.bounded_cache import cached_by_size
from usher_engine.core.canonical import Json
from usher_engine.core.errors import ExpressionError
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar

from .budget import SCRIPT_FUEL, STRICT, Run, check_size, checked_copy, checked_key, kind_of
from .compiler import Compiler, binder, label_of
from .functions import elements
from .methods import ALL
from .nodes import NODES
from .operators import checked_index
from .syntax import checked_name, elif_of, line_of, not_in_language, parse_script, weight


class Jump(Enum):
    """How a statement leaves its loop early."""

    #: Continue after the loop.
    BREAK = "break"
    #: Continue with the next element.
    CONTINUE = "continue"


Step: TypeAlias = Callable[[Run], Jump | None]
Store: TypeAlias = Callable[[Run, Any], None]

_MISSING = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """A compiled script; create it with `compile_script`. ``names`` are the top-level names it requires."""

    source: str
    names: frozenset[str]
    step: Step = field(repr=False, compare=False)

    def run(
        self, data: Mapping[str, Json], now: datetime, rules: int = STRICT, calendar: Calendar = UTC_CALENDAR
    ) -> dict[str, Json]:
        """
        Run the script under the *rules* of the step; return the new data. *data* is unchanged and shares nothing.

        Raises:
            ExpressionError: With the line of the statement that failed.
        """
        run = Run(checked_copy(dict(data), storable=False), now, SCRIPT_FUEL, rules, calendar)
        try:
            self.step(run)
        except RecursionError:
            raise ExpressionError("The script is nested too deeply to be run here.", line=run.line) from None
        except ExpressionError as error:
            raise ExpressionError(error.message, line=run.line) from None
        changed: dict[str, Json] = checked_copy(run.data, storable=run.strict)
        return changed


@cached_by_size(megabytes=16, per_character=300)
def compile_script(source: str) -> Script:
    """
    Compile *source*; the result is cached by text.

    Raises:
        ExpressionError: *source* is not valid or uses something outside the language; carries the line.
    """
    compiler = _ScriptCompiler()
    step = compiler.block(parse_script(source))
    return Script(source=source, names=frozenset(compiler.names), step=step)


class _ScriptCompiler(Compiler):
    """Adds statements; ``depth`` counts the enclosing blocks, ``loops`` the enclosing loops."""

    def __init__(self) -> None:
        super().__init__(NODES, ALL)
        self.depth = 0
        self.loops = 0

    def block(self, statements: list[ast.stmt]) -> Step:
        steps = [(line_of(statement), self.statement(statement)) for statement in statements]

        def run_block(run: Run) -> Jump | None:
            for line, step in steps:
                run.line = line
                jump = step(run)
                if jump is not None:
                    return jump
            return None

        return run_block

    def inner(self, statements: list[ast.stmt]) -> Step:
        """Compile a block that may be skipped: its assignments are not certain afterwards."""
        self.depth += 1
        step = self.block(statements)
        self.depth -= 1
        return step

    def statement(self, node: ast.stmt) -> Step:
        compile_node = _STATEMENTS.get(type(node))
        if compile_node is None:
            raise not_in_language(node)
        return compile_node(self, node)

    def store(self, target: ast.expr) -> Store:
        """Return a function that assigns to *target*: a name, a field, a position, or names to unpack into."""
        if isinstance(target, ast.Name | ast.Tuple | ast.List):
            bind, names = binder(target)
            if self.depth == 0:
                self.assigned |= names
            return lambda run, value: bind(run.variables, value)
        owner, key, label = self.place(target)
        return lambda run, value: _put(owner(run), key(run), value, label)

    def place(self, target: ast.expr) -> tuple[Callable[[Run], Any], Callable[[Run], Any], str]:
        """Return code for the owner and the key of a field or position to set or delete, and the owner's label."""
        if isinstance(target, ast.Attribute):
            name = checked_name(target.attr, target)
            return self.code(target.value), (lambda _run: name), label_of(target.value)
        if not isinstance(target, ast.Subscript) or isinstance(target.slice, ast.Slice):
            raise ExpressionError("Only a name, a field or a position can be set or deleted.", line=line_of(target))
        return self.code(target.value), self.code(target.slice), label_of(target.value)


def _put(owner: Any, key: Any, value: Any, label: str) -> None:
    if type(owner) is dict:
        owner[checked_key(key)] = value
        check_size(len(owner))
    elif type(owner) is list:
        owner[checked_index(owner, key, label)] = value
    else:
        raise ExpressionError(f"{label} is {kind_of(owner)}; only in a record or a list can something be set.")


def _assign(compiler: _ScriptCompiler, node: ast.Assign) -> Step:
    value = compiler.code(node.value)
    stores = [compiler.store(target) for target in node.targets]

    def step(run: Run) -> None:
        result = value(run)
        for store in stores:
            store(run, result)

    return step


def _change(compiler: _ScriptCompiler, node: ast.AugAssign) -> Step:
    if any(isinstance(part, ast.Call) for part in ast.walk(node.target)):
        raise ExpressionError("The left side of “+=” cannot hold a call.", line=line_of(node))
    changed = ast.BinOp(node.target, node.op, node.value)
    return _assign(compiler, ast.copy_location(ast.Assign([node.target], ast.copy_location(changed, node)), node))


def _expression(compiler: _ScriptCompiler, node: ast.Expr) -> Step:
    code = compiler.code(node.value)

    def step(run: Run) -> None:
        code(run)

    return step


def _if(compiler: _ScriptCompiler, node: ast.If) -> Step:
    """Compile an `if` and its nested `elif` nodes as one list of cases."""
    cases = [(compiler.code(node.test), compiler.inner(node.body))]
    while (following := elif_of(node)) is not None:
        node = following
        cases.append((compiler.code(node.test), compiler.inner(node.body)))
    otherwise = compiler.inner(node.orelse)

    def step(run: Run) -> Jump | None:
        for test, body in cases:
            if test(run):
                return body(run)
        return otherwise(run)

    return step


def _for(compiler: _ScriptCompiler, node: ast.For) -> Step:
    """Compile a loop over a copy of the list; its variables are local and never become case data."""
    if node.orelse:
        raise ExpressionError("“else” after a loop is not part of the language.", line=line_of(node))
    source = compiler.code(node.iter)
    bind, names = binder(node.target)
    known = compiler.assigned
    compiler.assigned = known | names
    compiler.loops += 1
    body = compiler.inner(node.body)
    compiler.loops -= 1
    compiler.assigned = known
    cost = 1 + weight(*node.body)

    def step(run: Run) -> None:
        before = {name: run.data.get(name, _MISSING) for name in names}
        for element in elements(run, source(run), "“for”"):
            run.spend(cost)
            bind(run.variables, element)
            if body(run) is Jump.BREAK:
                break
        _restore(run, before)

    return step


def _restore(run: Run, before: Mapping[str, Any]) -> None:
    for name, value in before.items():
        if value is _MISSING:
            run.variables.pop(name, None)
        else:
            run.variables[name] = value


def _delete(compiler: _ScriptCompiler, node: ast.Delete) -> Step:
    removals = [_removal(compiler, target) for target in node.targets]

    def step(run: Run) -> None:
        for remove in removals:
            remove(run)

    return step


def _removal(compiler: _ScriptCompiler, target: ast.expr) -> Callable[[Run], None]:
    if isinstance(target, ast.Name):
        compiler.code(target)
        compiler.assigned.discard(target.id)
        name = target.id
        return lambda run: _drop(run.variables, name, "The case's data")
    owner, key, label = compiler.place(target)
    return lambda run: _drop(owner(run), key(run), label)


def _drop(owner: Any, key: Any, label: str) -> None:
    if type(owner) is dict:
        if type(key) is not str or key not in owner:
            raise ExpressionError(f"{label} has no such field to delete; ask with “in” first.")
        del owner[key]
    elif type(owner) is list:
        del owner[checked_index(owner, key, label)]
    else:
        raise ExpressionError(f"{label} is {kind_of(owner)}; only from a record or a list can something be deleted.")


def _pass(_compiler: _ScriptCompiler, _node: ast.Pass) -> Step:
    return lambda _run: None


def _jump(compiler: _ScriptCompiler, node: ast.Break | ast.Continue) -> Step:
    if not compiler.loops:
        raise ExpressionError("“break” and “continue” belong into a loop.", line=line_of(node))
    jump = Jump.BREAK if isinstance(node, ast.Break) else Jump.CONTINUE
    return lambda _run: jump


_STATEMENTS: dict[type[ast.stmt], Callable[[_ScriptCompiler, Any], Step]] = {
    ast.Assign: _assign,
    ast.AugAssign: _change,
    ast.Break: _jump,
    ast.Continue: _jump,
    ast.Delete: _delete,
    ast.Expr: _expression,
    ast.For: _for,
    ast.If: _if,
    ast.Pass: _pass,
}
