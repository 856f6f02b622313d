"""Input cells: S-FEEL's unary tests, and boolean expressions in our own language about “?”, the value of the column.

They are parsed once, when the package is compiled. An invalid cell is refused with advice; it is never a silent
mismatch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from usher_engine.core.canonical import Json
from usher_engine.core.errors import DecisionFailed, ExpressionError
from usher_engine.expressions import Expression, Run, order_keys, same

from .cell_lexer import INPUT, Token, expression, tokenize
from .literals import NULL, TEMPORAL, Literal, a_kind, kind_of, literal, literal_of

MAX_TESTS = 200

_COMPARE: dict[str, Callable[[Any, Any], bool]]
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_EQUAL = {"=": True, "==": True, "!=": False}
_OPEN, _CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}

#: Operators that make an expression boolean.
_CONDITIONS = {"and", "or", "not", "in", "is", "==", "!=", *_COMPARE}

#: The other side of a comparison: a literal, or an expression over the case data.
Endpoint: TypeAlias = Literal | Expression


@dataclass(frozen=True, slots=True)
class Equals:
    """``"a"``, ``5``, ``!= 5``, ``limit``; a list matches each of its elements."""

    end: Endpoint
    wanted: bool = True

    def holds(self, value: Json, kind: str, run: Run) -> bool:
        end = self.end if isinstance(self.end, Literal) else _evaluate(self.end, kind, run)
        ends = end if isinstance(end, list) else [end]
        return any(_same(value, one, run) for one in ends) is self.wanted


@dataclass(frozen=True, slots=True)
class Compares:
    """``< 5``, ``>= date("2026-01-01")``. Null is neither smaller nor larger than anything."""

    sign: str
    end: Endpoint

    def holds(self, value: Json, kind: str, run: Run) -> bool:
        end = self.end if isinstance(self.end, Literal) else _evaluate(self.end, kind, run)
        if isinstance(end, list):
            raise DecisionFailed("A list has no order to compare with.")
        if value is None or end.key is None:
            return False
        first, second = _comparable(value, end), end.key
        if run.strict and type(first) is str:
            first, second = order_keys([first, second])
        return _COMPARE[self.sign](first, second)


@dataclass(frozen=True, slots=True)
class Within:
    """``[1..9]``, ``(1..9)``, ``]1..9[``: a range with inclusive or exclusive ends."""

    low: Compares
    high: Compares

    def holds(self, value: Json, kind: str, run: Run) -> bool:
        return self.low.holds(value, kind, run) and self.high.holds(value, kind, run)


@dataclass(frozen=True, slots=True)
class Holds:
    """``? > 5 and ? != limit``: a free condition."""

    condition: Expression

    def holds(self, _value: Json, _kind: str, run: Run) -> bool:
        found = self.condition.within(run)
        if not isinstance(found, bool):
            raise DecisionFailed(f"The condition must be true or false; it is {a_kind(kind_of(found))}.")
        return found


Test: TypeAlias = Equals | Compares | Within | Holds


@dataclass(frozen=True, slots=True)
class Cell:
    """One input cell: matches if any of *tests* does, with *negated* if none does, and always without tests."""

    tests: tuple[Test, ...] = ()
    negated: bool = False

    def matches(self, value: Json, kind: str, run: Run) -> bool:
        """Whether the cell matches; *run* holds the case data and, under `INPUT`, the *value*."""
        if not self.tests:
            return True
        run.spend(len(self.tests))
        return any(test.holds(value, kind, run) for test in self.tests) is not self.negated

    @property
    def literals(self) -> list[Literal] | None:
        """All literals it compares with; None if some comparison is with an expression."""
        found: list[Literal] = []
        for test in self.tests:
            parts = (test.low, test.high) if isinstance(test, Within) else (test,)
            for part in parts:
                if isinstance(part, Holds) or not isinstance(part.end, Literal):
                    return None
                found.append(part.end)
        return found


def read_cell(source: str, kind: str = "") -> Cell:
    """
    Compile an input cell of a column of type *kind*.

    Raises:
        ExpressionError: The cell is invalid; the message says what to write.
    """
    tokens = tokenize(source)
    if [token.text for token in tokens] in ([], ["-"], ["–"], ["—"]):
        return Cell()
    inside = _negation(tokens)
    negated = inside is not None
    parts = inside if inside is not None else _split_at_commas(tokens)
    if len(parts) > MAX_TESTS:
        raise ExpressionError(f"A cell has at most {MAX_TESTS} values; split the rule.")
    if any(not part for part in parts):
        raise ExpressionError("A value is missing next to a comma.")
    return Cell(tests=tuple(_test(source, part, kind) for part in parts), negated=negated)


def _negation(tokens: Sequence[Token]) -> list[list[Token]] | None:
    """The tests inside ``not(…)`` if it encloses the whole cell; None for any other cell."""
    if [token.text for token in tokens[:2]] != ["not", "("] or tokens[-1].text != ")":
        return None
    try:
        return _split_at_commas(tokens[2:-1])
    except ExpressionError:  # the first bracket is closed before the end
        return None


def _split_at_commas(tokens: Sequence[Token]) -> list[list[Token]]:
    """Split a cell into tests at its commas; a range may use brackets in either direction."""
    parts: list[list[Token]] = [[]]
    waiting: list[str] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        end = _range_end(tokens, place) if not waiting and not parts[-1] else 0
        if end:
            parts[-1] += tokens[place : end + 1]
            place = end + 1
            continue
        if token.text == "," and not waiting:
            parts.append([])
        else:
            if token.kind == "sign" and token.text in _OPEN:
                waiting.append(_OPEN[token.text])
            elif token.kind == "sign" and token.text in _CLOSE and (not waiting or waiting.pop() != token.text):
                raise ExpressionError(f"“{token.text}” has no opening bracket.")
            parts[-1].append(token)
        place += 1
    if waiting:
        raise ExpressionError(f"“{waiting[-1]}” is missing.")
    return parts


def _range_end(tokens: Sequence[Token], start: int) -> int:
    """Index of the bracket that closes the range starting at *start*; 0 if no range starts there."""
    if tokens[start].text not in ("[", "(", "]"):
        return 0
    depth, dots = 0, False
    for place in range(start + 1, len(tokens)):
        text = tokens[place].text if tokens[place].kind == "sign" else ""
        if not depth and dots and text in ("]", ")", "["):
            return place
        if not depth and (text in (",", "]", "[") or text == ")"):
            return 0
        dots |= text == ".." and not depth
        depth += {"(": 1, ")": -1}.get(text, 0)
    return 0


def _test(source: str, tokens: Sequence[Token], kind: str) -> Test:
    first = tokens[0]
    if first.text == "not" and len(tokens) > 1 and tokens[1].text == "(" and not _mentions_input(tokens):
        raise ExpressionError("“not(…)” must enclose the whole cell, or be part of a condition with “?”.")
    if first.kind == "sign" and first.text in _COMPARE:
        return Compares(first.text, _require_order(_endpoint(source, tokens[1:], kind)))
    if first.kind == "sign" and first.text in _EQUAL:
        return Equals(_endpoint(source, tokens[1:], kind), _EQUAL[first.text])
    if any(token.kind == "sign" and token.text == ".." for token in tokens):
        return _range(source, tokens, kind)
    found = literal_of(tokens)
    if found is not None:
        return Equals(_check_type(found, kind))
    compiled = expression(source, tokens)
    if _mentions_input(tokens):
        return Holds(compiled)
    if any(token.text in _CONDITIONS for token in _outside_brackets(tokens)):
        raise ExpressionError(
            "It is not clear whether this is a value to compare with or a condition. "
            "Write a condition with “?”, or give it an input column with the expression."
        )
    return Equals(compiled)


def _outside_brackets(tokens: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        if token.kind == "sign" and token.text in _CLOSE:
            depth -= 1
        if not depth and token.kind != "string":
            yield token
        if token.kind == "sign" and token.text in _OPEN:
            depth += 1


def _mentions_input(tokens: Sequence[Token]) -> bool:
    return any(token.kind == "sign" and token.text == "?" for token in tokens)


def _range(source: str, tokens: Sequence[Token], kind: str) -> Within:
    dots = [place for place, token in enumerate(tokens) if token.kind == "sign" and token.text == ".."]
    opens, closes = tokens[0].text, tokens[-1].text
    if len(dots) != 1 or opens not in ("[", "(", "]") or closes not in ("]", ")", "["):
        raise ExpressionError("Write a range like [1..9], (1..9), ]1..9[ or [1..9).")
    low = _require_order(_endpoint(source, tokens[1 : dots[0]], kind))
    high = _require_order(_endpoint(source, tokens[dots[0] + 1 : -1], kind))
    if isinstance(low, Literal) and isinstance(high, Literal):
        if low.kind != high.kind:
            raise ExpressionError(f"The range starts with {a_kind(low.kind)} but ends with {a_kind(high.kind)}.")
        first, last = order_keys([low.key, high.key]) if low.kind == "text" else (low.key, high.key)
        if first > last or (first == last and (opens, closes) != ("[", "]")):
            raise ExpressionError("The range is empty or ends before it starts, so no value could match it.")
    return Within(Compares(">=" if opens == "[" else ">", low), Compares("<=" if closes == "]" else "<", high))


def _require_order(end: Endpoint) -> Endpoint:
    if isinstance(end, Literal) and end.kind in ("null", "true or false"):
        raise ExpressionError(f"Nothing is smaller or larger than {a_kind(end.kind)}.")
    return end


def _endpoint(source: str, tokens: Sequence[Token], kind: str) -> Endpoint:
    if not tokens:
        raise ExpressionError("A value to compare with is missing.")
    found = literal_of(tokens)
    if found is not None:
        return _check_type(found, kind)
    if _mentions_input(tokens):
        raise ExpressionError("“?” is the value of the column; write the whole comparison: “? > …”.")
    if any(token.text in ("and", "or", ",") for token in tokens):
        raise ExpressionError("Each test contains one comparison. Write a range like [1..9], or “? > 1 and ? < 9”.")
    return expression(source, tokens)


def _check_type(found: Literal, kind: str) -> Literal:
    """Return *found* if a column of *kind* can hold it; in a date column a text is read as a date."""
    if not kind or found is NULL or found.kind == kind:
        return found
    try:
        if found.kind in ("text", "number"):
            return literal(found.value, kind)
    except ExpressionError as error:
        raise ExpressionError(f"The column holds values of the type “{kind}”; {error.message}") from None
    raise ExpressionError(f"The column holds values of the type “{kind}”, so it is never {a_kind(found.kind)}.")


def _evaluate(compiled: Expression, kind: str, run: Run) -> Literal | list[Literal]:
    value = compiled.within(run)
    run.spend_deep(value)
    try:
        if isinstance(value, list):
            return [literal(element, kind) for element in value]
        return literal(value, kind)
    except ExpressionError as error:
        written = compiled.source.replace(INPUT, "?")
        raise DecisionFailed(f"“{written}” does not fit the column: {error.message}") from None


def _same(value: Json, end: Literal, run: Run) -> bool:
    if value is None or end.key is None:
        return value is None and end.key is None
    if end.kind in TEMPORAL:
        return bool(_comparable(value, end) == end.key)
    return kind_of(value) == end.kind and (same(value, end.key) if run.strict else value == end.key)


def _comparable(value: Json, end: Literal) -> Any:
    """Convert *value* for an order comparison with *end*; a value without that order is an error, not “no match”."""
    if end.kind in ("number", "text") and kind_of(value) == end.kind:
        return value
    try:
        found = literal(value, end.kind if end.kind != "whole number" else "number")
    except ExpressionError as error:
        raise DecisionFailed(f"The value cannot be compared: {error.message}") from None
    if found.kind in ("true or false", "list", "record"):
        raise DecisionFailed(f"A value of the kind “{found.kind}” has no order to compare by.")
    return found.key
