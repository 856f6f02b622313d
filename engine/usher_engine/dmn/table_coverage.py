"""Finds overlapping rules and inputs without a rule by sampling values around every literal in the cells.

Exact for tables whose input cells compare with literals; other tables are skipped. The cells are evaluated by the same
code as in a running case.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from usher_engine.core.canonical import Json
from usher_engine.core.errors import DecisionFailed, ExpressionError
from usher_engine.expressions import Run

from .decision_table import Input, Rule, Table
from .literals import Literal

MAX_RULES = 150
MAX_LOOKS = 60_000  # values times rules; larger tables are skipped
MAX_TRIES = 20_000
MAX_OVERLAPS = 5
_FUEL = 10_000_000
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Two rules that match the same input, or with empty *rules* an input that no rule matches; *example* shows it."""

    rules: tuple[Rule, ...]
    example: str


@dataclass(frozen=True)
class _Sample:
    """The label of one sample value of a column, and a bit set of the rules it matches."""

    words: str
    meets: int


def coverage(table: Table) -> list[Overlap]:
    """Return the first overlaps of *table*, and one input without a rule, if any."""
    if len(table.rules) > MAX_RULES or not table.inputs:
        return []
    columns: list[list[_Sample]] = []
    looks = MAX_LOOKS
    for place, column in enumerate(table.inputs):
        samples = _samples(table, place, column)
        looks -= len(samples or ()) * len(table.rules)
        if samples is None or looks < 0:
            return []
        columns.append([_sample(table, place, value, words) for value, words in samples])
    return [*_overlaps(table, columns), *_gap(columns, table)]


def _sample(table: Table, place: int, value: Json, words: str) -> _Sample:
    run, kind, meets = Run({}, _START, _FUEL), table.inputs[place].kind, 0
    for bit, rule in enumerate(table.rules):
        try:
            meets |= rule.cells[place].matches(value, kind, run) << bit
        except (DecisionFailed, ExpressionError):
            continue
    return _Sample(words, meets)


def _overlaps(table: Table, columns: Sequence[Sequence[_Sample]]) -> Iterator[Overlap]:
    matches = [_matching_values(samples, len(table.rules)) for samples in columns]
    found = 0
    for second, rule in enumerate(table.rules):
        for first in range(second):
            both = [by_rule[first] & by_rule[second] for by_rule in matches]
            if all(both):
                example = [samples[_lowest(bits)] for samples, bits in zip(columns, both, strict=True)]
                yield Overlap(rules=(table.rules[first], rule), example=_describe(table, example))
                found += 1
                if found == MAX_OVERLAPS:
                    return


def _matching_values(samples: Sequence[_Sample], rules: int) -> list[int]:
    """For each rule, a bit set of the sample values that match it."""
    return [sum((sample.meets >> rule & 1) << bit for bit, sample in enumerate(samples)) for rule in range(rules)]


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _gap(columns: Sequence[Sequence[_Sample]], table: Table) -> Iterator[Overlap]:
    """Yield an input that no rule matches; tries combinations of values that differ in the rules they match."""
    every = (1 << len(table.rules)) - 1
    distinct = [list({sample.meets: sample for sample in reversed(samples)}.values()) for samples in columns]
    waiting: list[tuple[tuple[_Sample, ...], int]] = [((), every)]
    for _ in range(MAX_TRIES):
        if not waiting:
            return
        picked, left = waiting.pop()
        if not left:
            rest = [samples[-1] for samples in distinct[len(picked) :]]
            yield Overlap(rules=(), example=_describe(table, [*picked, *rest]))
            return
        if len(picked) < len(columns):
            waiting += (((*picked, sample), left & sample.meets) for sample in distinct[len(picked)])


def _describe(table: Table, samples: Sequence[_Sample]) -> str:
    pairs = zip(table.inputs, samples, strict=True)
    return ", ".join(f"{column.label} is {sample.words}" for column, sample in pairs)


def _samples(table: Table, place: int, column: Input) -> list[tuple[Json, str]] | None:
    """Labelled sample values that represent all values of a column; None if they cannot be determined."""
    if column.allowed is not None:
        return [(value, _show(value)) for value in column.allowed]
    named: dict[str, list[Literal]] = {}
    for rule in table.rules:
        literals = rule.cells[place].literals
        if literals is None:
            return None
        for one in literals:
            named.setdefault(one.kind, []).append(one)
    empty: list[tuple[Json, str]] = [(None, "nothing")] if named.pop("null", None) else []
    kind = column.kind or (next(iter(named)) if len(named) == 1 else "")
    if not named and kind != "true or false":
        return [*empty, (_unused_text([]), "anything else" if empty else "anything")]
    if len(named) > 1:
        return None
    ends = sorted({literal.key for literals in named.values() for literal in literals})
    around = _boundary_values(kind, ends, table, place)
    return None if around is None else around + empty


def _boundary_values(kind: str, ends: list[float | str], table: Table, place: int) -> list[tuple[Json, str]] | None:
    if kind == "true or false":
        return [(True, "true"), (False, "false")]
    if kind == "text":
        plain = all(hasattr(test, "wanted") for rule in table.rules for test in rule.cells[place].tests)
        return [*((end, _show(end)) for end in ends), (_unused_text(ends), "another text")] if plain else None
    numbers = [end for end in ends if not isinstance(end, str)]
    if kind == "number":
        found = [*numbers, numbers[0] - 1, numbers[-1] + 1]
        found += [(low + high) / 2 for low, high in pairwise(numbers)]
    elif kind in ("whole number", "date", "date and time"):
        found = sorted({n + step for n in numbers for step in (-1, 0, 1)})
    else:
        return None
    return [(value, _show(value)) for number in found if (value := _value(kind, number)) is not None]


def _value(kind: str, number: float) -> Json:
    try:
        if kind == "date":
            return date.fromordinal(int(number)).isoformat()
        if kind == "date and time":
            return (_START + timedelta(seconds=number)).isoformat()
    except (ValueError, OverflowError):
        return None
    return int(number) if kind == "whole number" or number == int(number) else number


def _unused_text(texts: list[float | str]) -> str:
    found = "…"
    while found in texts:
        found += "…"
    return found


def _show(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else f"“{value}”" if isinstance(value, str) else str(value)
