"""Limits of one evaluation: every limit at its edge, and the price of every operation."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from types import MappingProxyType

import pytest
from usher_engine.core.errors import ExpressionError
from usher_engine.expressions import budget as b

NOW = datetime(2026, 5, 4, 9, 2, tzinfo=UTC)
FUEL = 1_000
TOO_MUCH = "This needs too much work: loop over fewer elements, or use smaller values."
TOO_DEEP = "Lists and records may be nested at most 40 levels deep."
FOREIGN = "a value is not text, number, true/false, nothing, list or record, so it cannot be used."


def run(fuel=FUEL):
    return b.Run({}, NOW, fuel)


def spent(name, *given):
    spending = run()
    getattr(spending, name)(*given)
    return FUEL - spending.fuel


def refusal(work, *given, **more):
    with pytest.raises(ExpressionError) as refused:
        work(*given, **more)
    return refused.value.message


def nested(levels, *, record=False):
    value = 1
    for _ in range(levels):
        value = {"a": value} if record else [value]
    return value


def test_the_limits_are_what_the_documents_say():
    assert (b.EXPRESSION_FUEL, b.SCRIPT_FUEL, b.TEMPLATE_FUEL) == (20_000, 50_000, 50_000)
    assert (b.MAX_SIZE, b.MAX_RESULT, b.MAX_INTEGER, b.MAX_NESTING) == (100_000, 300_000, 10**30, 40)
    assert b.MAX_RANGE == 1_000


# an evaluation


def test_an_evaluation_begins_with_what_it_is_given():
    data = {"a": 1}
    begun = b.Run(data, NOW, 7)
    assert (begun.data, begun.now, begun.fuel, begun.local, begun.line) == (data, NOW, 7, {}, 1)
    assert begun.data is data and begun.variables is data


@pytest.mark.parametrize(("rules", "strict"), [(1, False), (2, True), (3, True)])
def test_types_never_mix_since_the_second_rules(rules, strict):
    assert b.Run({}, NOW, 1, rules).strict is strict
    assert run().strict is True


def test_only_a_script_has_data_it_may_change():
    reading = b.Run(MappingProxyType({"a": 1}), NOW, 1)
    assert refusal(lambda: reading.variables) == "Only a script may change data."


# fuel


def test_fuel_is_spent_to_the_last_unit_and_no_further():
    spending = run(3)
    spending.spend(2)
    spending.spend(1)
    assert spending.fuel == 0
    spending.spend(0)
    assert refusal(spending.spend, 1) == TOO_MUCH


def test_a_text_costs_by_its_length():
    assert [spent("spend_text", "x" * size) for size in (0, 63, 64, 65, 127, 128, 640)] == [0, 0, 0, 1, 1, 2, 10]


def test_elements_cost_by_their_number():
    assert [spent("spend_elements", count) for count in (0, 7, 8, 9, 16, 80)] == [0, 0, 0, 1, 2, 10]


def test_a_deep_visit_costs_by_all_elements():
    for value, price in (
        (None, 0), (True, 0), (1, 0), (1.5, 0), ("x" * 128, 2), ([], 1), ([1, None, 2.5, True], 5), ({"a": 1}, 2),
        ([[], {}], 3 + 1 + 1), (["x" * 128, "y"], 3 + 2), ({"a": ["x" * 65]}, 2 + 2 + 1),
    ):  # fmt: skip
        assert spent("spend_deep", value) == price, value
    shared = [1]
    assert spent("spend_deep", [shared, shared]) == 3 + 2 + 2


@pytest.mark.parametrize("record", [False, True])
def test_a_deep_visit_has_a_depth_limit(record):
    assert spent("spend_deep", nested(40, record=record)) == 80
    assert refusal(run().spend_deep, nested(41, record=record)) == TOO_DEEP
    assert refusal(run().spend_deep, nested(1, record=record), 40) == TOO_DEEP


def test_a_deep_visit_refuses_what_is_not_json():
    for value in (object(), (1,), [{1}], {"a": b"x"}, [print]):
        assert refusal(run().spend_deep, value) == FOREIGN


# copies


def test_a_copy_is_equal_and_shares_nothing():
    value = {"a": [1, {"b": None}], "c": "text", "d": 1.5, "e": True}
    made = b.checked_copy(value)
    assert made == value
    made["a"][1]["b"] = 2
    made["a"].append(3)
    assert value["a"] == [1, {"b": None}]


@pytest.mark.parametrize("record", [False, True])
def test_a_copy_has_a_depth_limit(record):
    assert b.checked_copy(nested(40, record=record)) == nested(40, record=record)
    assert refusal(b.checked_copy, nested(41, record=record)) == TOO_DEEP


@pytest.mark.parametrize(
    ("largest", "over"),
    [
        ("x" * 299_998, "x" * 299_999),
        ([0] * 149_999, [0] * 150_000),
        (["x" * 99_998] * 2 + ["x" * 99_996], ["x" * 99_998] * 2 + ["x" * 99_997]),
        ({"k" * 299_996: 1}, {"k" * 299_997: 1}),
        ([["x" * 299_994]], [["x" * 299_995]]),
        ({"a": {"b": "x" * 299_992}}, {"a": {"b": "x" * 299_993}}),
    ],
    ids=["text", "list", "texts", "key", "list in a list", "record in a record"],
)
def test_a_copy_is_no_longer_than_a_result_may_be(largest, over):
    assert b.checked_copy(largest) == largest
    assert refusal(b.checked_copy, over) == "The result is longer than 300000 characters; make it smaller."


@pytest.mark.parametrize("value", ["\x00", "\ud800", ["a", "\x00"], {"\x00": 1}, {"a": {"b\udfff": 1}}, {"a": "\x00"}])
def test_a_copy_holds_only_what_a_database_can_keep(value):
    expected = "A text holds a character that cannot be stored: NUL, or half of one like \\ud800."
    assert refusal(b.checked_copy, value) == expected
    assert b.checked_copy(value, storable=False) == value


def test_what_is_not_json_is_not_copied():
    for value in (object(), (1,), [{1}], {"a": b"x"}):
        assert refusal(b.checked_copy, value) == FOREIGN


# single values


def test_kinds_have_plain_names():
    values = (None, True, 1, 1.5, "x", [], {}, (1,))
    assert [b.kind_of(value) for value in values] == [
        "nothing", "true or false", "a number", "a number", "a text", "a list", "a record",
        "something that is not JSON",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [0, -1, 10**30 - 1, 1 - 10**30, 1.5, -0.0, 1e308])
def test_a_number_that_can_go_on(number):
    assert b.checked_number(number) is number


def test_a_number_that_cannot():
    for number in (10**30, -(10**30), 10**40):
        assert refusal(b.checked_number, number) == "A whole number may have at most 30 digits."
    for number in (math.inf, -math.inf, math.nan, 1j, "1", True):
        assert refusal(b.checked_number, number) == "The result is not a finite number."


def test_a_text_or_list_has_a_size_limit():
    b.check_size(0)
    b.check_size(100_000)
    assert refusal(b.check_size, 100_001) == "A text or list may have at most 100000 characters or elements."


def test_a_text_that_can_be_kept():
    assert b.checked_text("Zoë 😀") == "Zoë 😀"


@pytest.mark.parametrize("key", ["a", "_a", "k" * 100, "", "Type name"])
def test_a_name_a_field_may_have(key):
    assert b.checked_key(key) == key


def test_a_name_a_field_may_not_have():
    for key, kind in ((1, "a number"), (None, "nothing"), ([], "a list")):
        assert refusal(b.checked_key, key) == f"The name of a field must be a text, not {kind}."
    for key in ("typename", "__class__", "k" * 101):
        expected = "A field name is reserved or longer than 100 characters; choose another."
        assert refusal(b.checked_key, key) == expected
