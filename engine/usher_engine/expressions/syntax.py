"""Parses text into a syntax tree and checks its size and nesting. Nothing is compiled or run here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import dedent

from usher_engine.core.canonical import MAX_KEY, is_reserved
from usher_engine.core.errors import ExpressionError

EXPRESSION_LENGTH = 4_000
SCRIPT_LENGTH = 20_000
EXPRESSION_NODES = 600
SCRIPT_NODES = 3_000
MAX_LEVELS = 40

_SINGLE_EQUALS = re.compile(r"(?<![=!<>:])=(?!=)")

_FORBIDDEN: dict[type[ast.AST], str] = {
    ast.AnnAssign: "A type annotation",
    ast.Assert: "“assert”",
    ast.AsyncFor: "“async”",
    ast.Await: "“await”",
    ast.BitAnd: "“&” (write “and”)",
    ast.BitOr: "“|” (write “or”)",
    ast.BitXor: "“^”",
    ast.ClassDef: "“class”",
    ast.FunctionDef: "“def”",
    ast.AsyncFunctionDef: "“def”",
    ast.GeneratorExp: "A generator outside a call (write it in […])",
    ast.Global: "“global”",
    ast.Import: "“import”",
    ast.ImportFrom: "“import”",
    ast.Invert: "“~”",
    ast.Lambda: "“lambda”",
    ast.LShift: "“<<”",
    ast.MatMult: "“@”",
    ast.Match: "“match” (use “if” and “elif”)",
    ast.NamedExpr: "“:=”",
    ast.Nonlocal: "“nonlocal”",
    ast.Pow: "“**”",
    ast.Raise: "“raise”",
    ast.Return: "“return”",
    ast.RShift: "“>>”",
    ast.Set: "A set (use a list: […])",
    ast.SetComp: "A set (use a list: […])",
    ast.Slice: "A slice here",
    ast.Starred: "“*” before a value",
    ast.Try: "“try”",
    ast.TryStar: "“try”",
    ast.While: "“while” (use “for … in …”)",
    ast.With: "“with”",
    ast.AsyncWith: "“with”",
    ast.Yield: "“yield”",
    ast.YieldFrom: "“yield”",
}


def parse_expression(source: str) -> ast.expr:
    """Parse and check one expression; raises `ExpressionError`."""
    text = source.strip()
    if not text:
        raise ExpressionError("The expression is empty.")
    _check_length(text, EXPRESSION_LENGTH)
    with _explain_errors(text, _hint(text)):
        tree = ast.parse(_on_one_line(text), mode="eval")
    check_tree(tree, EXPRESSION_NODES)
    return tree.body


def parse_script(source: str) -> list[ast.stmt]:
    """Parse and check a script; raises `ExpressionError` with the line."""
    _check_length(source, SCRIPT_LENGTH)
    text = dedent(source)
    with _explain_errors(text):
        tree = ast.parse(text, mode="exec")
    check_tree(tree, SCRIPT_NODES)
    return tree.body


def _check_length(text: str, longest: int) -> None:
    if len(text) > longest:
        raise ExpressionError(f"The text is longer than {longest} characters; split it.")


def _on_one_line(text: str) -> str:
    """Join the lines of an expression, unless a line break could be significant."""
    if "#" in text or '"""' in text or "'''" in text:
        return text
    return text.replace("\r", " ").replace("\n", " ")


@contextmanager
def _explain_errors(text: str, hint: str = "") -> Iterator[None]:
    """Convert the Python parser's errors to ours, including those for hostile nesting."""
    try:
        yield
    except SyntaxError as error:
        line = max(1, min(error.lineno or 1, text.count("\n") + 1))
        raise ExpressionError(f"This cannot be read: {error.msg}.{hint}", line=line) from None
    except (RecursionError, MemoryError):
        raise ExpressionError(f"This is nested more than {MAX_LEVELS} levels deep; split it.") from None
    except (ValueError, Warning):
        raise ExpressionError("This holds characters that cannot be read.") from None


def _hint(text: str) -> str:
    if text.startswith("=") or "${" in text:
        return ' Write it plainly, like status == "Pending": without “${…}” and without “=” in front.'
    if _SINGLE_EQUALS.search(text):
        return " To compare, write “==”."
    return ""


def check_tree(tree: ast.AST, most: int) -> None:
    """Refuse a tree that is too large or too deep, before anything recursive walks it."""
    nodes = 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, level = waiting.pop()
        nodes += 1
        if nodes > most:
            raise ExpressionError(f"This has more than {most} parts; split it.")
        if level > MAX_LEVELS:
            raise ExpressionError(f"This is nested more than {MAX_LEVELS} levels deep; split it.", line=line_of(node))
        waiting += ((child, level + _deeper(node, child)) for child in parts(node))


def parts(node: ast.AST) -> Iterator[ast.AST]:
    """The children of *node* that cost work."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)):
            yield child


def weight(*nodes: ast.AST) -> int:
    """Count the nodes in *nodes*: the fuel for one evaluation."""
    count = 0
    waiting = list(nodes)
    while waiting:
        count += 1
        waiting += parts(waiting.pop())
    return count


def elif_of(node: ast.If) -> ast.If | None:
    """The `elif` of *node*: the only statement of its `else`, if that is an `if`."""
    only = node.orelse[0] if len(node.orelse) == 1 else None
    return only if isinstance(only, ast.If) else None


def _deeper(node: ast.AST, child: ast.AST) -> int:
    """Levels that *child* adds; authors see a chain of `elif` as flat, although the tree nests it."""
    return 0 if isinstance(node, ast.If) and elif_of(node) is child else 1


def checked_name(name: str, node: ast.AST) -> str:
    """Return *name* if a diagram may use it."""
    if len(name) > MAX_KEY:
        raise ExpressionError(f"A name has at most {MAX_KEY} characters; shorten it.", line=line_of(node))
    if name.startswith("_") or is_reserved(name):
        raise ExpressionError(f"The name “{name}” is reserved; choose another.", line=line_of(node))
    return name


def not_in_language(node: ast.AST, at: ast.AST | None = None) -> ExpressionError:
    """Return the error for Python syntax that is not part of the language."""
    what = _FORBIDDEN.get(type(node), f"“{type(node).__name__}”")
    return ExpressionError(f"{what} is not part of the expression language.", line=line_of(at or node))


def line_of(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))
