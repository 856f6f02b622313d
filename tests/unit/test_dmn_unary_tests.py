"""Input cells: what each way of writing matches, and that nothing is ever a silent no."""

import time
from datetime import UTC, datetime

import pytest
from usher_engine.core.errors import DecisionFailed, ExpressionError
from usher_engine.dmn.cell_lexer import INPUT
from usher_engine.dmn.unary_tests import read_cell
from usher_engine.expressions import Run

NOW = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)
DATA = {"limit": 7, "names": ["Ada", "Bob"], "none": None, "patient": {"status": "Pending"}, "day": "2026-05-03"}


def matches(source, value, kind=""):
    return read_cell(source, kind).matches(value, kind, Run({**DATA, INPUT: value}, NOW, 10_000))


@pytest.mark.parametrize(
    ("source", "yes", "no"),
    [
        ("-", [1, "a", None, True, [1]], []),
        ("", [1, "a", None], []),
        ('"a"', ["a"], ["b", "", None, 1, "A"]),
        ("'a'", ["a"], ["b"]),
        (r'"say \"hi\""', ['say "hi"'], ["say hi"]),
        ('"a","b"', ["a", "b"], ["c", "a,b", None]),
        ('"a, b"', ["a, b"], ["a"]),
        ('not("a")', ["b", 1, None], ["a"]),
        ('not("a", "b")', ["c"], ["a", "b"]),
        ("not(5, > 9)", [6, 9, 4], [5, 10]),
        ("not(null)", ["a", 0, False], [None]),
        ("5", [5, 5.0], [6, "5", None, True]),
        ("1", [1], [True]),
        ("-5", [-5], [5]),
        (".5", [0.5], [5]),
        ("1e3", [1000], [1]),
        ("null", [None], ["", 0, False]),
        ("true", [True], [False, 1, "true", None]),
        ("false", [False], [True, 0, None]),
        ("True", [True], [False]),
        ("< 5", [4, -1, 4.9], [5, 6, None]),
        ("<=5", [4, 5], [5.1]),
        ("> 5", [6], [5, None]),
        (">= 5", [5], [4]),
        ("!= 5", [6, "5", None], [5]),
        ("= 5", [5], [6]),
        ("> limit", [8], [7]),
        (">= -1", [0], [-2]),
        ("[1..9]", [1, 5, 9], [0, 10, None]),
        ("(1..9)", [2, 8.9], [1, 9]),
        ("]1..9[", [2], [1, 9]),
        ("[1..9)", [1], [9]),
        ("(1..9]", [9], [1]),
        ("[1..9[", [1], [9]),
        ("]1..9]", [9], [1]),
        ("[1...5]", [], []),
        ("[-9..-1]", [-5], [0]),
        ("[1..limit]", [7], [8]),
        ("]1..3[,]5..7[, 9", [2, 6, 9], [1, 3, 4, 5]),
        ("[1..3], [5..7]", [3, 5], [4]),
        ("not([1..3])", [4, None], [2]),
        ('["a".."c"]', ["a", "bzz"], ["d"]),
        ('["a","b"]', ["a"], ["c"]),
        ("names", ["Ada", "Bob"], ["Eve", None]),
        ("none", [None], [0]),
        ("limit, limit + 1", [7, 8], [9]),
        ("patient.status", ["Pending"], ["Completed"]),
        ("? > 5 and ? != limit", [6, 8], [5, 7]),
        ("? in names", ["Ada"], ["Eve"]),
        ("5 < ? < 10", [6], [10]),
        ('"d" in ?', ["Ada"], ["Bob"]),
        ('?.startswith("A")', ["Ada"], ["Bob"]),
        ("? == true or ? == null", [True, None], [False]),
        ('? == "is it true?"', ["is it true?"], ["True"]),
        ('date("2026-05-03")', ["2026-05-03"], ["2026-05-04", None]),
        ('< date("2026-05-03")', ["2026-05-02"], ["2026-05-03", None]),
        ('[date("2026-01-01")..date("2026-12-31")]', ["2026-05-03"], ["2025-05-03"]),
        ('date and time("2026-05-03T10:00:00Z")', ["2026-05-03T12:00:00+02:00"], ["2026-05-03T12:00:00Z"]),
        ('> date and time("2026-05-03T10:00:00")', ["2026-05-03T10:00:01Z"], ["2026-05-03T10:00:00Z"]),
        ('duration("P2D")', ["PT48H"], ["P1D"]),
        ('> duration("P2D")', ["P1W"], ["P2D"]),
    ],
)
def test_what_a_cell_matches(source, yes, no):
    if source == "[1...5]":  # 1, the range sign, and one half: it ends before it starts
        with pytest.raises(ExpressionError, match="ends before it starts"):
            read_cell(source)
        return
    assert [value for value in yes if not matches(source, value)] == []
    assert [value for value in no if matches(source, value)] == []


@pytest.mark.parametrize(
    ("source", "kind", "yes", "no"),
    [
        ('"2026-05-03"', "date", ["2026-05-03"], ["2026-05-04"]),
        ("<= day", "date", ["2026-05-03"], ["2026-05-04"]),
        ("<= today()", "date", ["2026-05-04"], ["2026-05-05"]),
        ("< now()", "date and time", ["2026-05-04T11:01:59+02:00"], ["2026-05-04T09:02:00Z"]),
        ("5", "whole number", [5], [6]),
        ("[1..9]", "whole number", [9], [10]),
    ],
)
def test_typed_columns(source, kind, yes, no):
    assert [value for value in yes if not matches(source, value, kind)] == []
    assert [value for value in no if matches(source, value, kind)] == []


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        ("1,,2", "", "missing next to a comma"),
        (",", "", "missing next to a comma"),
        ('"a', "", "not closed"),
        ("“a”", "", 'write "…"'),
        ('"a" "b"', "", "comma is missing"),
        ("[1..9", "", "missing"),
        ("1..9", "", "like [1..9]"),
        ("[9..1]", "", "before it starts"),
        ('[1.."b"]', "", "ends with a text"),
        (")", "", "has no opening bracket"),
        ("<", "", "missing"),
        ("> null", "", "smaller or larger"),
        ("> true", "", "smaller or larger"),
        (">= 5 and < 10", "", "range like"),
        ("> 1 or > 2", "", "range like"),
        ("limit > 5", "", "not clear"),
        ("limit > 5 and none", "", "not clear"),
        ("> ?", "", "whole comparison"),
        ('not(not("a"))', "", "whole cell"),
        ('not("a") and not("b")', "", "whole cell"),
        ("? = 5", "", "write “==”"),
        ('contains(?, "a")', "", "part in text"),
        ('starts with(?, "a")', "", "startswith"),
        ("if ? > 1 then true else false", "", "if … else"),
        ("? between 1 and 3", "", "range"),
        ('matches(?, "a+")', "", "no function “matches”"),
        ('time("10:00:00")', "", "date and time"),
        ('date("yesterday")', "", "2026-05-03"),
        ('duration("P1M")', "", "P2D"),
        ('@"2026-05-03"', "", "date("),
        ("${amount > 5}", "", "without"),
        ("# anything", "", "not valid"),
        ('"a"', "number", "type “number”"),
        ("5", "text", "type “text”"),
        ("5.5", "whole number", "whole number"),
        ("true", "text", "type “text”"),
        ('date("2026-05-03")', "date and time", "type “date and time”"),
        ('"soon"', "date", "2026-05-03"),
        ("(" * 300 + "1" + ")" * 300, "", "nested"),
        ("1," * 300 + "1", "", "at most 200"),
        ('"' + "x" * 5_000 + '"', "", "longer than"),
        ("().__class__.__bases__[0].__subclasses__()", "", "reserved"),
        ('__import__("os")', "", "reserved"),
        ("?.__class__", "", "reserved"),
        ('open("/etc/passwd")', "", "no function “open”"),
        ("(lambda: 1)()", "", "by its name"),
        ("9 ** 9 ** 9", "", "“**”"),
        ("[x for x in range(9) for y in range(9)]", "", "for"),
    ],
)
def test_a_refusal_explains_what_to_write(source, kind, words):
    with pytest.raises(ExpressionError) as refused:
        read_cell(source, kind)
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("source", "value"),
    [("< 5", "a"), ("< 5", True), ("[1..9]", [1]), ('date("2026-05-03")', "soon"), ('> "a"', 5), ("< names", 3),
     ("? + 1", 5), ("? > 5", "a"), ("nobody", 1)],
)  # fmt: skip
def test_an_impossible_comparison_is_an_error_and_not_a_mismatch(source, value):
    with pytest.raises((DecisionFailed, ExpressionError)):
        matches(source, value)


def test_the_work_of_a_cell_is_bounded():
    with pytest.raises(ExpressionError, match="too much work"):
        matches("? in [x * x * x for x in range(1000)] or ? in [x + x + x for x in range(1000)]", 1.5)


def test_the_hint_is_found_quickly():
    began = time.process_time()
    for _ in range(50):
        with pytest.raises(ExpressionError):
            read_cell("if " * 1_333)
    assert time.process_time() - began < 5
