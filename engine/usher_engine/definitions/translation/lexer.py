"""Lexer for foreign expressions: numbers, texts, names and operators."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

MAX_LENGTH = 4_000  # the limit for Usher's own expressions

Kind: TypeAlias = Literal["number", "text", "name", "sign", "end"]

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d+)?(?![\w.])|\d+(?=\.\.))
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>\.\.|&&|\|\||==|!=|<=|>=|[-+*/%<>=!?:.,()\[\]])
    )""",
    re.VERBOSE,
)


class NotUnderstood(Exception):
    """A foreign expression cannot be translated; *reason* goes into the finding on its element."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    text: str


def tokenize(source: str) -> list[Token]:
    """Return the tokens of *source*, followed by an ``end`` token; raises `NotUnderstood` at an invalid one."""
    if len(source) > MAX_LENGTH:
        raise NotUnderstood(f"it is longer than {MAX_LENGTH} characters")
    found: list[Token] = []
    place, last = 0, len(source.rstrip())
    while place < last:
        match = _TOKEN.match(source, place)
        if match is None:
            raise NotUnderstood(f"“{source[place : place + 12].strip()}” is not understood")
        kind: Kind = match.lastgroup  # type: ignore[assignment]
        text = match[kind]
        found.append(Token(kind, _unquote(text) if kind == "text" else text))
        place = match.end()
    return [*found, Token("end", "")]


def _unquote(text: str) -> str:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, Warning):
        raise NotUnderstood("a text in it has an escape that is not understood") from None
    return str(value)
