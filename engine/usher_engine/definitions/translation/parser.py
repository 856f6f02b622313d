"""Parser for other products' expressions: one grammar, and a `Dialect` that gives the meaning of its tokens.

JUEL and FEEL share operators, paths, calls and precedence; `juel.py` and `feel.py` hold the differences. The parser
never guesses: it raises `NotUnderstood` for everything it does not support.
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
    binary,
    comparison,
    negation,
    quote,
    variable,
)
from .lexer import NotUnderstood, Token, tokenize

MAX_DEPTH = 30

Call: TypeAlias = Callable[[str, list[Piece]], Piece]
Method: TypeAlias = Callable[[Piece, str, list[Piece]], Piece]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """
    The operators of one language by meaning; *prefixes* and *infixes* parse constructs only this language has.

    *objects* are variables of the foreign engine; only their methods can be translated.
    """

    ors: frozenset[str]
    ands: frozenset[str]
    nots: frozenset[str]
    compares: Mapping[str, str]
    multiplies: Mapping[str, str]
    call: Call
    method: Method
    item: Callable[[Piece, Piece], Piece]
    prefixes: Mapping[str, Callable[[ExpressionParser], Piece]] = field(default_factory=dict)
    infixes: Mapping[str, Callable[[ExpressionParser, Piece], Piece]] = field(default_factory=dict)
    adds_texts: bool = False
    empty: Callable[[Piece], Piece] = negation
    variable: Callable[[str], Piece] = variable
    objects: frozenset[str] = frozenset()


class ExpressionParser:
    """Recursive-descent parser for one expression."""

    def __init__(self, source: str, dialect: Dialect, *, spaced_names: tuple[str, ...] = ()) -> None:
        for name in spaced_names:
            source = source.replace(f"{name}(", f"{name.replace(' ', '_')}(")
        self.tokens = tokenize(source)
        self.dialect = dialect
        self.position = 0
        self.depth = 0

    # tokens

    @property
    def next(self) -> Token:
        return self.tokens[self.position]

    def advance(self) -> Token:
        token = self.next
        self.position += 1
        return token

    def accept(self, *texts: str) -> str:
        """Consume and return the next token if it is one of *texts*; else return ""."""
        if self.next.kind in ("sign", "name") and self.next.text in texts:
            return self.advance().text
        return ""

    def expect(self, text: str) -> None:
        if not self.accept(text):
            found = self.next.text or "the end"
            raise NotUnderstood(f"“{text}” is expected where “{found}” stands")

    # grammar

    def parse(self) -> Piece:
        """Parse the whole expression; nothing may follow it."""
        piece = self.conditional()
        if self.next.kind != "end":
            raise NotUnderstood(f"“{self.next.text}” is not understood where it stands")
        return piece

    def conditional(self) -> Piece:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotUnderstood(f"it is nested more than {MAX_DEPTH} levels deep")
        prefix = self.dialect.prefixes.get(self.next.text) if self.next.kind == "name" else None
        if prefix is not None:
            self.advance()
            piece = prefix(self)
        else:
            piece = self._or()
            if self.accept("?"):
                then = self.conditional()
                self.expect(":")
                otherwise = self.conditional()
                piece = if_else(piece, then, otherwise)
        self.depth -= 1
        return piece

    def _or(self) -> Piece:
        piece = self._and()
        while self.accept(*self.dialect.ors):
            piece = binary(OR, "or", piece, self._and())
        return piece

    def _and(self) -> Piece:
        piece = self._comparison()
        while self.accept(*self.dialect.ands):
            piece = binary(AND, "and", piece, self._comparison())
        return piece

    def _comparison(self) -> Piece:
        left = self.sum()
        infix = self.dialect.infixes.get(self.next.text) if self.next.kind == "name" else None
        if infix is not None:
            self.advance()
            return infix(self, left)
        sign = self.accept(*self.dialect.compares)
        if not sign:
            return left
        piece = comparison(left, self.dialect.compares[sign], self.sum())
        if self.next.text in self.dialect.compares and self.next.kind in ("sign", "name"):
            raise NotUnderstood("comparisons in a row mean different things in different languages")
        return piece

    def sum(self) -> Piece:
        piece = self._product()
        while sign := self.accept("+", "-"):
            right = self._product()
            if sign == "+" and not self.dialect.adds_texts and "text" in (piece.value, right.value):
                raise NotUnderstood("“+” with a text means different things in different languages")
            piece = binary(ADD, sign, piece, right)
        return piece

    def _product(self) -> Piece:
        piece = self._unary()
        while sign := self.accept(*self.dialect.multiplies):
            piece = binary(MULTIPLY, self.dialect.multiplies[sign], piece, self._unary())
        return piece

    def _unary(self) -> Piece:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotUnderstood(f"it is nested more than {MAX_DEPTH} levels deep")
        if self.accept("-"):
            piece = Piece(f"-{self._unary().at(SIGN)}", SIGN)
        elif sign := self.accept(*self.dialect.nots):
            inner = self._unary()
            piece = self.dialect.empty(inner) if sign == "empty" else negation(inner)
        else:
            piece = self._postfix()
        self.depth -= 1
        return piece

    def _postfix(self) -> Piece:
        piece = self._primary()
        while True:
            if self.accept("."):
                name = self._name()
                if self.accept("("):
                    piece = self.dialect.method(piece, name, self._arguments())
                elif piece.name in self.dialect.objects:
                    raise NotUnderstood(f"{piece.name}.{name} is data of the other engine")
                elif name.startswith("_"):
                    raise NotUnderstood(f"“{name}” is a reserved name")
                else:
                    piece = Piece(f"{piece.at(ATOM)}.{name}")
            elif self.accept("["):
                key = self.conditional()
                self.expect("]")
                piece = self.dialect.item(piece, key)
            else:
                return piece

    def _primary(self) -> Piece:
        token = self.advance()
        if token.kind == "number":
            return Piece(token.text, value="number")
        if token.kind == "text":
            return Piece(quote(token.text), value="text")
        if token.kind == "name":
            return self._name_or_call(token.text)
        if token.text == "(":
            inner = self.conditional()
            self.expect(")")
            return Piece(f"({inner.text})", name=inner.name) if inner.level < ATOM else inner
        if token.text == "[":
            parts = [piece.text for piece in self._arguments("]")]
            return Piece(f"[{', '.join(parts)}]")
        raise NotUnderstood(f"“{token.text or 'the end'}” is not understood where it stands")

    def _name_or_call(self, name: str) -> Piece:
        if name in ("true", "false"):
            return Piece(name.title())
        if name == "null":
            return Piece("None", value="null")
        if self.accept("("):
            return self.dialect.call(name, self._arguments())
        if name in self.dialect.objects and not self._is_next("."):
            raise NotUnderstood(f"{name} is an object of the other engine")
        return self.dialect.variable(name)

    def _is_next(self, sign: str) -> bool:
        return self.next.kind == "sign" and self.next.text == sign

    def _name(self) -> str:
        token = self.advance()
        if token.kind != "name":
            raise NotUnderstood(f"a name is expected behind “.” where “{token.text or 'the end'}” stands")
        return token.text

    def _arguments(self, close: str = ")") -> list[Piece]:
        """Parse the arguments of a call, or the elements of a list, up to *close*."""
        given: list[Piece] = []
        while not self.accept(close):
            if given:
                self.expect(",")
            given.append(self.conditional())
        return given


def if_else(test: Piece, then: Piece, otherwise: Piece) -> Piece:
    """``then if test else otherwise``."""
    return Piece(f"{then.at(OR)} if {test.at(OR)} else {otherwise.at(CHOICE)}", CHOICE)
