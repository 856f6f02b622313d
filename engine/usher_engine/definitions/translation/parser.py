"""A reader for the expressions other products write: one grammar, and a dialect that says how its words are meant.

JUEL and FEEL share operators, paths, calls and precedence; `juel.py` and `feel.py` hold what differs. What is not
understood is never guessed: `NotUnderstood` tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from .expression_builder import (
    ADD,
    AND,
    ATOM,
    CHOICE,
    MULTIPLY,
    OR,
    SIGN,
    Piece,
    compared,
    joined,
    negated,
    quoted,
    variable,
)
from .lexer import NotUnderstood, Word, words

MAX_DEPTH = 30

Call: TypeAlias = Callable[[str, list[Piece]], Piece]
Method: TypeAlias = Callable[[Piece, str, list[Piece]], Piece]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """
    Words by meaning; *prefixes* and *behind* read what only this language has.

    *objects* are names of the foreign engine's own, of which only methods are read.
    """

    ors: frozenset[str]
    ands: frozenset[str]
    nots: frozenset[str]
    compares: Mapping[str, str]
    multiplies: Mapping[str, str]
    call: Call
    method: Method
    item: Callable[[Piece, Piece], Piece]
    prefixes: Mapping[str, Callable[[Reader], Piece]] = field(default_factory=dict)
    behind: Mapping[str, Callable[[Reader, Piece], Piece]] = field(default_factory=dict)
    adds_texts: bool = False
    empty: Callable[[Piece], Piece] = negated
    variable: Callable[[str], Piece] = variable
    objects: frozenset[str] = frozenset()


class Reader:
    """Reads one expression from left to right."""

    def __init__(self, source: str, dialect: Dialect, *, spaced: tuple[str, ...] = ()) -> None:
        for name in spaced:
            source = source.replace(f"{name}(", f"{name.replace(' ', '_')}(")
        self.words = words(source)
        self.dialect = dialect
        self.place = 0
        self.depth = 0

    # words

    @property
    def next(self) -> Word:
        return self.words[self.place]

    def take(self) -> Word:
        word = self.next
        self.place += 1
        return word

    def took(self, *texts: str) -> str:
        """The next word if it is one of *texts*, taken; else empty."""
        if self.next.kind in ("sign", "name") and self.next.text in texts:
            return self.take().text
        return ""

    def expect(self, text: str) -> None:
        if not self.took(text):
            found = self.next.text or "the end"
            raise NotUnderstood(f"“{text}” is expected where “{found}” stands")

    # grammar

    def whole(self) -> Piece:
        """The expression, with nothing behind it."""
        piece = self.choice()
        if self.next.kind != "end":
            raise NotUnderstood(f"“{self.next.text}” is not understood where it stands")
        return piece

    def choice(self) -> Piece:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotUnderstood(f"it is nested more than {MAX_DEPTH} levels deep")
        prefix = self.dialect.prefixes.get(self.next.text) if self.next.kind == "name" else None
        if prefix is not None:
            self.take()
            piece = prefix(self)
        else:
            piece = self._either()
            if self.took("?"):
                then = self.choice()
                self.expect(":")
                otherwise = self.choice()
                piece = chosen(piece, then, otherwise)
        self.depth -= 1
        return piece

    def _either(self) -> Piece:
        piece = self._both()
        while self.took(*self.dialect.ors):
            piece = joined(OR, "or", piece, self._both())
        return piece

    def _both(self) -> Piece:
        piece = self._comparison()
        while self.took(*self.dialect.ands):
            piece = joined(AND, "and", piece, self._comparison())
        return piece

    def _comparison(self) -> Piece:
        left = self.sum()
        behind = self.dialect.behind.get(self.next.text) if self.next.kind == "name" else None
        if behind is not None:
            self.take()
            return behind(self, left)
        sign = self.took(*self.dialect.compares)
        if not sign:
            return left
        piece = compared(left, self.dialect.compares[sign], self.sum())
        if self.next.text in self.dialect.compares and self.next.kind in ("sign", "name"):
            raise NotUnderstood("comparisons in a row mean different things in different languages")
        return piece

    def sum(self) -> Piece:
        piece = self._product()
        while sign := self.took("+", "-"):
            right = self._product()
            if sign == "+" and not self.dialect.adds_texts and "text" in (piece.value, right.value):
                raise NotUnderstood("“+” with a text means different things in different languages")
            piece = joined(ADD, sign, piece, right)
        return piece

    def _product(self) -> Piece:
        piece = self._sign()
        while sign := self.took(*self.dialect.multiplies):
            piece = joined(MULTIPLY, self.dialect.multiplies[sign], piece, self._sign())
        return piece

    def _sign(self) -> Piece:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotUnderstood(f"it is nested more than {MAX_DEPTH} levels deep")
        if self.took("-"):
            piece = Piece(f"-{self._sign().at(SIGN)}", SIGN)
        elif sign := self.took(*self.dialect.nots):
            inner = self._sign()
            piece = self.dialect.empty(inner) if sign == "empty" else negated(inner)
        else:
            piece = self._path()
        self.depth -= 1
        return piece

    def _path(self) -> Piece:
        piece = self._first()
        while True:
            if self.took("."):
                name = self._name()
                if self.took("("):
                    piece = self.dialect.method(piece, name, self._given())
                elif piece.name in self.dialect.objects:
                    raise NotUnderstood(f"{piece.name}.{name} asks the foreign engine")
                elif name.startswith("_"):
                    raise NotUnderstood(f"“{name}” is a reserved name")
                else:
                    piece = Piece(f"{piece.at(ATOM)}.{name}")
            elif self.took("["):
                key = self.choice()
                self.expect("]")
                piece = self.dialect.item(piece, key)
            else:
                return piece

    def _first(self) -> Piece:
        word = self.take()
        if word.kind == "number":
            return Piece(word.text, value="number")
        if word.kind == "text":
            return Piece(quoted(word.text), value="text")
        if word.kind == "name":
            return self._named(word.text)
        if word.text == "(":
            inner = self.choice()
            self.expect(")")
            return Piece(f"({inner.text})", name=inner.name) if inner.level < ATOM else inner
        if word.text == "[":
            parts = [piece.text for piece in self._given("]")]
            return Piece(f"[{', '.join(parts)}]")
        raise NotUnderstood(f"“{word.text or 'the end'}” is not understood where it stands")

    def _named(self, name: str) -> Piece:
        if name in ("true", "false"):
            return Piece(name.title())
        if name == "null":
            return Piece("None", value="null")
        if self.took("("):
            return self.dialect.call(name, self._given())
        if name in self.dialect.objects and not self._is_next("."):
            raise NotUnderstood(f"{name} is an object of the foreign engine")
        return self.dialect.variable(name)

    def _is_next(self, sign: str) -> bool:
        return self.next.kind == "sign" and self.next.text == sign

    def _name(self) -> str:
        word = self.take()
        if word.kind != "name":
            raise NotUnderstood(f"a name is expected behind “.” where “{word.text or 'the end'}” stands")
        return word.text

    def _given(self, close: str = ")") -> list[Piece]:
        """The values of a call or list, up to *close*."""
        given: list[Piece] = []
        while not self.took(close):
            if given:
                self.expect(",")
            given.append(self.choice())
        return given


def chosen(test: Piece, then: Piece, otherwise: Piece) -> Piece:
    """``then if test else otherwise``."""
    return Piece(f"{then.at(OR)} if {test.at(OR)} else {otherwise.at(CHOICE)}", CHOICE)
