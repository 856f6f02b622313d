"""The gate's questions to the language: of what shape is a value, what does a script set, what does a condition tell.

Nothing is evaluated, and a text that does not compile has neither a shape nor doubts; another rule reports it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from usher_engine.core.errors import ExpressionError
from usher_engine.core.shapes import ANYTHING, Shape, text

from .doubts import Doubt
from .inference import Inference
from .known_data import KnownData
from .narrowing import narrowed
from .script_inference import ScriptInference
from .shape_inference import NODES
from .syntax import parse_expression, parse_script
from .template import Placeholder, compile_template


@dataclass(frozen=True, kw_only=True, slots=True)
class Inferred:
    """
    What was inferred of a text: the ``shape`` of its value and the ``data`` after it.

    ``wanted`` maps each name that nothing sets before to the shape its readers ask for; ``asked`` may be missing.
    """

    shape: Shape
    data: KnownData
    doubts: tuple[Doubt, ...] = ()
    wanted: tuple[tuple[str, Shape], ...] = ()
    asked: frozenset[str] = frozenset()


def infer_expression(source: str, data: KnownData, spellings: frozenset[str] = frozenset()) -> Inferred:
    """What is known of the value of the expression *source* on *data*; *spellings* are names that elements set."""
    tree = parsed_expression(source)
    inference = Inference(NODES, spellings)
    return _inferred(inference, ANYTHING if tree is None else inference.shape(tree, data), data)


def infer_script(source: str, data: KnownData, spellings: frozenset[str] = frozenset()) -> Inferred:
    """What is known after the script *source* ran on *data*."""
    inference = Inference(NODES, spellings)
    after = ScriptInference(inference).block(_parsed_script(source), data)
    return _inferred(inference, ANYTHING, data if after is None else after)


def infer_template(source: str, data: KnownData, spellings: frozenset[str] = frozenset()) -> Inferred:
    """What is known of the placeholders of the template *source*; a doubt has the line in the template."""
    inference = Inference(NODES, spellings)
    doubts: list[Doubt] = []
    for placeholder in _placeholders(source):
        inference.doubts = []
        if (tree := parsed_expression(placeholder.expression.source)) is not None:
            shape = inference.shape(tree, data)
            inference.check_kinds(tree, shape, _WRITABLE, "A message", data)
        doubts += [_at_line(doubt, placeholder.line) for doubt in inference.doubts]
    inference.doubts = doubts
    return _inferred(inference, text(), data)


#: The kinds whose values a template writes.
_WRITABLE = ("string", "number", "integer", "boolean", "null")


def after_condition(source: str, data: KnownData, *, holds: bool) -> KnownData:
    """*data* on the way on which the condition *source* holds or, without *holds*, does not."""
    tree = parsed_expression(source)
    return data if tree is None else narrowed(tree, data, holds=holds)


@lru_cache(maxsize=4096)
def parsed_expression(source: str) -> ast.expr | None:
    """The syntax tree of *source*; None if it has none."""
    try:
        return parse_expression(source)
    except ExpressionError:
        return None


@lru_cache(maxsize=512)
def _parsed_script(source: str) -> tuple[ast.stmt, ...]:
    try:
        return tuple(parse_script(source))
    except ExpressionError:
        return ()


def _placeholders(source: str) -> Iterator[Placeholder]:
    try:
        parts = compile_template(source).parts
    except ExpressionError:
        return
    yield from (part for part in parts if isinstance(part, Placeholder))


def _at_line(doubt: Doubt, line: int) -> Doubt:
    return Doubt(
        about=doubt.about, message=doubt.message, certain=doubt.certain, line=line, name=doubt.name,
        old=doubt.old, new=doubt.new,
    )  # fmt: skip


def _inferred(inference: Inference, shape: Shape, data: KnownData) -> Inferred:
    return Inferred(
        shape=shape,
        data=data,
        doubts=tuple(inference.doubts),
        wanted=tuple(inference.wanted.items()),
        asked=frozenset(inference.asked),
    )
