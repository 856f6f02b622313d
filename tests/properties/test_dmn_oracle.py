"""Random decision tables against an oracle that knows nothing of cells, only of what each was drawn to mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from drawn_tables import decision, package, table
from hypothesis import given, settings
from hypothesis import strategies as st
from usher_engine.core.errors import DecisionFailed, ExpressionError
from usher_engine.dmn import compile_decisions, coverage, read_package
from usher_engine.dmn.cell_lexer import INPUT
from usher_engine.dmn.unary_tests import read_cell
from usher_engine.expressions import Run

NOW = datetime(2026, 5, 4, tzinfo=UTC)
COLOURS = ("red", "green", "blue")
Meaning = Callable[[Any], bool]
Drawn = tuple[str, Meaning]

numbers = st.integers(-3, 6)
ends = {"[": (lambda v, a: v >= a), "(": (lambda v, a: v > a), "]": (lambda v, a: v > a)}
closings = {"]": (lambda v, b: v <= b), ")": (lambda v, b: v < b), "[": (lambda v, b: v < b)}


def number_tests() -> st.SearchStrategy[Drawn]:
    def ranged(pair: tuple[int, int], opens: str, closes: str) -> Drawn:
        low, high = sorted(pair)
        high += low == high and opens + closes != "[]"
        meant = lambda v: ends[opens](v, low) and closings[closes](v, high)  # noqa: E731
        return f"{opens}{low}..{high}{closes}", lambda v: v is not None and meant(v)

    def compared(sign: str, n: int) -> Drawn:
        meant = {"<": lambda v: v < n, "<=": lambda v: v <= n, ">": lambda v: v > n, ">=": lambda v: v >= n}[sign]
        return f"{sign} {n}", lambda v: v is not None and meant(v)

    return st.one_of(
        st.builds(lambda n: (str(n), lambda v: v == n), numbers),
        st.just(("null", lambda v: v is None)),
        st.builds(compared, st.sampled_from(("<", "<=", ">", ">=")), numbers),
        st.builds(ranged, st.tuples(numbers, numbers), st.sampled_from("[(]"), st.sampled_from("])[")),
        st.builds(lambda n: (f"? != null and ? * 2 > {n}", lambda v: v is not None and v * 2 > n), numbers),
    )


def text_tests() -> st.SearchStrategy[Drawn]:
    return st.builds(lambda c: (f'"{c}"', lambda v: v == c), st.sampled_from(COLOURS))


def cells(tests: st.SearchStrategy[Drawn]) -> st.SearchStrategy[Drawn]:
    several = st.lists(tests, min_size=1, max_size=3).map(
        lambda found: (", ".join(text for text, _ in found), lambda v: any(meant(v) for _, meant in found))
    )
    negated = several.map(lambda cell: (f"not({cell[0]})", lambda v: not cell[1](v)))
    return st.one_of(st.just(("-", lambda _v: True)), several, negated)


literal_tests = number_tests().filter(lambda drawn: "?" not in drawn[0])
rules = st.lists(st.tuples(cells(number_tests()), cells(text_tests()), st.sampled_from((1, 2, 3))), max_size=6)
cases = st.tuples(st.one_of(st.none(), numbers), st.one_of(st.none(), st.sampled_from((*COLOURS, "other"))))
ORDER = [3, 1, 2]


def expected(policy: str, aggregation: str, hits: list[int]) -> Any:
    match policy, aggregation:
        case "UNIQUE", _:
            return DecisionFailed if len(hits) > 1 else next(iter(hits), None)
        case "ANY", _:
            return DecisionFailed if len(set(hits)) > 1 else next(iter(hits), None)
        case "FIRST", _:
            return next(iter(hits), None)
        case "PRIORITY", _:
            return next(iter(sorted(hits, key=ORDER.index)), None)
        case "OUTPUT ORDER", _:
            return sorted(hits, key=ORDER.index)
        case _, "COUNT":
            return len(hits)
        case _, "":
            return hits
        case _:
            return {"SUM": sum, "MIN": min, "MAX": max}[aggregation](hits) if hits else None


POLICIES = [(policy, "") for policy in ("UNIQUE", "ANY", "FIRST", "PRIORITY", "OUTPUT ORDER", "RULE ORDER", "COLLECT")]
POLICIES += [("COLLECT", aggregation) for aggregation in ("SUM", "MIN", "MAX", "COUNT")]


@pytest.mark.parametrize(("policy", "aggregation"), POLICIES)
@settings(max_examples=25, deadline=None)
@given(drawn=rules, data=st.lists(cases, min_size=1, max_size=5))
def test_a_table_gives_what_its_cells_mean(policy: str, aggregation: str, drawn: Any, data: Any) -> None:
    rows = [((number[0], colour[0]), [str(out)]) for number, colour, out in drawn]
    columns = [("n", "number"), ("c", "string")]
    logic = table(columns, [("out", "", "3,1,2")], rows, policy, aggregation)
    compiled = compile_decisions(package(decision(logic)))
    for n, c in data:
        hits = [out for number, colour, out in drawn if number[1](n) and colour[1](c)]
        wanted = expected(policy, aggregation, hits)
        try:
            found = compiled.decide("D", {"n": n, "c": c}, NOW)[0].value
        except DecisionFailed:
            found = DecisionFailed
        assert found == wanted


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells(literal_tests), cells(text_tests())), min_size=1, max_size=4))
def test_overlaps_and_gaps_are_real_and_none_is_missed(drawn: Any) -> None:
    rows = [((number[0], colour[0]), ["1"]) for number, colour in drawn]
    compiled = compile_decisions(package(decision(table([("n", "integer"), ("c", "string")], rows=rows))))
    found = coverage(compiled.by_id["D"].logic)
    reported = {tuple(rule.number for rule in overlap.rules) for overlap in found}
    real: set[tuple[int, ...]] = set()
    nothing = [None] if any("null" in number[0] for number, _ in drawn) else []  # tried where a cell names it
    for n in (*range(-6, 10), *nothing):
        for c in (*COLOURS, "other"):
            hits = [i for i, (number, colour) in enumerate(drawn, start=1) if number[1](n) and colour[1](c)]
            if not hits:
                real.add(())
            real |= {(a, b) for a in hits for b in hits if a < b}
    assert reported <= real
    assert bool(reported) == bool(real)


SIGNS = st.text(alphabet='?-<>=![](){}.,"\'0159 abnotdenulr_#@$\\+*/%:ʔ“é', max_size=25)


@settings(max_examples=400, deadline=None)
@given(source=SIGNS, value=st.sampled_from([None, 1, "a", True, [1], {"a": 1}, "2026-05-03"]))
def test_any_text_in_a_cell_is_a_test_or_a_refusal(source: str, value: Any) -> None:
    run = Run({"a": 1, "b": "x", INPUT: value}, NOW, 5_000)
    try:
        assert isinstance(read_cell(source).matches(value, "", run), bool)
    except (ExpressionError, DecisionFailed):
        return


@settings(max_examples=80, deadline=None)
@given(st.lists(SIGNS, min_size=5, max_size=5), st.sampled_from(("UNIQUE", "FIRST", "LUCKY", "")))
def test_any_text_in_a_table_is_a_decision_or_a_refusal(texts: list[str], policy: str) -> None:
    expression, name, kind, cell, answer = texts
    drawn = table([(expression, kind)], [(name, kind, cell)], [([cell], [answer])], policy)
    found = read_package(package(decision(drawn)))
    assert found.problems or found.by_id
