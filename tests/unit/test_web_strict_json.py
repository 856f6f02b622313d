"""JSON from outside, read strictly."""

import pytest
from usher_engine import InvalidSubmission
from usher_web import strict_json


def test_json_is_read():
    assert strict_json.loads('{"a": [1, 2.5, true, null, "é"]}') == {"a": [1, 2.5, True, None, "é"]}
    assert strict_json.field('{"a": 1}', "with") == {"a": 1}


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000, b'"\xed\xa0"', "{'a': 1}", "01"])
def test_invalid_json_is_explained(text):
    with pytest.raises(strict_json.NotJson, match="is not JSON"):
        strict_json.loads(text)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"a": 1, "b": {"a": 1, "a": 1}}', "a"),
        ('{"\\ud800": 1, "\\ud800": 1}', "\\ud800"),
        ('{"a": {"b": NaN}}', "with.a.b"),
        ('{"a": [-Infinity]}', "with.a[0]"),
        ('{"a": ' + "9" * 10_000 + "}", "with.a"),
        ('{"a": -1e999}', "with.a"),
        ('{"a": "\\udfff"}', "with.a"),
        ("[]", "with"),
        ("nul", "with"),
    ],
)
def test_what_is_wrong_is_named(text, field):
    with pytest.raises(InvalidSubmission) as refused:
        strict_json.field(text, "with")
    assert list(refused.value.fields) == [field]


@pytest.mark.parametrize("value", [{"a": float("nan")}, [float("inf")], {"\ud800": 1}, ["\udfff"]])
def test_what_could_be_written_nowhere_is_refused(value):
    with pytest.raises(strict_json.NotJson):
        strict_json.storable(value)
