"""Lexer for table cells (strings, numbers, names, signs), and conversion of a cell to our expression language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import Expression, compile_expression

MAX_CELL = 4_000  # characters; the limit for one expression

#: Variable for “?”, the value of the column, in a compiled cell: a look-alike letter that authors never type.
INPUT = "ʔ"

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>\.\.|<=|>=|==|!=|//|\S))""",
    re.VERBOSE,
)
_OURS = {"true": "True", "false": "False", "null": "None"}
_HINTED = 400  # characters to search for a hint; the work grows with their square
#: FEEL constructs that we write differently: a pattern for each, and what to write.
_INSTEAD = (
    (re.compile(r"\bif\b.*\bthen\b"), "“if … then …” is written “… if … else …”"),
    (re.compile(r"\b(some|every)\b.*\bsatisfies\b"), "“satisfies” is written “any(… for x in list)” or “all(…)”"),
    (re.compile(r"\bfor\b.*\breturn\b"), "“for … return …” is written “[… for x in list]”"),
    (re.compile(r"\bbetween\b"), "“between” is written as a range, like [1..9]"),
    (re.compile(r"\binstance of\b"), "“instance of” is not needed; set the type of the column"),
    (re.compile(r"\bcontains\s*\("), "“contains(text, part)” is written “part in text”"),
    (re.compile(r"\bstarts with\s*\("), "“starts with(text, part)” is written “text.startswith(part)”"),
    (re.compile(r"\bends with\s*\("), "“ends with(text, part)” is written “text.endswith(part)”"),
    (re.compile(r"\bcount\s*\("), "“count(list)” is written “len(list)”"),
    (re.compile(r"\bstring length\s*\("), "“string length(text)” is written “len(text)”"),
    (re.compile(r"\b(?:upper|lower) case\s*\("), "“upper case(text)” is written “text.upper()”"),
    (re.compile(r"\blist contains\s*\("), "“list contains(list, x)” is written “x in list”"),
    (re.compile(r"\btime\s*\("), "“time(…)” is not known; use date and time(…)"),
    (re.compile(r"^[<>]=?.*\b(and|or)\b"), "write a range like [1..9], or “? > 1 and ? < 9”"),
    (re.compile(r"\bin\s*[\[(\]][^\[\]]*\.\."), "“in” with a range is written as the range alone, or “1 <= ? <= 9”"),
)


class Token(NamedTuple):
    """*kind* is string, number, name or sign; *start* and *end* are its position in the cell."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(source: str) -> list[Token]:
    """Return the tokens of *source*; raises `ExpressionError` for characters no cell may contain."""
    if len(source) > MAX_CELL:
        raise ExpressionError(f"The cell is longer than {MAX_CELL} characters; split the rule.")
    found: list[Token] = []
    position, text = 0, source.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise ExpressionError("The cell contains invalid characters.")
        token = Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup), match.end())
        _check(token)
        found.append(token)
        position = match.end()
    return found


def _check(token: Token) -> None:
    if token.text in ('"', "'"):
        raise ExpressionError("A quotation mark is not closed.")
    if token.text in "“”„‘’«»":
        raise ExpressionError(f'“{token.text}” is not a quotation mark here; write "…".')
    if token.text in ("@", "#", "\\", ";"):
        hint = ' Write date("…") for a date.' if token.text == "@" else ""
        raise ExpressionError(f"“{token.text}” is not valid in a cell.{hint}")


def expression(source: str, tokens: Sequence[Token]) -> Expression:
    """Compile *tokens* of *source* in our own language; raises `ExpressionError` that says what to write instead."""
    if any(token.kind == after.kind == "string" for token, after in pairwise(tokens)):
        raise ExpressionError("A comma is missing between two texts.")
    text = to_expression(source, tokens)
    try:
        return compile_expression(text)
    except ExpressionError as error:
        plain = error.message.replace(INPUT, "?")
        hint = next((hint for shape, hint in _INSTEAD if shape.search(source, 0, _HINTED)), "")
        raise ExpressionError(f"{plain} Here, {hint}." if hint else plain) from None


def to_expression(source: str, tokens: Sequence[Token]) -> str:
    """Convert *tokens* of *source* to our language: ``true`` becomes True, ``?`` the variable `INPUT`."""
    pieces: list[str] = []
    end, before = tokens[0].start, ""
    for token in tokens:
        text = token.text
        if token.kind == "name" and before != ".":
            text = _OURS.get(text, text)
        elif token.kind == "sign" and text == "?":
            text = INPUT
        pieces += (source[end : token.start], text)
        end, before = token.end, token.text
    return "".join(pieces)
