"""One e-mail address in its many spellings, and texts that are none."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.core.email_address import (
    NotAnEmailAddress,
    comparable_email_address,
    parse_email_address,
    shown_email_address,
)

SPELLINGS = [
    "tess@bücher.example.org",
    "tess@BÜCHER.Example.ORG",
    "tess@bu\u0308cher.example.org",
    "tess@xn--bcher-kva.example.org",
    "tess@XN--BCHER-KVA.example.org",
    "tess@ｂücher.example.org",
    "tess@bücher。example.org",
    "  tess@bücher.example.org\u00a0",
    "\u200btess@bücher.example.org\ufeff",
    "\u202atess@bücher.example.org\u202c",
    "tess@bü\u00adcher.example.org",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_spellings_are_one_address(spelling: str) -> None:
    found = parse_email_address(spelling)
    assert (found.shown, found.ascii) == ("tess@bücher.example.org", "tess@xn--bcher-kva.example.org")
    assert comparable_email_address(spelling) == "tess@xn--bcher-kva.example.org"
    assert comparable_email_address(spelling.replace("tess", "TESS")) == "tess@xn--bcher-kva.example.org"
    assert shown_email_address(spelling) == "tess@bücher.example.org"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("tess@straße.example.org", "tess@strasse.example.org"),
        ("tess@bücher.example.org", "tess@bucher.example.org"),
        ("tess@example.org", "tess@example.com"),
        ("te.ss@example.org", "tess@example.org"),
    ],
)
def test_other_addresses_stay_others(one: str, other: str) -> None:
    assert comparable_email_address(one) != comparable_email_address(other)


def test_the_case_before_the_at_is_kept_and_not_compared() -> None:
    assert parse_email_address("Tess@Example.org").shown == "Tess@example.org"
    assert comparable_email_address("Tess@Example.org") == comparable_email_address("tess@example.org")


@pytest.mark.parametrize("text", ["", "\u200b", "tess", "a@x.org, b@x.org", "Tess <tess@example.org>", "t@localhost"])
def test_texts_that_are_no_address_are_refused_and_still_compared(text: str) -> None:
    with pytest.raises(NotAnEmailAddress, match=r"name@example\.com") as refused:
        parse_email_address(text)
    assert "tess" not in str(refused.value)
    assert comparable_email_address(f" {text} ") == comparable_email_address(text)


@pytest.mark.parametrize(
    "text", ["jürgen@example.org", "máire@bücher.example.org", "用户@example.org", "ａda@example.org"]
)
def test_letters_many_servers_refuse_are_named(text: str) -> None:
    with pytest.raises(NotAnEmailAddress, match="before the @"):
        parse_email_address(text)
    assert comparable_email_address(text) == comparable_email_address(unicodedata.normalize("NFD", text).upper())


LABELS = st.text(st.sampled_from("abcxyzäöüéñłøß中文"), min_size=1, max_size=8)


@given(st.text(st.sampled_from("abcXYZ019"), min_size=1, max_size=12), LABELS, st.sampled_from(["NFC", "NFD"]))
def test_every_spelling_of_a_domain_is_one_address(local: str, label: str, form: str) -> None:
    written = f"{local}@{label}.example.org"
    found = parse_email_address(written)
    assert found.ascii.isascii()
    for spelling in (written, unicodedata.normalize(form, written), f"{local}@{label}.EXAMPLE.org ", found.ascii):
        assert parse_email_address(spelling) == found
        assert comparable_email_address(spelling) == comparable_email_address(found.shown)
