"""Which rules of a table overlap, and for what no rule is there: tried out on values around everything cells name.

Exact for tables whose input cells compare with literals; nothing is said about any other table. Every cell is asked
by the code that asks it when a case runs.
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
MAX_LOOKS = 60_000  # values times rules; a table that needs more is not looked at
MAX_TRIES = 20_000
MAX_OVERLAPS = 5
_FUEL = 10_000_000
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Two rules that match the same input, or, without *rules*, an input no rule matches; *example* says which."""

    rules: tuple[Rule, ...]
    example: str


@dataclass(frozen=True)
class _Sampled:
    """What one value of a column is called, and which rules it meets, one bit for each."""

    words: str
    meets: int


def coverage(table: Table) -> list[Overlap]:
    """The first overlaps of *table*, and one input it has no rule for, if there is any."""
    if len(table.rules) > MAX_RULES or not table.inputs:
        return []
    columns: list[list[_Sampled]] = []
    looks = MAX_LOOKS
    for place, column in enumerate(table.inputs):
        samples = _samples(table, place, column)
        looks -= len(samples or ()) * len(table.rules)
        if samples is None or looks < 0:
            return []
        columns.append([_sampled(table, place, value, words) for value, words in samples])
    return [*_overlaps(table, columns), *_gap(columns, table)]


def _sampled(table: Table, place: int, value: Json, words: str) -> _Sampled:
    run, kind, meets = Run({}, _START, _FUEL), table.inputs[place].kind, 0
    for bit, rule in enumerate(table.rules):
        try:
            meets |= rule.cells[place].matches(value, kind, run) << bit
        except (DecisionFailed, ExpressionError):
            continue
    return _Sampled(words, meets)


def _overlaps(table: Table, columns: Sequence[Sequence[_Sampled]]) -> Iterator[Overlap]:
    met = [_met(samples, len(table.rules)) for samples in columns]
    found = 0
    for second, rule in enumerate(table.rules):
        for first in range(second):
            both = [by_rule[first] & by_rule[second] for by_rule in met]
            if all(both):
                example = [samples[_lowest(bits)] for samples, bits in zip(columns, both, strict=True)]
                yield Overlap(rules=(table.rules[first], rule), example=_told(table, example))
                found += 1
                if found == MAX_OVERLAPS:
                    return


def _met(samples: Sequence[_Sampled], rules: int) -> list[int]:
    """For each rule the values of a column that meet it, one bit for each."""
    return [sum((sample.meets >> rule & 1) << bit for bit, sample in enumerate(samples)) for rule in range(rules)]


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _gap(columns: Sequence[Sequence[_Sampled]], table: Table) -> Iterator[Overlap]:
    """Goes through combinations of values, leaving out those that meet the same rules."""
    every = (1 << len(table.rules)) - 1
    distinct = [list({sample.meets: sample for sample in reversed(samples)}.values()) for samples in columns]
    waiting: list[tuple[tuple[_Sampled, ...], int]] = [((), every)]
    for _ in range(MAX_TRIES):
        if not waiting:
            return
        chosen, left = waiting.pop()
        if not left:
            rest = [samples[-1] for samples in distinct[len(chosen) :]]
            yield Overlap(rules=(), example=_told(table, [*chosen, *rest]))
            return
        if len(chosen) < len(columns):
            waiting += (((*chosen, sample), left & sample.meets) for sample in distinct[len(chosen)])


def _told(table: Table, samples: Sequence[_Sampled]) -> str:
    pairs = zip(table.inputs, samples, strict=True)
    return ", ".join(f"{column.label} is {sample.words}" for column, sample in pairs)


def _samples(table: Table, place: int, column: Input) -> list[tuple[Json, str]] | None:
    """Values that stand for all a column can hold, each with how it is called; None where that is not known."""
    if column.allowed is not None:
        return [(value, _shown(value)) for value in column.allowed]
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
        return [*empty, (_other([]), "anything else" if empty else "anything")]
    if len(named) > 1:
        return None
    ends = sorted({literal.key for literals in named.values() for literal in literals})
    around = _around(kind, ends, table, place)
    return None if around is None else around + empty


def _around(kind: str, ends: list[float | str], table: Table, place: int) -> list[tuple[Json, str]] | None:
    if kind == "true or false":
        return [(True, "true"), (False, "false")]
    if kind == "text":
        plain = all(hasattr(test, "wanted") for rule in table.rules for test in rule.cells[place].tests)
        return [*((end, _shown(end)) for end in ends), (_other(ends), "another text")] if plain else None
    numbers = [end for end in ends if not isinstance(end, str)]
    if kind == "number":
        found = [*numbers, numbers[0] - 1, numbers[-1] + 1]
        found += [(low + high) / 2 for low, high in pairwise(numbers)]
    elif kind in ("whole number", "date", "date and time"):
        found = sorted({n + step for n in numbers for step in (-1, 0, 1)})
    else:
        return None
    return [(value, _shown(value)) for number in found if (value := _value(kind, number)) is not None]


def _value(kind: str, number: float) -> Json:
    try:
        if kind == "date":
            return date.fromordinal(int(number)).isoformat()
        if kind == "date and time":
            return (_START + timedelta(seconds=number)).isoformat()
    except (ValueError, OverflowError):
        return None
    return int(number) if kind == "whole number" or number == int(number) else number


def _other(texts: list[float | str]) -> str:
    found = "…"
    while found in texts:
        found += "…"
    return found


def _shown(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else f"“{value}”" if isinstance(value, str) else str(value)
