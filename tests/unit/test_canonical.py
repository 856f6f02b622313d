"""The canonical form against published vectors and the library; the limits of input, each just kept and just broken."""

from __future__ import annotations

import json
import math

import pytest
import rfc8785
from usher_engine.core import canonical as c
from usher_engine.core.errors import InvalidSubmission

LARGEST = 9_007_199_254_740_991

#: RFC 8785, 3.2.3: keys are sorted as UTF-16, not as code points.
SORTED_KEYS = {
    "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis",
}  # fmt: skip


# the canonical form


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"null"),
        (True, b"true"),
        ([], b"[]"),
        ({"b": 1, "a": [False, None, "x"]}, b'{"a":[false,null,"x"],"b":1}'),
        ("Zoë \u20ac", '"Zoë €"'.encode()),
        ('\u000f\n"\\/', b'"\\u000f\\n\\"\\\\/"'),
        (1.0, b"1"),
        ([4.5, 1e30, 2e-3, 1e-27], b"[4.5,1e+30,0.002,1e-27]"),
        (333333333.33333329, b"333333333.3333333"),
        ({"n": {"d": 0.5}}, b'{"n":{"d":0.5}}'),
        (-LARGEST, b"-9007199254740991"),
    ],
)
def test_a_value_has_one_form(value, written):
    assert c.canonical(value) == written


def test_keys_beyond_ascii_are_sorted_as_in_the_standard():
    assert list(json.loads(c.canonical(SORTED_KEYS))) == [
        "\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33",
    ]  # fmt: skip
    assert list(json.loads(c.canonical([{"deep": SORTED_KEYS}]))[0]["deep"])[-1] == "\ufb33"


@pytest.mark.parametrize("number", [LARGEST + 1, -LARGEST - 1, math.nan, math.inf])
def test_a_number_without_a_canonical_form_is_refused(number):
    with pytest.raises(rfc8785.CanonicalizationError):
        c.canonical([number])


@pytest.mark.parametrize("value", [1.5, {"ö": 1}, [[0.1]], ["x", 0.1], {"a": {"é": []}}, b"bytes", (1,), {1}])
def test_what_json_writes_otherwise_is_the_librarys(value):
    """The short way must know its limits: for these `json` and the RFC differ, or one of them refuses."""
    assert not c._is_plain(value)


@pytest.mark.parametrize("value", [None, True, 0, "é", LARGEST, -LARGEST, [], {}, {"a": [1, {"b": "ü"}]}])
def test_what_json_writes_alike_takes_the_short_way(value):
    assert c._is_plain(value)
    assert c.canonical(value) == rfc8785.dumps(value)


# what reads back


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b"9007199254740991", LARGEST),
        (b"-9007199254740991", -LARGEST),
        (b"0", 0),
        (b'{"a":[1.5,"x"]}', {"a": [1.5, "x"]}),
    ],
)
def test_canonical_bytes_read_back(written, value):
    assert c.parse_canonical(written) == value and type(c.parse_canonical(written)) is type(value)


@pytest.mark.parametrize("digits", [b"9007199254740992", b"-9007199254740992", b"1000000000000000000000"])
def test_a_whole_number_too_large_was_a_float(digits):
    number = c.parse_canonical(b"[" + digits + b"]")[0]
    assert type(number) is float and number == float(digits)


def test_stored_json_is_short_and_keeps_order_and_text():
    assert c.compact({"b": "ü", "a": [1, None]}) == '{"b":"ü","a":[1,null]}'


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ({"b": 1, "a": 2.0}, {"a": 2, "b": 1}),
        ([{"z": -0.0, "y": [3.0]}], [{"y": [3], "z": 0}]),
        (1.5, 1.5),
        (float(LARGEST), LARGEST),
        (-float(LARGEST), -LARGEST),
        (float(LARGEST + 1), float(LARGEST + 1)),
        (LARGEST, LARGEST),
        (-LARGEST, -LARGEST),
        (LARGEST + 1, float(LARGEST + 1)),
        (-LARGEST - 1, -float(LARGEST + 1)),
        (True, True),
        ("1.0", "1.0"),
        (None, None),
    ],
)
def test_what_enters_a_run_is_as_it_will_read_back(value, stored):
    settled = c.as_stored_json(value)
    assert repr(settled) == repr(stored)
    assert repr(c.parse_canonical(c.canonical(settled))) == repr(stored)


# what changed


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({}, {"a": None}, {"a": None}),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 3}),
        ({"a": 1, "gone": 2}, {"a": 1}, {}),
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]}, {}),
        ({"a": 1}, {"a": 1.0}, {}),
    ],
)
def test_what_is_new_or_another_value_has_changed(before, after, changed):
    assert c.changes(before, after) == c.changes(before, after, exact=False) == changed


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, True), (False, 0), ([1], [True]), ({"b": [0, 1]}, {"b": [0, True]}), ([{"b": True}], [{"b": 1}])],
)
def test_true_is_not_1_but_was_to_the_first_rules(before, after):
    assert c.changes({"a": before}, {"a": after}) == {"a": after}
    assert c.changes({"a": before}, {"a": after}, exact=False) == {}
    assert c.changes({"a": before}, {"a": before}) == {}


@pytest.mark.parametrize(
    ("text", "fine"),
    [("", True), ("Zoë\n\x01", True), ("\ud7ff\ue000", True), ("a\x00", False), ("\ud800", False), ("b\udfff", False)],
)
def test_which_texts_a_database_can_keep(text, fine):
    assert c.is_storable(text) is fine


# input


def refusal(value, **where):
    with pytest.raises(InvalidSubmission) as refused:
        c.check_input(value, **where)
    ((path, reason),) = refused.value.fields.items()
    assert str(refused.value) == f"{path} {reason}."
    return path, reason


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1.5, "", "Zoë", [], {}, LARGEST, -LARGEST, "x" * 20_000, {"k" * 100: 1}, nested(12),
        [0] * 4_999, {"a": [{"b": None}]}, "\ud7ff\ue000", "\x01", {"_one": 1}, {"typenames": 1},
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_what_keeps_the_limits_is_given_back_unchanged(value):
    assert c.check_input(value) is value


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        (nested(13), f"body{'[0]' * 13}", "is nested deeper than 12 levels"),
        ({"a": {"b": nested(11)}}, f"body.a.b{'[0]' * 11}", "is nested deeper than 12 levels"),
        ([0] * 5_000, "body[4999]", "has more than 5000 values"),
        ({"a": [0] * 4_999}, "body.a[4998]", "has more than 5000 values"),
        (["ok", "x" * 20_001], "body[1]", "is longer than 20000 characters"),
        ([[1], {"a": {"b": 1}, "c": math.nan}], "body[1].c", "is not a finite number"),
        ({"k" * 101: 1}, "body", "is longer than 100 characters"),
        ({"a": LARGEST + 1}, "body.a", "is a number beyond ±9007199254740991"),
        ({"a": -LARGEST - 1}, "body.a", "is a number beyond ±9007199254740991"),
        (math.inf, "body", "is not a finite number"),
        ([math.nan], "body[0]", "is not a finite number"),
        ("a\x00b", "body", "holds a character that cannot be stored"),
        ("a\ud800", "body", "holds a character that cannot be stored"),
        ("\udfff", "body", "holds a character that cannot be stored"),
        ({"\x00": 1}, "body", "holds a character that cannot be stored"),
        ({1: 1}, "body", "has a field name that is not text"),
        ({"typename": 1}, "body.typename", "is a reserved name; choose another"),
        ({"a": {"__class__": 1}}, "body.a.__class__", "is a reserved name; choose another"),
        ({"a": (1,)}, "body.a", "is tuple; only JSON values are taken"),
        ([{1, 2}], "body[0]", "is set; only JSON values are taken"),
        (b"bytes", "body", "is bytes; only JSON values are taken"),
    ],
    ids=lambda part: repr(part)[:30],
)
def test_what_breaks_a_limit_is_refused_by_its_path(value, path, reason):
    assert refusal(value) == (path, reason)


def test_the_caller_names_the_top_level():
    assert refusal([None, math.nan], where="data") == ("data[1]", "is not a finite number")


@pytest.mark.parametrize(
    ("key", "reserved"), [("typename", True), ("__x", True), ("_x", False), ("x__", False), ("", False)]
)
def test_names_of_the_engine_library_are_reserved(key, reserved):
    assert c.is_reserved(key) is reserved


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("999999999", 999_999_999), ("1000000000", None), ("", None), ("-1", None), ("+1", None),
     ("1.0", None), (" 1", None), ("1_0", None), ("٣", None), ("²", None), ("x", None)],
)  # fmt: skip
def test_a_number_in_an_address_is_a_few_plain_digits(text, number):
    assert c.whole_number(text) == number
