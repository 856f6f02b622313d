"""Patients of any script are found by their names in every order, case and Unicode form."""

from __future__ import annotations

import unicodedata
from datetime import date

from hypothesis import assume, example, given
from hypothesis import strategies as st
from unit.test_patient_search import finds, look_alike, patient
from usher_engine.core.folded_text import folded, letters_of
from usher_engine.enrollment.search_marks import marked
from usher_engine.enrollment.search_terms import parse_typed

SCRIPTS = (
    ("A", "z"), ("À", "ſ"), ("Ͱ", "Ͽ"), ("Ѐ", "ԯ"), ("א", "ת"), ("ء", "ي"), ("अ", "ह"), ("ก", "ฮ"), ("가", "힣"),
    ("ぁ", "ヺ"), ("一", "鿿"), ("Ḁ", "ỹ"), ("Ａ", "ｚ"), ("Ꭰ", "Ᏽ"), ("ሀ", "ፚ"),
)  # fmt: skip

words = st.one_of(
    st.text(
        st.characters(min_codepoint=ord(first), max_codepoint=ord(last), categories=("Lu", "Ll", "Lo")),
        min_size=1,
        max_size=12,
    )
    for first, last in SCRIPTS
)
names = st.lists(words, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from((" ", "-", "'", "’")).map(lambda joint: joint.join(parts))
)
forms = st.sampled_from(("NFC", "NFD", "NFKC", "NFKD"))


@given(names, names, forms, st.sampled_from((str.upper, str.lower, str.title, str)), st.booleans())
@example("ŉ", "ǰ", "NFD", str.upper, False)
@example("İbrahim", "ısı", "NFD", str.lower, True)
def test_found_in_every_form(first: str, last: str, form: str, case: object, swapped: bool) -> None:
    record = patient(last, first)
    typed = unicodedata.normalize(form, case(f"{last}, {first}" if swapped else f"{first} {last}"))  # type: ignore[operator]
    assume(len(typed.split()) <= 8 and len(typed) <= 200)
    assert finds(typed, record)
    assert finds(typed, patient(unicodedata.normalize("NFD", last), unicodedata.normalize("NFD", first)))


@given(st.text(max_size=60), st.text(max_size=40))
def test_nothing_typed_breaks_the_search(text: str, typed: str) -> None:
    search = parse_typed(typed, 2026)
    assert all(len(reading) <= 8 for reading in search.readings)
    assert "".join(piece for piece, _ in marked(text, search)) == text
    assert [letter for letter in letters_of(text) if letter.end > len(text) or letter.start >= letter.end] == []


@given(st.text(max_size=60))
def test_folding_is_the_same_for_all_forms_and_settles(text: str) -> None:
    once = folded(text)
    assert folded(unicodedata.normalize("NFD", text)) == once
    assert folded(unicodedata.normalize("NFC", text)) == once
    assert folded(once) == once


@given(names, names, st.dates(date(1900, 1, 1), date(2026, 1, 1)))
def test_look_alikes_are_symmetric_under_folding(first: str, last: str, born: date) -> None:
    one = look_alike(patient(last, first, birthDate=born.isoformat()))
    other = look_alike(patient(unicodedata.normalize("NFD", last.upper()), first.lower(), birthDate=born.isoformat()))
    assert one == other
    assert len(one) == 1


@given(
    st.dates(date(1900, 1, 1), date(2026, 1, 1)),
    st.sampled_from(
        (
            "%Y-%m-%d",
            "%m/%d/%Y",
            "%d.%m.%Y",
            "%d %B %Y",
            "%B %d, %Y",
            "%d %b %Y",
            "%d %b",
            "%m/%d/%y",
            "%b %Y",
            "%Y%m%d",
        )
    ),
)
def test_every_day_is_found_as_typed(born: date, form: str) -> None:
    assert finds(born.strftime(form), patient(birthDate=born.isoformat()))
