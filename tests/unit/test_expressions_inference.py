"""What is inferred of expressions and scripts: shapes, doubts, and never a doubt about what is not known."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.core.shapes import boolean, list_of, nullable, number, record, text
from usher_engine.expressions import Known, KnownData, after_condition, infer_expression, infer_script, infer_template
from usher_engine.expressions.function_shapes import FUNCTION_SHAPES, METHOD_SHAPES
from usher_engine.expressions.functions import FUNCTIONS
from usher_engine.expressions.methods import ALL

ORDER = record(
    {
        "state": text(enum=("open", "paid")),
        "way": text(known=("post", "mail")),
        "count": number(whole=True),
        "items": list_of(text()),
        "answer": nullable(record({"at": text(), "by": nullable(text())})),
        "note": text(),
    },
    optional=["note"],
)
DATA = KnownData({"order": Known(ORDER), "late": Known(text(), certain=False), "any": Known()}, closed=True)


def about(source: str, data: KnownData = DATA) -> list[str]:
    return [doubt.about for doubt in infer_expression(source, data).doubts]


@pytest.mark.parametrize(
    ("source", "doubts"),
    [
        ("order.state", []),
        ("order.stat", ["field"]),
        ('order["stat"]', ["field"]),
        ('order.get("stat")', ["field"]),
        ('"stat" in order', ["field"]),
        ('order.state == "opn"', ["value"]),
        ('"opn" == order.state', ["value"]),
        ('order.state in ["opn", "paid"]', ["value"]),
        ('order.state == ""', []),
        ("order.count > '2'", ["kind"]),
        ("order.count == '2'", ["kind"]),
        ("order.count + 'a'", ["kind"]),
        ("order.count - 'a'", ["kind"]),
        ("order.count.lower()", ["kind"]),
        ("len(order.count)", ["kind"]),
        ('f"{order.items}"', ["kind"]),
        ("order.answer.at", ["null"]),
        ("order.answer.at if order.answer else ''", []),
        ("order.answer and order.answer.at", []),
        ("'' if order.answer is None else order.answer.at", []),
        ("order.answer.at if order.state == 'paid' else ''", []),
        ("late", ["perhaps"]),
        ("get('late')", []),
        ("late if order.count else ''", []),
        ("order.note", ["perhaps"]),
        ("order.note if 'note' in order else ''", []),
        ("ordr.state", ["unset"]),
        ("get('ordr')", ["unset"]),
        ("[item for item in order.items if item == 3]", ["kind"]),
        ("[item.upper() for item in order.items]", []),
        ("any.thing.whatever > 3 and any + 1", []),
        ("sorted(order.items)[0] + 1", ["kind"]),
    ],
)
def test_doubts(source: str, doubts: list[str]) -> None:
    assert about(source) == doubts


def test_a_usual_value_is_doubted_for_certain_only_if_it_is_a_slip() -> None:
    [slip] = infer_expression('order.way == "pst"', DATA).doubts
    [other] = infer_expression('order.way == "pigeon"', DATA).doubts
    assert (slip.certain, slip.old, slip.new) == (True, "pst", "post")
    assert not other.certain


def test_what_first_data_may_hold_is_wanted_not_doubted() -> None:
    found = infer_expression("size > 3 and get('hint') == colour", KnownData())
    assert found.doubts == ()
    assert dict(found.wanted) == {"size": {"type": "integer"}, "colour": {}}
    assert found.asked == {"hint"}


@pytest.mark.parametrize(
    ("script", "name", "certain", "shape"),
    [
        ("x = 1\nif order.count:\n    x = 'a'", "x", True, {"type": ["string", "integer"], "x-known-values": ["a"]}),
        ("if order.count:\n    x = 1", "x", False, {"type": "integer"}),
        ("if order.count:\n    x = 1\nelse:\n    x = 2", "x", True, {"type": "integer"}),
        ("for i in order.items:\n    x = i", "x", False, {"type": "string"}),
        ("for i in order.items:\n    if i:\n        continue\n    x = 1", "x", False, {"type": "integer"}),
        ("x = order\nx.state = 3\ny = order.state", "y", True, {}),
        ("x = y = {}\nx['a'] = 1\nz = y.a", "y", True, {}),
        ("x = []\nx.append(order)\nx[0].count = 'a'", "order", True, {}),
        ("x = {}\nfor i in order.items:\n    x[i] = 1", "x", True, {"type": "object"}),
    ],
)
def test_what_a_script_leaves(script: str, name: str, certain: bool, shape: dict[str, Any]) -> None:
    known = infer_script(script, DATA).data.names[name]
    assert (known.certain, dict(known.shape)) == (certain, shape)


def test_a_deleted_name_is_not_certain() -> None:
    assert not infer_script("del order", DATA).data.names["order"].certain


def test_a_condition_tells_about_the_way_it_leads_to() -> None:
    paid = after_condition('order.state == "paid"', DATA, holds=True)
    other = after_condition('order.state == "paid"', DATA, holds=False)
    assert about('order.state == "open"', paid) == ["value"]
    assert about('order.state == "open"', other) == []
    assert about('order.state == "paid"', other) == ["value"]
    assert about("order.answer.at", after_condition("order.answer != None", DATA, holds=True)) == []


def test_doubts_of_a_message_have_the_line_of_the_template() -> None:
    [doubt] = infer_template("Dear\n\n{{ order.stat }}", DATA).doubts
    assert (doubt.about, doubt.line) == ("field", 3)


def test_every_function_and_method_has_a_shape() -> None:
    kinds = {str: "string", dict: "object", list: "array"}
    assert FUNCTION_SHAPES.keys() == FUNCTIONS.keys()
    assert {kinds[kind]: methods.keys() for kind, methods in ALL.items()} == {
        kind: methods.keys() for kind, methods in METHOD_SHAPES.items()
    }


@pytest.mark.parametrize("source", ["(" * 300, "a" * 5000, "x = 1", "lambda: 0", "\ud800"])
def test_a_text_that_does_not_compile_has_no_doubts(source: str) -> None:
    assert infer_expression(source, DATA).doubts == ()
    assert infer_script("if\n" + source, DATA).doubts == ()


NAMES = ["order", "order.state", "order.count", "order.items", "order.answer", "any", "late", "'a'", "3", "None", "[]"]
FORMS = [
    "{} + {}", "{} == {}", "{} < {}", "{} in {}", "{} and {}", "{} if {} else 1", "[{}, {}]", "len({}) or {}",
    "[x for x in {} if {}]", "max({}, {})", "({}).get({})", "not {} or {}", "join({}, {})", "{{'k': {}, 'l': {}}}",
]  # fmt: skip


def _fill(form: str, one: str, other: str) -> str:
    return form.format(f"({one})", f"({other})")


SOURCES = st.recursive(
    st.sampled_from(NAMES), lambda inner: st.builds(_fill, st.sampled_from(FORMS), inner, inner), max_leaves=12
)


@given(SOURCES)
def test_inference_never_fails(source: str) -> None:
    infer_expression(source, DATA)
    infer_script(f"q = {source}\nq.x = {source}\nfor z in {source}:\n    q = z", DATA)


def test_loops_in_loops_take_bounded_work() -> None:
    text, names = "", [f"v{level}" for level in range(18)]
    for level, name in enumerate(names):
        text += f"{'    ' * level}for {name} in order.items:\n{'    ' * (level + 1)}x{level} = {name}\n"
    began = time.process_time()
    data = infer_script(text, DATA).data
    assert time.process_time() - began < 5
    assert not data.names["x17"].certain


def test_a_name_set_later_in_a_deep_loop_is_not_missed() -> None:
    inner = "if i:\n                y = x.lower()\n            x = 'a'"
    text = f"for i in order.items:\n    for j in order.items:\n        for k in order.items:\n            {inner}"
    assert [doubt.about for doubt in infer_script(text, DATA).doubts] in ([], ["perhaps"])


def test_a_boolean_is_no_number_to_compare_by_size() -> None:
    assert about("ok < 2", KnownData({"ok": Known(boolean())}, closed=True)) == ["kind"]
