"""Slips in typed e-mail addresses are asked about; addresses that are right, or are somebody's, never."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.enrollment.address_slips import PROVIDERS, is_one_slip, meant_address


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("Ada@GMAIL.CON", "Ada@gmail.com"),
        ("ada@gmal.com", "ada@gmail.com"),
        ("ada@gmaill.com", "ada@gmail.com"),
        ("ada@hotnail.com", "ada@hotmail.com"),
        ("ada@gmail.cm", "ada@gmail.com"),
        ("ada@clinic.ogr", "ada@clinic.org"),
        ("ada@yahooo.com", "ada@yahoo.com"),
        (" ada@outlok.com\u200b", "ada@outlook.com"),
    ],
)
def test_slips_are_seen(typed: str, meant: str) -> None:
    assert meant_address(typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["ada@gmail.com", "ada@mail.com", "ada@me.com", "ada@mac.com", "ada@example.org", "ada@bücher.example", "ada", "",
     "ada@", "a@b@c", "ada@clinic.co", "ada@ymail.com", "ada@gmx.de"],
)  # fmt: skip
def test_what_is_right_is_left_alone(typed: str) -> None:
    assert meant_address(typed) == ""


@given(st.sampled_from(PROVIDERS))
def test_no_provider_is_a_slip_of_itself(domain: str) -> None:
    assert meant_address(f"ada@{domain}") == ""
    assert not is_one_slip(domain, domain)


@given(st.text(max_size=30))
def test_any_text_has_an_answer(typed: str) -> None:
    meant = meant_address(typed)
    assert meant == "" or meant_address(meant) in ("", meant_address(meant))
