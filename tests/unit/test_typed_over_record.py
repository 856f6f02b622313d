"""Three-way merge of typed text and record, and what people read about the differences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.forms import Field, Form
from usher_web.staff.field_names import OURS, field_name, submitted
from usher_web.staff.typed_over_record import as_text, differences, in_words, letters_apart, merged

FIELDS = (
    Field(key="email", label="E-mail", kind="email"),
    Field(key="born", label="Born", kind="date"),
    Field(key="sex", label="Birth sex", kind="select", options=(("F", "Female"), ("M", "Male"))),
    Field(key="agreed", label="Agreed", kind="checkbox"),
    Field(key="age", label="Age", kind="number"),
)
FORM = Form(id="f", title="", submit="Send", fields=FIELDS)
BEFORE = {"email": "ada@example.org", "born": "1981", "sex": "F", "agreed": True, "age": 7}

TEXTS = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(("", "F", "M", "1981-05-04", "x", "xy")))
VALUES = st.fixed_dictionaries({field.key: TEXTS for field in FIELDS})


def test_each_field_follows_the_one_who_changed_it() -> None:
    served = {field.key: as_text(field, BEFORE[field.key]) for field in FIELDS}
    mine = {**served, "email": "ada@example.com", "sex": "M"}
    now = {**BEFORE, "email": "ada@example.net", "age": 8}
    found = merged(FORM, mine, BEFORE, now)
    assert found.values == {**now, "email": "ada@example.com", "sex": "M"}
    assert [one.label for one in found.disputed] == ["E-mail"]
    assert found.followed == ("Age",)
    assert found.values["born"] == "1981", "a date field cannot show it: it was not emptied by anybody"


def test_a_box_that_was_unticked_stays_unticked() -> None:
    assert merged(FORM, {"agreed": ""}, BEFORE, BEFORE).values["agreed"] == ""


@given(mine=VALUES, before=VALUES, now=VALUES)
def test_no_text_of_a_person_gives_way_without_a_word(mine, before, now) -> None:
    found = merged(FORM, mine, before, now)
    for field in FIELDS:
        was, there, here = (as_text(field, one[field.key]) for one in (before, now, mine))
        kept = as_text(field, found.values.get(field.key))
        assert kept == (there if here == was else here)
        asked = field.label in [one.label for one in found.disputed]
        assert asked == (here not in (was, there) and there != was)


@given(st.text(max_size=60), st.text(max_size=60))
def test_marked_letters_put_together_are_the_texts(theirs: str, mine: str) -> None:
    left, right = letters_apart(theirs, mine)
    assert ("".join(text for text, _ in left), "".join(text for text, _ in right)) == (theirs, mine)
    if theirs == mine:
        assert not any(differs for _, differs in (*left, *right))


def test_only_what_differs_is_marked_and_a_stray_letter_is_not_left_out() -> None:
    assert letters_apart("a@example.org", "a@example.com") == (
        (("a@example.", False), ("org", True)),
        (("a@example.", False), ("com", True)),
    )
    assert letters_apart("97201", "97202") == ((("9720", False), ("1", True)), (("9720", False), ("2", True)))
    assert letters_apart("phoned", "asked at the desk")[0] == (("phoned", True),)
    long = "x" * 100_000
    assert letters_apart(long, f"{long}y")[1] == ((f"{long}y", True),)


def test_people_read_words() -> None:
    found = differences(FORM, {"sex": "F", "born": "1981-05-04", "agreed": False}, {"sex": "M", "born": "1981-05-05"})
    assert [("".join(t for t, _ in one.theirs), one.mine_words) for one in found] == [
        ("4 May 1981", "5 May 1981"),
        ("Female", "Male"),
    ]
    assert in_words(FIELDS[3], True) == "yes"
    assert in_words(FIELDS[1], "1981") == "1981"


@pytest.mark.parametrize("key", [*OURS, "f", "action", "email"])
def test_every_field_comes_back_under_its_key(key: str) -> None:
    sent = dict.fromkeys(OURS, "ours") | {field_name(key): "typed"}
    assert submitted(sent) == {key: "typed"}
