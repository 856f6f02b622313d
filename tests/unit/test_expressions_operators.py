"""Each operator with each pair of kinds, its value or the reason it has none; each limit, just kept and just broken."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import Run, compile_expression, compile_script
from usher_engine.expressions import operators as o
from usher_engine.expressions.budget import checked_number

NOW = datetime(2026, 11, 23, 13, 40, tzinfo=UTC)
KINDS = {
    "nothing": None, "true or false": True, "a number": 7, "a fraction": 2.5, "a text": "ab", "a list": [1],
    "a record": {"a": 1},
}  # fmt: skip
NUMBERS = ("true or false", "a number", "a fraction")
ORDERED = ("a number", "a fraction")
PYTHON = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
    "//": lambda a, b: a // b, "%": lambda a, b: a % b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
PAIRS = [pytest.param(left, right, id=f"{left}, {right}") for left, right in product(KINDS, KINDS)]
MOST = 10**30 - 1


def value(source, **data):
    return compile_expression(source).evaluate(data, NOW)


def refusal(source, **data):
    with pytest.raises(ExpressionError) as caught:
        value(source, **data)
    return caught.value.message


def kind_text(kind):
    return "a number" if kind == "a fraction" else kind


def same(left, right):
    return (left, type(left)) == (right, type(right))


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "//", "%"])
def test_arithmetic_takes_numbers_and_plus_joins_what_is_alike(sign, left, right):
    a, b = KINDS[left], KINDS[right]
    alike = sign == "+" and left == right and left in ("a text", "a list")
    if (left in NUMBERS and right in NUMBERS) or alike:
        assert same(value(f"a {sign} b", a=a, b=b), PYTHON[sign](a, b))
        return
    message = refusal(f"a {sign} b", a=a, b=b)
    assert f"“{sign}” takes two numbers" in message
    assert f"not {kind_text(left)} and {kind_text(right)}" in message


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_order_is_known_of_two_numbers_or_two_texts(sign, left, right):
    a, b = KINDS[left], KINDS[right]
    if (left in ORDERED and right in ORDERED) or left == right == "a text":
        for first, second in ((a, b), (b, a), (a, a)):
            assert value(f"a {sign} b", a=first, b=second) is PYTHON[sign](first, second)
        return
    expected = f"not of {kind_text(left)} and {kind_text(right)}"
    assert expected in refusal(f"a {sign} b", a=a, b=b)
    if right in ("true or false", "nothing", "a number"):  # the short way of comparing with a constant
        assert expected in refusal(f"a {sign} {b}", a=a)


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_equality_never_fails_and_never_mixes_kinds(left, right):
    a, b = KINDS[left], KINDS[right]
    assert value("a == b", a=a, b=b) is (left == right)
    assert value("a != b", a=a, b=b) is (left != right)
    assert value("a == b", a=7, b=7.0) is value("a == 7.0", a=7) is True
    if right not in ("a list", "a record"):
        assert value(f"a == {b!r}", a=a) is (left == right)
        assert value(f"a != {b!r}", a=a) is (left != right)


@pytest.mark.parametrize(("part", "whole"), PAIRS)
def test_membership_looks_into_lists_texts_and_records(part, whole):
    a, b = KINDS[part], KINDS[whole]
    if whole == "a text" and part != "a text":
        assert refusal("a in b", a=a, b=b) == f"“in” finds a text in a text, not {kind_text(part)}."
    elif whole in ("a text", "a list", "a record"):
        expected = {"a text": True, "a list": False, "a record": False}[whole]
        assert value("a in b", a=a, b=b) is expected
        assert value("a not in b", a=a, b=b) is not expected
    else:
        kind = kind_text(whole)
        assert refusal("a in b", a=a, b=b) == f"“in” looks into a list, a text or a record, not into {kind}."
        assert "“in” looks into" in refusal("a not in b", a=a, b=b)


def test_what_is_found_is_the_first():
    run = Run({}, NOW, 100)
    assert [o.index_of(run, part, [3, "a", 3, None]) for part in (3, "a", None, "b", True)] == [0, 1, 3, -1, -1]
    assert value("'a' in r and 'b' not in r and 1 not in r", r={"a": 1}) is True


@pytest.mark.parametrize(("sign", "changed"), [("-", -7), ("+", 7)])
def test_a_sign_takes_a_number(sign, changed):
    assert value(f"{sign}a", a=7) == changed
    assert same(value(f"{sign}a", a=True), int(f"{sign}1"))
    for kind in KINDS.keys() - {*NUMBERS}:
        assert refusal(f"{sign}a", a=KINDS[kind]) == f"“{sign}” in front takes a number, not {kind}."


@pytest.mark.parametrize("sign", ["/", "//", "%"])
@pytest.mark.parametrize("zero", [0, 0.0, -0.0, False])
def test_nothing_is_divided_by_zero(sign, zero):
    assert refusal(f"a {sign} b", a=1, b=zero) == "A number cannot be divided by zero."
    assert same(value(f"b {sign} a", a=2, b=zero), PYTHON[sign](zero, 2))


def test_numbers_have_30_digits():
    assert value("a + b", a=MOST - 1, b=1) == value("a - b", a=MOST + 1 - 2, b=-1) == MOST
    assert value("a - b", a=-MOST + 1, b=1) == value("-a", a=MOST) == -MOST
    for source, data in (
        ("a + b", {"a": MOST, "b": 1}), ("a - b", {"a": -MOST, "b": 1}), ("a * b", {"a": 10**15, "b": 10**15}),
        ("a // b", {"a": 1e31, "b": 1}), ("a * b", {"a": -(10**15), "b": 10**15}),
    ):  # fmt: skip
        message = refusal(source, **data) if source != "a // b" else refusal("int(a // b)", **data)
        assert message == "A whole number may have at most 30 digits."
    assert value("9" * 30) == MOST
    assert "30 digits" in refusal("1" + "0" * 30)


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_numbers_are_finite(number):
    with pytest.raises(ExpressionError, match="not a finite number"):
        checked_number(number)
    assert checked_number(-1.5) == -1.5
    for source in ("1e308 * 10", "1e308 + 1e308", "-1e308 - 1e308", "1e308 / 1e-1", "1e308 // 1e-9"):
        assert "finite" in refusal(source), source


def test_texts_and_lists_have_100000_parts():
    half = 50_000
    assert len(value("a + b", a="x" * half, b="y" * half)) == 2 * half
    assert "at most 100000" in refusal("a + b", a="x" * half, b="y" * (half + 1))
    assert value("len(a + b)", a=[1] * half, b=[2] * half) == 2 * half
    assert "at most 100000" in refusal("len(a + b)", a=[1] * half, b=[2] * (half + 1))


@pytest.mark.parametrize(
    ("operation", "left", "right", "fuel"),
    [
        (o.add, "x" * 64, "y" * 64, 3),
        (o.add, "x", "y", 1),
        (o.add, [1] * 8, [2] * 8, 3),
        (o.add, [1], [2], 1),
        (o.add, 1, 2, 0),
        (o.equal, "x" * 64, "y", 0),
        (o.equal, "x" * 128, "y", 2),
        (o.equal, [1, 2], [1, 2], 6),
        (o.equal, [1, 2], 3, 0),
        (o.equal, {"a": 1}, {"a": [1]}, 6),
        (o.equal, {"a": 1}, [1], 0),
        (o.unequal, "x" * 128, "y", 2),
        (o.less, "x" * 640, "y", 10),
        (o.less, 1, 2, 0),
        (o.contains, "y", "x" * 640, 10),
        (o.contains, 1, [0] * 50, 50),
        (o.contains, "x" * 64, ["y"] * 3, 3),
        (o.contains, "a", {"a": 1}, 0),
        (o.lacks, 1, [0] * 50, 50),
    ],
)
def test_work_is_paid_for_by_size(operation, left, right, fuel):
    run = Run({}, NOW, fuel)
    operation(run, left, right)
    assert run.fuel == 0
    if fuel:
        with pytest.raises(ExpressionError, match="too much work"):
            operation(Run({}, NOW, fuel - 1), left, right)


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("l[0]", 1), ("l[2]", 3), ("l[-1]", 3), ("l[-3]", 1), ("t[0]", "a"), ("t[-1]", "c"), ("r['k']", 5),
        ("l[1:]", [2, 3]), ("l[:1]", [1]), ("l[::2]", [1, 3]), ("l[::-1]", [3, 2, 1]), ("t[1:2]", "b"),
        ("t[:-1]", "ab"), ("l[None:2]", [1, 2]), ("l[5:9]", []), ("l[0:3:2]", [1, 3]),
    ],
)  # fmt: skip
def test_positions_fields_and_parts(source, answer):
    assert value(source, l=[1, 2, 3], t="abc", r={"k": 5}) == answer


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("l[3]", "“l” is shorter than the position"),
        ("l[-4]", "“l” is shorter than the position"),
        ("t[3]", "“t” is shorter than the position"),
        ("l[True]", "A position in “l” is a whole number, not true or false"),
        ("l[1.0]", "A position in “l” is a whole number, not a number"),
        ("l['a']", "A position in “l” is a whole number, not a text"),
        ("r[1]", "“r” is a record; its fields are found by text, not by a number"),
        ("r['z']", "“r” has no field of that name"),
        ("n[0]", "“n” is a number; “[…]” takes from a list, a text or a record"),
        ("z[0]", "“z” is nothing; “[…]” takes from"),
        ("n[:1]", "“n” is a number; a slice takes from a list or a text"),
        ("r[:1]", "“r” is a record; a slice takes from"),
        ("l['a':]", "bounds of a slice are whole numbers, not a text"),
        ("l[:True]", "bounds of a slice are whole numbers, not true or false"),
        ("l[::1.0]", "bounds of a slice are whole numbers, not a number"),
        ("l[::0]", "step of a slice cannot be zero"),
        ("h[0]", "An element of “h” is not text, number"),
        ("g['k']", "A field of “g” is not text, number"),
    ],
)
def test_what_has_no_such_position_field_or_part(source, reason):
    data = {"l": [1, 2, 3], "t": "abc", "r": {"k": 5}, "n": 1, "z": None, "h": [object()], "g": {"k": object()}}
    assert reason in refusal(source, **data)


def test_a_slice_is_paid_for_by_what_it_copies():
    text = "x" * 800
    for bounds, fuel in (((None, None, None), 101), ((0, 80, None), 11), ((None, None, -8), 13), ((900, 999, 1), 1)):
        run = Run({}, NOW, fuel)
        o.slice_of(run, text, bounds, "t")
        assert run.fuel == 0


def test_no_host_object_is_found_or_compared():
    assert value("1 in h", h=[object(), 1]) is True
    for source in ("h", "[h]", "h == 1 or h", "r.h", "l == l", "[x for x in l]", "l[0]"):
        assert "is not text, number" in refusal(source, h=object(), r={"h": object()}, l=[object()]), source


@pytest.mark.parametrize(
    "statement", ["a = [1] * 200000000", "a = 'a' * 1000000000", "l *= 200000000", "t *= 1000000000"]
)
def test_a_script_multiplies_numbers_only(statement):
    with pytest.raises(ExpressionError, match=r"“\*” takes two numbers, not a (list|text) and a number"):
        compile_script(statement).run({"l": [1], "t": "a"}, NOW)
