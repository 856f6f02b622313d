"""What a person typed, laid over values that changed meanwhile: who changed what, in the words of the form. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from usher_engine.forms import Field, Form

from ..words.presentation import long_day

#: Texts with more letters than this are marked as a whole: comparing letters is quadratic work.
LETTERS = 400
#: Texts less alike than this have no single letters in common that would help anybody.
ALIKE = 0.6

#: Fewer equal letters between others are marked with them.
SHORTEST = 3

Letters = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One field two people filled differently; of each side the words, cut where the other's letters differ."""

    key: str
    label: str
    theirs: Letters
    mine: Letters
    mine_words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """
    The values for the fields of a form, by key.

    ``disputed`` fields hold the person's text, which is not what the record says now; ``followed`` are the labels of
    fields the person left alone, which took the record's new value.
    """

    values: dict[str, Any]
    disputed: tuple[Difference, ...] = ()
    followed: tuple[str, ...] = ()


def merged(form: Form, typed: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any]) -> Merged:
    """Three-way merge of what was *typed* into a form served with the values *before*; the record holds *now*."""
    values, disputed, followed = dict(now), [], []
    for field in form.fields:
        was, there = as_text(field, before.get(field.key)), as_text(field, now.get(field.key))
        mine = as_text(field, typed.get(field.key, before.get(field.key)))
        if mine == was:
            followed += [field.label] if there != was else []
            continue
        values[field.key] = mine
        if there not in (was, mine):
            disputed.append(difference(field, there, mine))
    return Merged(values=values, disputed=tuple(disputed), followed=tuple(followed))


def differences(form: Form, theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The fields among *mine* whose text is not the one of *theirs*."""
    pairs = ((f, as_text(f, theirs.get(f.key)), as_text(f, mine[f.key])) for f in form.fields if f.key in mine)
    return tuple(difference(field, there, here) for field, there, here in pairs if there != here)


def difference(field: Field, theirs: str, mine: str) -> Difference:
    there, here = in_words(field, theirs), in_words(field, mine)
    left, right = letters_apart(there or "empty", here or "empty")
    return Difference(key=field.key, label=field.label, theirs=left, mine=right, mine_words=here)


def as_text(field: Field, value: Any) -> str:
    """*value* as the form in the browser holds it: a ticked box is "true", and what an input cannot show is empty."""
    if field.kind == "checkbox":
        return "true" if value in (True, "true") else ""
    text = "" if value is None else str(value).replace("\r\n", "\n").strip()
    shown = text in dict(field.options) if field.options else field.kind != "date" or len(text) == len("2026-05-04")
    return text if shown else ""


def in_words(field: Field, value: Any) -> str:
    """*value* as people read it: the labels of options, dates in words; empty if there is nothing."""
    if field.kind == "checkbox":
        return "yes" if value in (True, "true") else "no"
    text = "" if value is None else str(value).strip()
    if field.options:
        return dict(field.options).get(text, text)
    if field.kind == "date":
        try:
            return long_day(date.fromisoformat(text))
        except ValueError:
            return text
    return text


def letters_apart(theirs: str, mine: str) -> tuple[Letters, Letters]:
    """Both texts in pieces; the second of each piece is whether it differs."""
    compared = SequenceMatcher(None, theirs, mine, autojunk=False)
    if max(len(theirs), len(mine)) > LETTERS or compared.ratio() < ALIKE:
        return ((theirs, True),), ((mine, True),)
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for tag, a, b, c, d in compared.get_opcodes():
        # A letter or two that both have between others that differ would only make the marks restless.
        differs = tag != "equal" or (bool(left) and b < len(theirs) and b - a < SHORTEST)
        _append(left, theirs[a:b], differs)
        _append(right, mine[c:d], differs)
    return tuple(left), tuple(right)


def _append(pieces: list[tuple[str, bool]], text: str, differs: bool) -> None:
    """Add *text* to *pieces*, to the last one if that is of its kind."""
    if pieces and pieces[-1][1] is differs:
        text = pieces.pop()[0] + text
    if text:
        pieces.append((text, differs))
