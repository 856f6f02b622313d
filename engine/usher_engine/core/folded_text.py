"""Folds text so that all spellings of a word are equal: accents, case, width, apostrophes, decomposed forms. Pure.

Every folded letter keeps its place in the original text, so that a page can mark there what a search has matched.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

#: Stand for the end of a word, and for a join inside one (an apostrophe or a hyphen), among folded letters.
GAP, JOIN = " ", "-"

#: Letters that Unicode does not decompose, as they are written without their strokes.
_PLAIN = {
    "æ": "ae", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ĸ": "k", "ł": "l", "ŋ": "n", "ø": "o", "œ": "oe", "þ": "th",
    "ŧ": "t", "ƒ": "f", "ə": "e", "ɫ": "l",
}  # fmt: skip

#: What people write where a keyboard lacks the letter.
_SPELLED_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}

_JOINS = frozenset("'`´‘’‛′＇ʹʻʼʽˈ׳‐‑‒–—-−﹣－·・\u2043\u02d7\u05be")
#: The same for ASCII, which most names are written in.
_ASCII = {
    code: chr(code).lower() if chr(code).isalnum() else JOIN if chr(code) in _JOINS else GAP for code in range(128)
}
#: Fills Arabic words to the width of a line.
_TATWEEL = "\u0640"


@dataclass(frozen=True, slots=True)
class Letter:
    """One folded character, `GAP` or `JOIN`, and the part of the original text it stands for."""

    folded: str
    start: int
    end: int


def letters_of(text: str, *, spelled_out: bool = False) -> list[Letter]:
    """The folded letters of *text*; *spelled_out* writes ü as ue and its like instead of u."""
    found = []
    for start, end in _clusters(text):
        cluster = unicodedata.normalize("NFC", text[start:end])
        folded = "".join(_fold(character, spelled_out=spelled_out) for character in cluster)
        found += [Letter(one, start, end) for one in folded]
    return found


def folded(text: str, *, spelled_out: bool = False) -> str:
    """*text* as words with one space between them; a word may hold `JOIN`."""
    if text.isascii():
        letters = text.translate(_ASCII)
    else:
        letters = "".join(letter.folded for letter in letters_of(text, spelled_out=spelled_out))
    return " ".join(word for found in letters.split(GAP) if (word := found.strip(JOIN)))


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Where each letter with the marks that follow it begins and ends."""
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or unicodedata.category(text[place]) not in ("Mn", "Me"):
            yield start, place
            start = place


@lru_cache(maxsize=8192)
def _fold(character: str, *, spelled_out: bool) -> str:
    lower = character.lower()
    if spelled_out and lower in _SPELLED_OUT:
        return _SPELLED_OUT[lower]
    if character in _JOINS:  # some of them decompose into a space
        return JOIN
    plain = _without_marks(character).casefold()
    return "".join(_PLAIN.get(one) or _kept(one) for one in _without_marks(plain))


def _without_marks(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character)
    return "".join(one for one in decomposed if unicodedata.category(one) not in ("Mn", "Me"))


def _kept(character: str) -> str:
    """A letter, number or sign as it is; `JOIN` for one; nothing for what cannot be seen; a gap for the rest."""
    if character in _JOINS:
        return JOIN
    category = unicodedata.category(character)
    if category == "Cf" or character == _TATWEEL:
        return ""
    if category[0] in "LN":
        digit = unicodedata.decimal(character, None)
        return character if digit is None else str(digit)
    return character if category in ("Mc", "So") else GAP
