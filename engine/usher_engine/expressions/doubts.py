"""What cannot be right in an expression, by what is known of the data: one sentence each, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

from usher_engine.core.shapes import KIND_WORDS

#: ``unset``: nothing sets the name. ``perhaps``: it, or a field, is not there on every way. ``field``: the record has
#: no such field. ``value``: a comparison with a value that never comes. ``kind``: values of kinds that do not go
#: together. ``null``: a value that may be null is used as if it never were.
About: TypeAlias = Literal["unset", "perhaps", "field", "value", "kind", "null"]

_MOST_NAMED = 6
_CLOSE = 0.7


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """*certain*: it fails, or never holds, whatever the data. *old* may be replaced by *new* in the text at *line*."""

    about: About
    message: str
    certain: bool = True
    line: int = 1
    name: str = ""
    old: str = ""
    new: str = ""


def close_to(wrong: str, known: Iterable[str]) -> str:
    """The one of *known* that *wrong* probably means; empty if none is close."""
    exact = {one.casefold(): one for one in known}
    found = get_close_matches(wrong.casefold(), exact, n=1, cutoff=_CLOSE)
    return exact[found[0]] if found else ""


def did_you_mean(close: str) -> str:
    return f" Did you mean “{close}”?" if close else ""


def listed(names: Iterable[str]) -> str:
    """The first of *names*, in words."""
    found = list(names)
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return ", ".join(found[:_MOST_NAMED]) + more


def in_words(kinds: Iterable[str]) -> str:
    return " or ".join(KIND_WORDS[kind] for kind in kinds)
