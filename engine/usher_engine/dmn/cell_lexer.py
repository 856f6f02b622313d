"""The words of a cell: strings, numbers, names and signs; and its text as our expression language writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import Expression, compile_expression

MAX_CELL = 4_000  # characters; what one expression may have

#: What stands for “?”, the value of the column, in a compiled cell: a letter that looks like it and that nobody types.
INPUT = "ʔ"

_WORD = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>\.\.|<=|>=|==|!=|//|\S))""",
    re.VERBOSE,
)
_OURS = {"true": "True", "false": "False", "null": "None"}
_HINTED = 400  # characters a hint is looked for in; the work grows with their square
#: What FEEL has and we write otherwise: the words that show it, and what to write.
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


class Word(NamedTuple):
    """*kind* is string, number, name or sign; *start* and *end* say where it stands in the cell."""

    kind: str
    text: str
    start: int
    end: int


def words_of(source: str) -> list[Word]:
    """The words of *source*; raises `ExpressionError` for what no cell can hold."""
    if len(source) > MAX_CELL:
        raise ExpressionError(f"The cell is longer than {MAX_CELL} characters; split the rule.")
    found: list[Word] = []
    position, text = 0, source.rstrip()
    while position < len(text):
        match = _WORD.match(text, position)
        if match is None or match.lastgroup is None:
            raise ExpressionError("The cell holds characters that cannot be read.")
        word = Word(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup), match.end())
        _check(word)
        found.append(word)
        position = match.end()
    return found


def _check(word: Word) -> None:
    if word.text in ('"', "'"):
        raise ExpressionError("A quotation mark is not closed.")
    if word.text in "“”„‘’«»":
        raise ExpressionError(f'“{word.text}” is no quotation mark here; write "…".')
    if word.text in ("@", "#", "\\", ";"):
        hint = ' Write date("…") for a date.' if word.text == "@" else ""
        raise ExpressionError(f"“{word.text}” is not understood in a cell.{hint}")


def expression(source: str, words: Sequence[Word]) -> Expression:
    """*words* of *source* compiled by our own language; raises `ExpressionError` with what to write instead."""
    if any(word.kind == after.kind == "string" for word, after in pairwise(words)):
        raise ExpressionError("A comma is missing between two texts.")
    text = written(source, words)
    try:
        return compile_expression(text)
    except ExpressionError as error:
        plain = error.message.replace(INPUT, "?")
        hint = next((said for shape, said in _INSTEAD if shape.search(source, 0, _HINTED)), "")
        raise ExpressionError(f"{plain} Here, {hint}." if hint else plain) from None


def written(source: str, words: Sequence[Word]) -> str:
    """*words* of *source* as our language writes them: ``true`` as True, ``?`` as the name of the input."""
    pieces: list[str] = []
    end, before = words[0].start, ""
    for word in words:
        text = word.text
        if word.kind == "name" and before != ".":
            text = _OURS.get(text, text)
        elif word.kind == "sign" and text == "?":
            text = INPUT
        pieces += (source[end : word.start], text)
        end, before = word.end, word.text
    return "".join(pieces)
