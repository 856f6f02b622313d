"""Small faults put into a module's syntax tree, one at a time: each is a mutant that some unit test should notice.

Left alone: annotations, decorators, docstrings, imports, `__all__`, and what `assert_never` marks as unreachable (the
type checker proves that).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

#: What a comparison may be mistaken for: its opposite, and for an order also the limit itself.
COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip

CALCULATED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip

#: Parts of a node that say nothing about what the program does when it runs.
SILENT = frozenset({"annotation", "returns", "decorator_list", "format_spec", "type_comment", "pattern"})

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
REMOVABLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Raise, ast.Delete, ast.Assert, ast.Continue)
CONDITIONED = (ast.If, ast.IfExp, ast.While)

WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class Key:
    """Which mutant it is, in words that hold when lines are added elsewhere in the file."""

    module: str
    function: str
    line: str
    change: str


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """*new* takes the place of a node: of field *name* of *parent*, at *index* where that is a list."""

    key: Key
    number: int
    parent: ast.AST
    name: str
    index: int | None
    new: Any

    def apply(self) -> None:
        """Change the tree the mutant was found in; there is no way back."""
        if self.index is None:
            setattr(self.parent, self.name, self.new)
        else:
            getattr(self.parent, self.name)[self.index] = self.new


@dataclass(frozen=True)
class _Site:
    node: ast.AST
    parent: ast.AST
    name: str
    index: int | None
    function: str
    inside: bool


def mutants(module: str, source: str, tree: ast.Module) -> list[Mutant]:
    """Every mutant of *tree*, which was parsed from *source*, in the order of the file."""
    lines = source.splitlines()
    seen: Counter[Key] = Counter()
    found = []
    for site in _sites(tree, "", inside=False):
        for change, new in _changes(site):
            number = _first_line(site.node)
            key = Key(module=module, function=site.function, line=lines[number - 1].strip(), change=change)
            seen[key] += 1
            if seen[key] > 1:
                key = Key(module=module, function=key.function, line=key.line, change=f"{change} ({seen[key]})")
            found.append(
                Mutant(key=key, number=number, parent=site.parent, name=site.name, index=site.index, new=new)
            )
    return found


def _first_line(node: ast.AST) -> int:  # a `case` has none of its own
    return next(part.lineno for part in ast.walk(node) if hasattr(part, "lineno"))


def _sites(node: ast.AST, function: str, *, inside: bool) -> Iterator[_Site]:
    for name, value in ast.iter_fields(node):
        if name in SILENT:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(child, ast.AST) or _is_left_alone(child) or _is_text_of(node, child):
                continue
            yield _Site(child, node, name, index, function, inside)
            named = getattr(child, "name", "") if isinstance(child, (ast.ClassDef, *FUNCTIONS)) else ""
            here = f"{function}.{named}".strip(".") if named else function
            yield from _sites(child, here, inside=inside or isinstance(child, FUNCTIONS))


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.match_case(body=[ast.Expr(value=ast.Call(func=ast.Name(id="assert_never")))]):
            return True
    return False


def _is_text_of(parent: ast.AST, child: ast.AST) -> bool:
    """Whether *child* is a piece of the f-string *parent*: the text is changed as a whole."""
    return isinstance(parent, ast.JoinedStr) and isinstance(child, ast.Constant)


def _changes(site: _Site) -> Iterator[tuple[str, Any]]:
    node = site.node
    if isinstance(node, ast.expr):
        for new in (*_of_conditions(site), *_of_expressions(node)):
            yield f"{_text(node)} → {_text(new)}", new
    elif isinstance(node, ast.stmt):
        yield from _of_statements(node, inside=site.inside)
    elif isinstance(node, ast.match_case):
        never = copy(node)
        never.guard = ast.Constant(False)
        yield "the case never matches", never
    elif isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Tuple):
        for without, kind in enumerate(node.type.elts):
            fewer = copy(node)
            fewer.type = ast.Tuple([one for place, one in enumerate(node.type.elts) if place != without], ast.Load())
            yield f"{_text(kind)} is not caught", fewer


def _of_conditions(site: _Site) -> Iterator[ast.expr]:
    if site.name == "test" and isinstance(site.parent, CONDITIONED):
        yield ast.Constant(False)
    if (site.name == "test" and isinstance(site.parent, (ast.If, ast.IfExp))) or site.name in {"ifs", "guard"}:
        yield ast.Constant(True)
    if site.name == "iter" and isinstance(site.parent, ast.For):
        yield ast.Tuple([], ast.Load())


def _of_expressions(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, operators, others):
            for place, operator in enumerate(operators):
                for other in COMPARED[type(operator)]:
                    yield ast.Compare(left, [*operators[:place], other(), *operators[place + 1 :]], others)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            for without in range(len(values)):
                rest = [value for place, value in enumerate(values) if place != without]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest)
        case ast.UnaryOp(ast.Not() | ast.USub() | ast.Invert(), operand):
            yield operand
        case ast.BinOp(left, operator, right) if type(operator) in CALCULATED:
            yield ast.BinOp(left, CALCULATED[type(operator)](), right)
        case ast.Constant(value):
            yield from map(ast.Constant, _other_values(value))
        case ast.JoinedStr():
            yield ast.Constant("")


def _other_values(value: object) -> list[Any]:
    match value:
        case bool():
            return [not value]
        case int() | float():
            return [value + 1, value - 1]
        case str() | bytes():
            return [type(value)()] if value else ["mutant"]
    return []


def _of_statements(node: ast.stmt, *, inside: bool) -> Iterator[tuple[str, ast.stmt]]:
    match node:
        case ast.Return(value) if value is not None and not _is_plain(value):
            yield f"{_text(node)} → return None", ast.Return(ast.Constant(None))
        case ast.AugAssign(target, operator, value) if type(operator) in CALCULATED:
            new = ast.AugAssign(target, CALCULATED[type(operator)](), value)
            yield f"{_text(node)} → {_text(new)}", new
        case ast.Break():
            yield "break → continue", ast.Continue()
        case ast.Continue():
            yield "continue → break", ast.Break()
    if inside and isinstance(node, REMOVABLE) and not (isinstance(node, ast.AnnAssign) and node.value is None):
        yield f"without {_text(node)}", ast.Pass()


def _is_plain(value: ast.expr) -> bool:
    """Whether it is None already, or a truth value, which has its opposite as a mutant."""
    return isinstance(value, ast.Constant) and (value.value is None or isinstance(value.value, bool))


def _text(node: ast.AST) -> str:
    written = " ".join(ast.unparse(node).split())
    return written if len(written) <= WIDTH else f"{written[: WIDTH - 1]}…"
