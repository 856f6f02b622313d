"""Input cells: S-FEEL's unary tests, and boolean expressions of our own language about “?”, the value of the column.

Read once when the package is compiled. What is not understood is refused with what to write instead, never a
silent “does not match”.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from usher_engine.core.canonical import Json
from usher_engine.core.errors import DecisionFailed, ExpressionError
from usher_engine.expressions import Expression, Run, ordered, same

from .cell_lexer import INPUT, Word, expression, words_of
from .literals import NULL, TEMPORAL, Literal, a_kind, kind_of, literal, literal_of

MAX_TESTS = 200

_COMPARE: dict[str, Callable[[Any, Any], bool]]
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_EQUAL = {"=": True, "==": True, "!=": False}
_OPEN, _CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}

#: Words of an expression that is true or false.
_CONDITIONS = {"and", "or", "not", "in", "is", "==", "!=", *_COMPARE}

#: What a cell compares with: known when it is compiled, or computed from the data of the case.
Endpoint: TypeAlias = Literal | Expression


@dataclass(frozen=True, slots=True)
class Equals:
    """``"a"``, ``5``, ``!= 5``, ``limit``; a list is met by each of its elements."""

    end: Endpoint
    wanted: bool = True

    def holds(self, value: Json, kind: str, run: Run) -> bool:
        end = self.end if isinstance(self.end, Literal) else _computed(self.end, kind, run)
        ends = end if isinstance(end, list) else [end]
        return any(_same(value, one, run) for one in ends) is self.wanted


@dataclass(frozen=True, slots=True)
class Compares:
    """``< 5``, ``>= date("2026-01-01")``. Nothing (null) is neither smaller nor larger than anything."""

    sign: str
    end: Endpoint

    def holds(self, value: Json, kind: str, run: Run) -> bool:
        end = self.end if isinstance(self.end, Literal) else _computed(self.end, kind, run)
        if isinstance(end, list):
            raise DecisionFailed("A list has no order to compare with.")
        if value is None or end.key is None:
            return False
        first, second = _comparable(value, end), end.key
        if run.strict and type(first) is str:
            first, second = ordered([first, second])
        return _COMPARE[self.sign](first, second)


@dataclass(frozen=True, slots=True)
class Within:
    """``[1..9]``, ``(1..9)``, ``]1..9[``: both ends, each with or without itself."""

    low: Compares
    high: Compares

    def holds(self, value: Json, kind: str, run: Run) -> bool:
        return self.low.holds(value, kind, run) and self.high.holds(value, kind, run)


@dataclass(frozen=True, slots=True)
class Holds:
    """``? > 5 and ? != limit``: a condition of its own."""

    condition: Expression

    def holds(self, _value: Json, _kind: str, run: Run) -> bool:
        found = self.condition.within(run)
        if not isinstance(found, bool):
            raise DecisionFailed(f"The condition must be true or false; it is {a_kind(kind_of(found))}.")
        return found


Test: TypeAlias = Equals | Compares | Within | Holds


@dataclass(frozen=True, slots=True)
class Cell:
    """One input cell: met when any of *tests* is, or with *negated* when none is; without tests always."""

    tests: tuple[Test, ...] = ()
    negated: bool = False

    def matches(self, value: Json, kind: str, run: Run) -> bool:
        """Whether the cell is met; *run* holds the data of the case and, under `INPUT`, the *value*."""
        if not self.tests:
            return True
        run.spend(len(self.tests))
        return any(test.holds(value, kind, run) for test in self.tests) is not self.negated

    @property
    def literals(self) -> list[Literal] | None:
        """All it compares with; None where some of that is only known when it runs."""
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
    Compile an input cell of a column whose values are of *kind*.

    Raises:
        ExpressionError: Says what is not understood, and what to write.
    """
    words = words_of(source)
    if [word.text for word in words] in ([], ["-"], ["–"], ["—"]):
        return Cell()
    inside = _negated(words)
    negated = inside is not None
    parts = inside if inside is not None else _separated(words)
    if len(parts) > MAX_TESTS:
        raise ExpressionError(f"A cell has at most {MAX_TESTS} values; split the rule.")
    if any(not part for part in parts):
        raise ExpressionError("A value is missing beside a comma.")
    return Cell(tests=tuple(_test(source, part, kind) for part in parts), negated=negated)


def _negated(words: Sequence[Word]) -> list[list[Word]] | None:
    """The tests of a cell that is ``not(…)`` as a whole; None for any other."""
    if [word.text for word in words[:2]] != ["not", "("] or words[-1].text != ")":
        return None
    try:
        return _separated(words[2:-1])
    except ExpressionError:  # the first bracket is closed before the end
        return None


def _separated(words: Sequence[Word]) -> list[list[Word]]:
    """The tests between the commas of a cell; brackets that close a range may be turned either way."""
    parts: list[list[Word]] = [[]]
    waiting: list[str] = []
    place = 0
    while place < len(words):
        word = words[place]
        end = _range_end(words, place) if not waiting and not parts[-1] else 0
        if end:
            parts[-1] += words[place : end + 1]
            place = end + 1
            continue
        if word.text == "," and not waiting:
            parts.append([])
        else:
            if word.kind == "sign" and word.text in _OPEN:
                waiting.append(_OPEN[word.text])
            elif word.kind == "sign" and word.text in _CLOSE and (not waiting or waiting.pop() != word.text):
                raise ExpressionError(f"“{word.text}” closes nothing.")
            parts[-1].append(word)
        place += 1
    if waiting:
        raise ExpressionError(f"“{waiting[-1]}” is missing.")
    return parts


def _range_end(words: Sequence[Word], start: int) -> int:
    """Where the range that begins at *start* ends; 0 where none begins."""
    if words[start].text not in ("[", "(", "]"):
        return 0
    depth, dots = 0, False
    for place in range(start + 1, len(words)):
        text = words[place].text if words[place].kind == "sign" else ""
        if not depth and dots and text in ("]", ")", "["):
            return place
        if not depth and (text in (",", "]", "[") or text == ")"):
            return 0
        dots |= text == ".." and not depth
        depth += {"(": 1, ")": -1}.get(text, 0)
    return 0


def _test(source: str, words: Sequence[Word], kind: str) -> Test:
    first = words[0]
    if first.text == "not" and len(words) > 1 and words[1].text == "(" and not _mentions_input(words):
        raise ExpressionError("“not(…)” stands around the whole cell, or is part of a condition with “?”.")
    if first.kind == "sign" and first.text in _COMPARE:
        return Compares(first.text, _ordered(_endpoint(source, words[1:], kind)))
    if first.kind == "sign" and first.text in _EQUAL:
        return Equals(_endpoint(source, words[1:], kind), _EQUAL[first.text])
    if any(word.kind == "sign" and word.text == ".." for word in words):
        return _range(source, words, kind)
    found = literal_of(words)
    if found is not None:
        return Equals(_fitting(found, kind))
    compiled = expression(source, words)
    if _mentions_input(words):
        return Holds(compiled)
    if any(word.text in _CONDITIONS for word in _outside_brackets(words)):
        raise ExpressionError(
            "It is not clear whether this is compared with the column's value or a condition of its own. "
            "Write a condition with “?”, or give it an input column with the expression."
        )
    return Equals(compiled)


def _outside_brackets(words: Sequence[Word]) -> Iterator[Word]:
    depth = 0
    for word in words:
        if word.kind == "sign" and word.text in _CLOSE:
            depth -= 1
        if not depth and word.kind != "string":
            yield word
        if word.kind == "sign" and word.text in _OPEN:
            depth += 1


def _mentions_input(words: Sequence[Word]) -> bool:
    return any(word.kind == "sign" and word.text == "?" for word in words)


def _range(source: str, words: Sequence[Word], kind: str) -> Within:
    dots = [place for place, word in enumerate(words) if word.kind == "sign" and word.text == ".."]
    opens, closes = words[0].text, words[-1].text
    if len(dots) != 1 or opens not in ("[", "(", "]") or closes not in ("]", ")", "["):
        raise ExpressionError("A range is written like [1..9], (1..9), ]1..9[ or [1..9).")
    low = _ordered(_endpoint(source, words[1 : dots[0]], kind))
    high = _ordered(_endpoint(source, words[dots[0] + 1 : -1], kind))
    if isinstance(low, Literal) and isinstance(high, Literal):
        if low.kind != high.kind:
            raise ExpressionError(f"The range begins with {a_kind(low.kind)} and ends with {a_kind(high.kind)}.")
        first, last = ordered([low.key, high.key]) if low.kind == "text" else (low.key, high.key)
        if first > last or (first == last and (opens, closes) != ("[", "]")):
            raise ExpressionError("The range ends before it begins, or is empty; nothing would ever be in it.")
    return Within(Compares(">=" if opens == "[" else ">", low), Compares("<=" if closes == "]" else "<", high))


def _ordered(end: Endpoint) -> Endpoint:
    if isinstance(end, Literal) and end.kind in ("null", "true or false"):
        raise ExpressionError(f"Nothing is smaller or larger than {a_kind(end.kind)}.")
    return end


def _endpoint(source: str, words: Sequence[Word], kind: str) -> Endpoint:
    if not words:
        raise ExpressionError("A value to compare with is missing.")
    found = literal_of(words)
    if found is not None:
        return _fitting(found, kind)
    if _mentions_input(words):
        raise ExpressionError("“?” is the value that is compared; write the whole comparison with it: “? > …”.")
    if any(word.text in ("and", "or", ",") for word in words):
        raise ExpressionError("One comparison stands in each test. Write a range like [1..9], or “? > 1 and ? < 9”.")
    return expression(source, words)


def _fitting(found: Literal, kind: str) -> Literal:
    """*found* if a column of *kind* can ever hold it; a text in a column of dates is read as the date it says."""
    if not kind or found is NULL or found.kind == kind:
        return found
    try:
        if found.kind in ("text", "number"):
            return literal(found.value, kind)
    except ExpressionError as error:
        raise ExpressionError(f"The column holds values of the type “{kind}”; {error.message}") from None
    raise ExpressionError(f"The column holds values of the type “{kind}”, so it is never {a_kind(found.kind)}.")


def _computed(compiled: Expression, kind: str, run: Run) -> Literal | list[Literal]:
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
    """*value* as what *end* is compared with; what has no order with it is an error, not a “no”."""
    if end.kind in ("number", "text") and kind_of(value) == end.kind:
        return value
    try:
        found = literal(value, end.kind if end.kind != "whole number" else "number")
    except ExpressionError as error:
        raise DecisionFailed(f"The value cannot be compared: {error.message}") from None
    if found.kind in ("true or false", "list", "record"):
        raise DecisionFailed(f"A value of the kind “{found.kind}” has no order to compare by.")
    return found.key
