"""Builds expressions in Usher's language from pieces, with parentheses only where precedence needs them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from keyword import iskeyword

CHOICE, OR, AND, NOT, COMPARE, ADD, MULTIPLY, SIGN, ATOM = range(9)


@dataclass(frozen=True, slots=True)
class Piece:
    """*level* is the precedence of *text*; *name* is set if the piece is just a variable."""

    text: str
    level: int = ATOM
    name: str = ""
    value: str = ""  # "null", "text" or "number" for a constant

    def at(self, level: int) -> str:
        """The text, in parentheses if its precedence is lower than *level*."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def optional_text(self) -> str:
        """The text, with a bare variable wrapped in ``get(…)`` because it may be missing."""
        return f"get({quote(self.name)})" if self.name else self.at(COMPARE + 1)


def quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def variable(name: str) -> Piece:
    """A variable of the case; uses ``get(…)`` for names that are reserved in Python."""
    if iskeyword(name) or name.startswith("_"):
        return Piece(f"get({quote(name)})", name=name)
    return Piece(name, name=name)


def negation(piece: Piece) -> Piece:
    return Piece(f"not {piece.at(NOT)}", NOT)


def comparison(left: Piece, sign: str, right: Piece) -> Piece:
    """``left sign right``; a comparison with null uses “is” and accepts a missing variable."""
    if right.value == "null" or left.value == "null":
        asked = left if right.value == "null" else right
        if sign not in ("==", "!="):
            return Piece("False")  # null is neither smaller nor larger than anything, in JUEL and in FEEL
        return Piece(f"{asked.optional_text} {'is' if sign == '==' else 'is not'} None", COMPARE)
    return Piece(f"{left.at(ADD)} {sign} {right.at(ADD)}", COMPARE)


def binary(level: int, sign: str, left: Piece, right: Piece) -> Piece:
    """A left-associative binary operation."""
    return Piece(f"{left.at(level)} {sign} {right.at(level + 1)}", level)
