"""Each operator on its own: its results, the types it accepts, its messages for other types, and its cost."""

from __future__ import annotations

import ast
import math
from datetime import UTC, datetime

import pytest
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import operators as o
from usher_engine.expressions.budget import MAX_SIZE, STRICT, Run

NOW = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)
FUEL = 1_000
#: One value of each kind, with the words messages use for it.
KINDS = [
    (None, "nothing"), (True, "true or false"), (1, "a number"), (1.5, "a number"), ("1", "a text"), ([1], "a list"),
    ({"a": 1}, "a record"), ((1,), "something that is not JSON"),
]  # fmt: skip
#: The same moment, expected in two ways, and a later one that comes before it letter by letter.
NINE, SEVEN, EIGHT = "2026-05-03T09:00:00+02:00", "2026-05-03T07:00:00Z", "2026-05-03T08:00:00Z"


def run(fuel=FUEL, rules=STRICT):
    return Run({}, NOW, fuel, rules)


def cost(operation, *values, rules=STRICT):
    """What *operation* spends of its fuel."""
    spending = run(rules=rules)
    operation(spending, *values)
    return FUEL - spending.fuel


def refusal(operation, *values):
    with pytest.raises(ExpressionError) as refused:
        operation(*values)
    return refused.value.message


def without(*kinds):
    """The values whose kind is not called by one of these words."""
    return [(value, kind) for value, kind in KINDS if kind not in kinds]


# the signs


def test_each_sign_has_its_operation():
    assert {sign.__name__: operation(run(), 7, 2) for sign, operation in o.BINARY.items()} == {
        "Add": 9, "Sub": 5, "Mult": 14, "Div": 3.5, "FloorDiv": 3, "Mod": 1,
    }  # fmt: skip
    answers = {sign: [operation(run(), left, 2) for left in (1, 2, 3)] for sign, operation in o.COMPARE.items()
               if sign not in (ast.In, ast.NotIn)}  # fmt: skip
    assert answers == {
        ast.Eq: [False, True, False], ast.NotEq: [True, False, True], ast.Lt: [True, False, False],
        ast.LtE: [True, True, False], ast.Gt: [False, False, True], ast.GtE: [False, True, True],
    }  # fmt: skip
    assert [o.COMPARE[ast.In](run(), part, [1]) for part in (1, 2)] == [True, False]
    assert [o.COMPARE[ast.NotIn](run(), part, [1]) for part in (1, 2)] == [False, True]


# arithmetic


@pytest.mark.parametrize(
    ("operation", "left", "right", "answer"),
    [
        (o.add, 1, 2, 3), (o.add, 1, 0.5, 1.5), (o.add, True, 1, 2), (o.add, "a", "b", "ab"), (o.add, [1], [2], [1, 2]),
        (o.subtract, 3, 5, -2), (o.multiply, 3, 5, 15), (o.multiply, True, 0.5, 0.5), (o.divide, 7, 2, 3.5),
        (o.divide, -6, 3, -2.0), (o.divide_whole, 7, 2, 3), (o.divide_whole, -7, 2, -4), (o.remainder, 7, 4, 3),
        (o.remainder, -7, 4, 1), (o.divide, 1, -0.5, -2.0),
    ],
)  # fmt: skip
def test_arithmetic(operation, left, right, answer):
    found = operation(run(), left, right)
    assert found == answer and type(found) is type(answer)


@pytest.mark.parametrize(
    ("operation", "sign"),
    [(o.subtract, "-"), (o.multiply, "*"), (o.divide, "/"), (o.divide_whole, "//"), (o.remainder, "%")],
)
def test_arithmetic_takes_two_numbers(operation, sign):
    """Else a text or list times a number would be as large as the number."""
    for value, kind in without("a number", "true or false"):
        assert refusal(operation, run(), value, 2) == f"“{sign}” takes two numbers, not {kind} and a number."
        assert refusal(operation, run(), 2, value) == f"“{sign}” takes two numbers, not a number and {kind}."


@pytest.mark.parametrize("operation", [o.divide, o.divide_whole, o.remainder])
@pytest.mark.parametrize("zero", [0, 0.0, -0.0, False])
def test_nothing_is_divided_by_zero(operation, zero):
    assert refusal(operation, run(), 1, zero) == "A number cannot be divided by zero."


@pytest.mark.parametrize(
    ("operation", "left", "right"),
    [(o.add, 9 * 10**29, 10**29), (o.subtract, -9 * 10**29, 10**29), (o.multiply, 10**15, 10**15)],
)
def test_a_whole_number_has_so_many_digits(operation, left, right):
    assert refusal(operation, run(), left, right) == "A whole number may have at most 30 digits."


@pytest.mark.parametrize(
    ("operation", "left", "right"),
    [
        (o.add, 1e308, 1e308), (o.subtract, -1e308, 1e308), (o.multiply, 1e200, 1e200), (o.divide, 1e200, 1e-200),
        (o.divide_whole, math.inf, 2), (o.remainder, math.inf, 2),
    ],
)  # fmt: skip
def test_results_are_finite(operation, left, right):
    assert refusal(operation, run(), left, right) == "The result is not a finite number."


def test_plus_joins_what_is_alike():
    for value, kind in without("a text"):
        reason = (
            f"“+” takes two numbers, two texts or two lists, not {kind} and a text; str(…) makes a text of a number."
        )
        assert refusal(o.add, run(), value, "x") == reason
    for value, kind in without("a list"):
        assert f"not a list and {kind};" in refusal(o.add, run(), [1], value)
    for value, kind in without("a number", "true or false"):
        assert f"not a number and {kind};" in refusal(o.add, run(), 1, value)
        assert f"not {kind} and a number;" in refusal(o.add, run(), value, 1)
    for value, kind in KINDS:
        if kind in ("nothing", "a record", "something that is not JSON"):
            assert f"not {kind} and {kind};" in refusal(o.add, run(), value, value)


@pytest.mark.parametrize("one", ["x", [0]])
def test_a_sum_is_no_longer_than_a_value_may_be(one):
    half = one * (MAX_SIZE // 2)
    assert len(o.add(run(100_000), half, half)) == MAX_SIZE
    expected = f"A text or list may have at most {MAX_SIZE} characters or elements."
    assert refusal(o.add, run(100_000), half, half + one) == expected


def test_a_sum_is_paid_for_before_it_is_made():
    assert [cost(o.add, "x" * size, "") for size in (0, 63, 64, 128)] == [1, 1, 2, 3]
    assert [cost(o.add, "x" * size, "x" * size) for size in (31, 32)] == [1, 2]
    assert [cost(o.add, [0] * size, []) for size in (0, 7, 8, 16)] == [1, 1, 2, 3]
    assert cost(o.add, 1, 2) == 0
    assert "too much work" in refusal(o.add, run(0), "", "")


@pytest.mark.parametrize(("operation", "sign", "answer"), [(o.negative, "-", -3), (o.positive, "+", 3)])
def test_a_sign_in_front_takes_a_number(operation, sign, answer):
    assert operation(3) == answer and operation(-answer) == (-answer if sign == "+" else answer)
    assert operation(True) == answer // 3
    for value, kind in without("a number", "true or false"):
        assert refusal(operation, value) == f"“{sign}” in front takes a number, not {kind}."


# comparison


def test_equality():
    for left, right, answer in (
        (1, 1.0, True), (1, 2, False), ("a", "a", True), ("a", "b", False), ([1], [1], True), ([1], [2], False),
        ({"a": 1}, {"a": 1}, True), (None, None, True), (None, False, False), (True, 1, False), (NINE, SEVEN, True),
    ):  # fmt: skip
        assert o.equal(run(), left, right) is answer
        assert o.unequal(run(), left, right) is not answer


def test_the_first_rules_compared_as_python_does():
    """Steps recorded by them are run again by them."""
    assert o.equal(run(rules=1), True, 1) is True and o.equal(run(rules=1), NINE, SEVEN) is False
    assert o.less(run(rules=1), False, True) is True
    assert o.less(run(rules=1), NINE, EIGHT) is False and o.less(run(), NINE, EIGHT) is True
    assert o.less_or_equal(run(rules=1), NINE, SEVEN) is False and o.less_or_equal(run(), NINE, SEVEN) is True


@pytest.mark.parametrize("operation", [o.less, o.less_or_equal, o.greater, o.greater_or_equal])
def test_an_order_is_known_of_two_numbers_or_two_texts(operation):
    assert operation(run(), 1, 1.5) is operation(run(), "a", "b") is (operation in (o.less, o.less_or_equal))
    expected = "Smaller and larger are known of two numbers or two texts, not of {} and {}."
    for value, kind in without("a text"):
        assert refusal(operation, run(), value, "x") == expected.format(kind, "a text")
        assert refusal(operation, run(), "x", value) == expected.format("a text", kind)
    for value, kind in without("a number"):
        assert refusal(operation, run(), value, 1) == expected.format(kind, "a number")
        assert refusal(operation, run(), 1, value) == expected.format("a number", kind)
    for value in ([1], {"a": 1}, (1,), None, True):
        assert "Smaller and larger" in refusal(operation, run(), value, value)


def test_a_comparison_costs_by_size():
    assert [cost(o.equal, "x" * size, "x") for size in (64, 65, 128, 640)] == [0, 1, 2, 10]
    assert cost(o.equal, "x", "x" * 640) == 0, "texts of other lengths differ at once"
    assert [cost(o.less, "x" * size, "x") for size in (64, 65, 128)] == [0, 1, 2]
    assert cost(o.less, 1, 2) == cost(o.equal, 1, 2) == cost(o.equal, None, [1]) == cost(o.equal, [1], None) == 0
    assert cost(o.equal, [1, 2], [3]) == 3 + 2, "both lists, one for each element and one for the list"
    assert cost(o.equal, {"a": 1}, {"a": 1, "b": 2}) == 2 + 3
    assert cost(o.equal, {"a": 1}, [1]) == 0, "a record is not a list, so its contents are not visited"
    assert cost(o.equal, [["x" * 128]], [[]]) == (2 + 2 + 2) + (2 + 1)


# membership


def test_membership_in_a_list_a_text_or_a_record():
    for part, whole, answer in (
        (2, [1, 2], True), (3, [1, 2], False), ("b", "abc", True), ("d", "abc", False), ("a", {"a": 1}, True),
        ("b", {"a": 1}, False), (1, {"a": 1}, False), ([1], {"a": 1}, False), ([1], [[1]], True), (1, [], False),
        (None, [None], True), (SEVEN, [NINE], True),
    ):  # fmt: skip
        assert o.contains(run(), part, whole) is answer
        assert o.lacks(run(), part, whole) is not answer


def test_membership_needs_a_list_a_text_or_a_record():
    for value, kind in without("a list", "a text", "a record"):
        expected = f"“in” looks into a list, a text or a record, not into {kind}."
        assert refusal(o.contains, run(), "x", value) == expected
    for value, kind in without("a text"):
        assert refusal(o.contains, run(), value, "text") == f"“in” finds a text in a text, not {kind}."


def test_membership_costs_by_size():
    assert [cost(o.contains, 9, [0] * size) for size in (0, 1, 10)] == [0, 1, 10]
    assert [cost(o.contains, "x", "y" * size) for size in (64, 65, 128)] == [0, 1, 2]
    assert cost(o.contains, "x", {"y": 1}) == 0
    assert cost(o.contains, "x" * 128, ["y", "z"]) == 2 + 2 * 2, "each comparison is paid for too"


def test_the_first_that_is_equal_is_found():
    assert o.index_of(run(), 2, [1, 2, 2]) == 1
    assert o.index_of(run(), 1, [1]) == 0
    assert o.index_of(run(), 3, [1, 2]) == -1
    assert o.index_of(run(), (1,), [(1,), 1]) == -1, "what is not JSON is never found"


# taking parts


def test_an_element_by_its_position_and_a_field_by_its_name():
    assert [o.item([1, 2, 3], key, "l") for key in (0, 2, -1, -3)] == [1, 3, 3, 1]
    assert [o.item("abc", key, "t") for key in (0, -1)] == ["a", "c"]
    assert o.item({"a": None}, "a", "r") is None


def test_a_missing_part_is_reported_with_the_name_of_its_owner():
    for key in (3, -4):
        expected = "list is shorter than the position asked for; look at len(…) first."
        assert refusal(o.item, [1, 2, 3], key, "list") == expected
    assert "shorter" in refusal(o.item, "", 0, "t")
    expected = "patient has no field of that name; use .get(…) if it may be missing."
    assert refusal(o.item, {"a": 1}, "b", "patient") == expected


def test_a_key_of_another_kind_is_refused():
    for value, kind in without("a text"):
        expected = f"patient is a record; its fields are found by text, not by {kind}."
        assert refusal(o.item, {"a": 1}, value, "patient") == expected
    for value, kind in [*without("a number"), (1.5, "a number")]:
        expected = f"A position in names is a whole number, not {kind}."
        assert refusal(o.item, [1, 2], value, "names") == expected
    for value, kind in without("a list", "a text", "a record"):
        expected = f"owner is {kind}; “[…]” takes from a list, a text or a record."
        assert refusal(o.item, value, 0, "owner") == expected


def test_items_are_json():
    for owner, key, what in (([object()], 0, "An element of l"), ({"a": print}, "a", "A field of l")):
        expected = f"{what} is not text, number, true/false, nothing, list or record, so it cannot be used."
        assert refusal(o.item, owner, key, "l") == expected
    for value, _ in KINDS[:-1]:
        assert o.json_value(value, "x") is value
    assert refusal(o.json_value, (1,), "x").startswith("x is not text, number,")


@pytest.mark.parametrize(
    ("bounds", "part"),
    [((1, 3, None), "bc"), ((None, None, -1), "dcba"), ((None, -1, None), "abc"), ((None, None, 2), "ac"),
     ((5, None, None), ""), ((0, 0, None), "")],
)  # fmt: skip
def test_a_slice_of_a_text_or_list(bounds, part):
    assert o.slice_of(run(), "abcd", bounds, "t") == part
    assert o.slice_of(run(), list("abcd"), bounds, "t") == list(part)


def test_a_slice_is_cut_from_a_list_or_text_by_whole_numbers():
    for value, kind in without("a list", "a text"):
        expected = f"x is {kind}; a slice takes from a list or a text."
        assert refusal(o.slice_of, run(), value, (None, None, None), "x") == expected
    for place in range(3):
        for value, kind in [*without("a number", "nothing"), (1.0, "a number")]:
            bounds = tuple(value if number == place else None for number in range(3))
            expected = f"The bounds of a slice are whole numbers, not {kind}."
            assert refusal(o.slice_of, run(), "abc", bounds, "x") == expected
    assert refusal(o.slice_of, run(), "abc", (None, None, 0), "x") == "The step of a slice cannot be zero."


def test_a_slice_costs_by_its_size():
    assert [cost(o.slice_of, "x" * 100, (None, end, None), "t") for end in (0, 7, 8, 80)] == [1, 1, 2, 11]
    assert cost(o.slice_of, "x" * 100, (None, 80, 10), "t") == 2
