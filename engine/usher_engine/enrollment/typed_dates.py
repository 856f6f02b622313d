"""Reads dates as people type them into a search: 29 feb 2000, 2/29/2000, 29.2.2000, February 29. Pure.

A date that can be meant in two ways is read in both: 4/5/1981 is the 5th of April and the 4th of May.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: The months in English, Spanish, French and German, folded; three letters or more of one are enough.
_MONTHS = (
    ("january", "enero", "janvier", "januar"),
    ("february", "febrero", "fevrier", "februar", "feber"),
    ("march", "marzo", "mars", "marz", "maerz"),
    ("april", "abril", "avril"),
    ("may", "mayo", "mai"),
    ("june", "junio", "juin", "juni"),
    ("july", "julio", "juillet", "juli"),
    ("august", "agosto", "aout"),
    ("september", "septiembre", "setiembre", "septembre", "sept"),
    ("october", "octubre", "octobre", "oktober"),
    ("november", "noviembre", "novembre"),
    ("december", "diciembre", "decembre", "dezember"),
)

_ORDINALS = ("st", "nd", "rd", "th")
_BETWEEN = frozenset({"of", "de", "del"})


@dataclass(frozen=True, order=True, slots=True)
class TypedDate:
    """A day, a month or a day of any year; 0 stands for a part that was not typed."""

    year: int
    month: int
    day: int


def dates_in(words: Sequence[str], place: int, this_year: int) -> tuple[int, tuple[TypedDate, ...]]:
    """
    The longest date that begins at *place* of the folded *words*.

    Returns:
        How many words it takes, 0 for none; and all it may mean.
    """
    taken = [at for at in range(place, min(len(words), place + 5)) if words[at] not in _BETWEEN][:3]
    for count in (3, 2, 1):
        if len(taken) < count or taken[0] != place:
            continue
        parts = [words[at] for at in taken[:count]]
        found = sorted(set(_meanings(parts, this_year)))
        if found:
            return taken[count - 1] - place + 1, tuple(found)
    return 0, ()


def _meanings(parts: Sequence[str], this_year: int) -> Iterator[TypedDate]:
    if len(parts) == 1:
        if len(parts[0]) == 8 and parts[0].isdecimal():
            yield from _valid(int(parts[0][:4]), int(parts[0][4:6]), int(parts[0][6:]))
        return
    first, second = parts[0], parts[1]
    if len(parts) == 3:
        last = parts[2]
        for year, month, day in ((last, first, second), (last, second, first), (first, second, last)):
            is_iso = year is first
            for known in _years(year, this_year, four_only=is_iso):
                yield from (found for m in _months(month) for found in _valid(known, m, _day(day)))
        return
    yield from (found for m in _months(first) for found in _valid(0, m, _day(second)))
    yield from (found for m in _months(second) for found in _valid(0, m, _day(first)))
    for year, month in ((first, second), (second, first)):
        yield from (TypedDate(y, m, 0) for y in _years(year, this_year, four_only=True) for m in _months(month))


def _valid(year: int, month: int, day: int) -> Iterator[TypedDate]:
    if 1 <= month <= 12 and 1 <= day <= monthrange(year or 2000, month)[1]:
        yield TypedDate(year, month, day)


def _years(word: str, this_year: int, *, four_only: bool) -> Iterator[int]:
    if not word.isdecimal():
        return
    if len(word) == 4 and 1800 <= int(word) <= this_year:
        yield int(word)
    elif len(word) == 2 and not four_only:
        yield from (year for year in (1900 + int(word), 2000 + int(word)) if year <= this_year)


def _months(word: str) -> Iterator[int]:
    if word.isdecimal():
        if len(word) <= 2 and 1 <= int(word) <= 12:
            yield int(word)
    elif len(word) >= 3:
        yield from (n for n, names in enumerate(_MONTHS, start=1) if any(name.startswith(word) for name in names))


def _day(word: str) -> int:
    """The day of a month, 0 for none; it may be an ordinal: 1st."""
    digits = word[:-2] if word.endswith(_ORDINALS) else word
    return int(digits) if digits.isdecimal() and len(digits) <= 2 else 0
