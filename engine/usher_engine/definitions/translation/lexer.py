"""The words of a foreign expression: numbers, texts, names and signs, with their place for messages."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

MAX_LENGTH = 4_000  # as long as an expression of our own may be

Kind: TypeAlias = Literal["number", "text", "name", "sign", "end"]

_WORD = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d+)?(?![\w.])|\d+(?=\.\.))
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>\.\.|&&|\|\||==|!=|<=|>=|[-+*/%<>=!?:.,()\[\]])
    )""",
    re.VERBOSE,
)


class NotUnderstood(Exception):
    """Why a foreign text is not translated; the gate tells it by element."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Word:
    kind: Kind
    text: str


def words(source: str) -> list[Word]:
    """The words of *source*, an ``end`` behind them; raises `NotUnderstood` at the first that is none."""
    if len(source) > MAX_LENGTH:
        raise NotUnderstood(f"it is longer than {MAX_LENGTH} characters")
    found: list[Word] = []
    place, last = 0, len(source.rstrip())
    while place < last:
        match = _WORD.match(source, place)
        if match is None:
            raise NotUnderstood(f"“{source[place : place + 12].strip()}” is not understood")
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        text = match[kind]
        found.append(Word(kind, _unquoted(text) if kind == "text" else text))
        place = match.end()
    return [*found, Word("end", "")]


def _unquoted(text: str) -> str:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, Warning):
        raise NotUnderstood("a text in it has an escape that is not understood") from None
    return str(value)
