"""Text that only looks empty, and the joiners that words need."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from usher_engine.core.visible_text import trimmed, without_invisible

NOTHING = [
    "",
    "  \t\n",
    "\u00a0\u2003",
    "\u200b",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u200c\u200d",
    "\u200e \u200f",
    "\u202a\u202c",
    "\u2066\u2069",
    "\ufe0f",
    "\u2800\u3164\u115f",
    "\U000e0041",
]


@pytest.mark.parametrize("text", NOTHING)
def test_what_nobody_sees_is_empty(text: str) -> None:
    assert trimmed(text) == without_invisible(text) == ""


WORDS = [
    "می\u200cخواهم",
    "ه\u200d",
    "👩\u200d👧",
    "❤\ufe0f",
    "🏴\U000e0067\U000e0062\U000e007f",
    "क\u094d\u200dष",
    "a b",
    "co\u00adop",
]


@pytest.mark.parametrize("text", WORDS)
def test_words_keep_their_joiners(text: str) -> None:
    assert trimmed(text) == text
    assert trimmed(f"\u200b {text}\u00a0\ufeff\u200f") == text


def test_a_search_needs_no_joiners() -> None:
    assert without_invisible("\u202ate\u200bss\u202c ") == "tess"


def test_every_format_character_of_unicode_is_invisible_but_those_that_show() -> None:
    """Signs of Arabic, Syriac and Kaithi numbers enclose what follows; hieroglyphs are put together by theirs."""
    formats = {chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"}
    shown = {letter for letter in formats if trimmed(letter)}
    for letter in shown:
        name = unicodedata.name(letter, "")
        assert any(word in name for word in ("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "PROSGEGRAMMENI")), name


@given(st.text())
def test_trimming_takes_from_the_ends_only_and_once_is_enough(text: str) -> None:
    once = trimmed(text)
    assert once in text
    assert trimmed(once) == once
    assert (once == "") == (without_invisible(text) == "")
