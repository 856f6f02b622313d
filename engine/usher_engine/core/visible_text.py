"""Tells text people can see from text that only looks empty: zero-width characters, joiners, marks of direction. Pure.

Typed text keeps such characters inside words, where Persian and emoji need them; they never fill a field.
"""

from __future__ import annotations

import re

#: Unicode's Default_Ignorable_Code_Point, and what else shows nothing: annotation marks and the empty Braille cell.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_HIDDEN = re.compile(f"[{_INVISIBLE}]")
_SEEN = re.compile(rf"[^\s{_INVISIBLE}]")

#: What copying brings along at the ends of a text, and no word of any language begins or ends with.
_AT_THE_ENDS = "\u00ad\u200b\u200e\u200f\u061c\u2060\ufeff\u2800"


def trimmed(text: str) -> str:
    """*text* without spaces and invisible marks around it; empty where nothing in it can be seen."""
    if not _SEEN.search(text):
        return ""
    while (shorter := text.strip().strip(_AT_THE_ENDS)) != text:
        text = shorter
    return text


def without_invisible(text: str) -> str:
    """*text* trimmed and without invisible characters: for addresses, numbers, dates and whatever is searched for."""
    return _HIDDEN.sub("", text).strip()
