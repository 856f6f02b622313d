"""Two people's changes of one form or one table: different fields and rows go together, everything else is asked."""

from __future__ import annotations

import json
from itertools import permutations

import pytest
from usher_engine.differences import merge_form, merge_table

FIELDS = [
    {"type": "textfield", "key": "city", "label": "City", "id": "a"},
    {"type": "group", "id": "g", "components": [{"type": "number", "key": "age", "label": "Age", "id": "b"}]},
]


def form(*fields: dict) -> bytes:
    return json.dumps({"type": "default", "components": [*fields]}).encode()


def labels(content: bytes | None) -> list[str]:
    assert content is not None
    found = json.loads(content)["components"]
    return [one.get("label") or one["components"][0]["label"] for one in found]


BASE = form(*FIELDS)
TOWN = form({**FIELDS[0], "label": "Town"}, FIELDS[1])
YEARS = form(FIELDS[0], {**FIELDS[1], "components": [{**FIELDS[1]["components"][0], "label": "Years"}]})
STATE = form(*FIELDS, {"type": "textfield", "key": "state", "label": "State", "id": "c"})
NO_AGE = form(FIELDS[0], {**FIELDS[1], "components": []})


def test_different_fields_go_together_whoever_was_first() -> None:
    for theirs, mine in permutations((TOWN, YEARS)):
        assert labels(merge_form(BASE, theirs, mine, "f.form")) == ["Town", "Years"]
    assert labels(merge_form(BASE, STATE, TOWN, "f.form")) == ["Town", "Age", "State"]
    assert labels(merge_form(BASE, TOWN, STATE, "f.form")) == ["Town", "Age", "State"]
    merged = merge_form(BASE, TOWN, NO_AGE, "f.form")
    assert merged is not None
    assert json.loads(merged)["components"][1]["components"] == []


@pytest.mark.parametrize(
    "mine",
    [form({**FIELDS[0], "label": "Place"}, FIELDS[1]), form(*reversed(FIELDS)), b"{", b'{"components": 1}', b"\xff"],
)
def test_the_same_field_another_order_and_what_is_no_form_are_asked(mine: bytes) -> None:
    assert merge_form(BASE, TOWN, mine, "f.form") is None


def table(*rows: tuple[str, str], hit: str = "FIRST") -> bytes:
    rules = "".join(
        f'<rule id="{key}"><inputEntry id="i{key}"><text>{cell}</text></inputEntry>'
        f'<outputEntry id="o{key}"><text>1</text></outputEntry></rule>'
        for key, cell in rows
    )
    return f"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="x">
      <decision id="c" name="Choice"><decisionTable id="t" hitPolicy="{hit}">
      <input id="i"><inputExpression id="e" typeRef="number"><text>age</text></inputExpression></input>
      <output id="o" name="days" typeRef="number" />{rules}</decisionTable></decision></definitions>""".encode()


def rows(content: bytes | None) -> list[str]:
    assert content is not None
    return [one.split(b"<text>")[1].split(b"<")[0].decode() for one in content.split(b"<inputEntry")[1:]]


ROWS = table(("r1", "1"), ("r2", "2"), ("r3", "3"))


def test_different_rows_go_together_in_their_place() -> None:
    changed = table(("r1", "9"), ("r2", "2"), ("r3", "3"))
    more = table(("r1", "1"), ("n1", "7"), ("r2", "2"), ("r3", "3"))
    less = table(("r1", "1"), ("r2", "2"))
    assert rows(merge_table(ROWS, changed, more, "c.dmn")) == ["9", "7", "2", "3"]
    assert rows(merge_table(ROWS, more, changed, "c.dmn")) == ["9", "7", "2", "3"]
    assert rows(merge_table(ROWS, changed, less, "c.dmn")) == ["9", "2"]
    first = table(("n2", "8"), ("r1", "1"), ("r2", "2"), ("r3", "3"))
    assert rows(merge_table(ROWS, more, first, "c.dmn")) == ["8", "1", "7", "2", "3"]


@pytest.mark.parametrize(
    "mine",
    [
        table(("r1", "5"), ("r2", "2"), ("r3", "3")),
        table(("r2", "2"), ("r1", "1"), ("r3", "3")),
        table(("r1", "1"), ("r2", "2"), ("r3", "3"), hit="UNIQUE"),
        b"<a",
    ],
)
def test_the_same_row_another_order_and_what_is_no_row_are_asked(mine: bytes) -> None:
    assert merge_table(ROWS, table(("r1", "9"), ("r2", "2"), ("r3", "3")), mine, "c.dmn") is None
