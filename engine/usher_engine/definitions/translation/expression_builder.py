"""Pieces of an expression in Usher's language, put together with parentheses only where they are needed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from keyword import iskeyword

CHOICE, OR, AND, NOT, COMPARE, ADD, MULTIPLY, SIGN, ATOM = range(9)


@dataclass(frozen=True, slots=True)
class Piece:
    """*level* is how tightly *text* binds; *name* is set when it is nothing but a variable."""

    text: str
    level: int = ATOM
    name: str = ""
    value: str = ""  # "null", "text" or "number" for a constant

    def at(self, level: int) -> str:
        """The text, in parentheses where it binds less than *level*."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def maybe(self) -> str:
        """The text as it is read where a variable may be missing."""
        return f"get({quoted(self.name)})" if self.name else self.at(COMPARE + 1)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def variable(name: str) -> Piece:
    """A variable of the case; by `get` where the name means something to Python."""
    if iskeyword(name) or name.startswith("_"):
        return Piece(f"get({quoted(name)})", name=name)
    return Piece(name, name=name)


def negated(piece: Piece) -> Piece:
    return Piece(f"not {piece.at(NOT)}", NOT)


def compared(left: Piece, sign: str, right: Piece) -> Piece:
    """``left sign right``; against null, with “is”, and then the variable may be missing."""
    if right.value == "null" or left.value == "null":
        asked = left if right.value == "null" else right
        if sign not in ("==", "!="):
            return Piece("False")  # null is neither smaller nor larger than anything, in JUEL and in FEEL
        return Piece(f"{asked.maybe} {'is' if sign == '==' else 'is not'} None", COMPARE)
    return Piece(f"{left.at(ADD)} {sign} {right.at(ADD)}", COMPARE)


def joined(level: int, sign: str, left: Piece, right: Piece) -> Piece:
    """A binary operation that binds to the left."""
    return Piece(f"{left.at(level)} {sign} {right.at(level + 1)}", level)
