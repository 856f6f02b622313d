"""Reads what people type to find a patient: names in any order, dates, numbers, an e-mail address. Pure.

A text can have two readings, one with the dates in it as dates; a patient fits if all terms of one reading do, and a
term if one of its alternatives does (decisions/0039).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..core.email_address import comparable_email_address
from ..core.folded_text import JOIN, folded
from ..core.visible_text import without_invisible
from .search_keys import BIRTHDAY, BORN, EMAIL, MAX_KEY, NAME, NUMBER, PHONE, RECORD, compact, run_together
from .typed_dates import TypedDate, dates_in

MAX_TEXT = 200
MAX_TERMS = 8
#: The fewest last digits of a telephone number that find it, and the fewest that several groups must have.
SHORTEST_PHONE, SHORTEST_RUN = 4, 7
#: Longer numbers may begin with the code of a country, which not every record has.
NATIONAL_DIGITS = 10

_DIGITS_BEFORE = re.compile(r"(?<=\d)[年月日]")


@dataclass(frozen=True, slots=True)
class KeyRange:
    """All keys that begin with *key*, or only *key* itself."""

    key: str
    begins: bool

    @property
    def last(self) -> str:
        """Greater than all keys that begin with *key*."""
        return self.key + "\U0010ffff"


Alternative = tuple[KeyRange, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that was typed, *word* as it was folded; *dates* are its meanings if it is a date."""

    word: str
    alternatives: tuple[Alternative, ...]
    dates: tuple[TypedDate, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The beginnings of names it stands for."""
        return tuple(one[0].key[1:] for one in self.alternatives if len(one) == 1 and one[0].key.startswith(NAME))


Reading = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class TypedSearch:
    """A text with its readings; none for a text that asks for everybody. *record* is the key of a whole number."""

    text: str
    readings: tuple[Reading, ...] = ()
    record: str = ""

    @property
    def asks_for_nothing(self) -> bool:
        """Whether something was typed, but nothing that could be found: only signs."""
        return bool(self.text) and not self.readings

    @property
    def doubtful(self) -> tuple[TypedDate, ...]:
        """The meanings of a typed date that can be meant in several ways."""
        terms = (term for reading in self.readings for term in reading if len(term.dates) > 1)
        return next((term.dates for term in terms), ())


def parse_typed(text: str, this_year: int) -> TypedSearch:
    """The search that *text* asks for; *this_year* is the practice's, in which nobody is born later."""
    seen = without_invisible(text)[:MAX_TEXT]
    tokens = [token for token in re.split(r"[\s,;]+", _DIGITS_BEFORE.sub(" ", seen)) if token]
    emails = [_email_term(token) for token in tokens if "@" in token and len(token) > 1]
    line = " ".join(token for token in tokens if "@" not in token)
    words = folded(line).split()
    if not (emails or words):
        return TypedSearch(seen)
    spelled_out = dict(zip(words, folded(line, spelled_out=True).split(), strict=True))
    plain = (*emails, *_terms(words, spelled_out))
    dates = _dated(words, spelled_out, this_year)
    known = ((*emails, *dates)[:MAX_TERMS], plain[:MAX_TERMS]) if dates else (plain[:MAX_TERMS],)
    return TypedSearch(seen, known, RECORD + compact(seen)[: MAX_KEY - 1])


def _email_term(token: str) -> Term:
    local, _, domain = token.partition("@")
    known = comparable_email_address(token) if domain else f"{local.casefold()}@"
    return Term(token, (_begins(EMAIL, known),))


def _dated(words: Sequence[str], spelled_out: Mapping[str, str], this_year: int) -> tuple[Term, ...]:
    """The terms with all dates as dates; nothing if there are none."""
    parts = [part for word in words for part in word.split(JOIN)]
    rest: list[str] = []
    dates: list[Term] = []
    place = 0
    while place < len(parts):
        taken, meanings = dates_in(parts, place, this_year)
        if taken:
            dates.append(_date_term(" ".join(parts[place : place + taken]), meanings))
        else:
            rest.append(parts[place])
        place += taken or 1
    return (*dates, *_terms(rest, spelled_out)) if dates else ()


def _date_term(word: str, meanings: tuple[TypedDate, ...]) -> Term:
    return Term(word, tuple(_date_key(one) for one in meanings), meanings)


def _date_key(date: TypedDate) -> Alternative:
    if not date.year:
        return (KeyRange(f"{BIRTHDAY}{date.month:02}-{date.day:02}", False),)
    return (KeyRange(f"{BORN}{date.year:04}-{date.month:02}" + (f"-{date.day:02}" if date.day else ""), True),)


def _terms(words: Sequence[str], spelled_out: Mapping[str, str]) -> Iterator[Term]:
    """The terms of *words*; telephone numbers are put together from their groups. *spelled_out* has ü as ue."""
    place = 0
    while place < len(words):
        run = place
        while run < len(words) and run_together(words[run]).isdecimal():
            run += 1
        digits = "".join(run_together(word) for word in words[place:run])
        if run - place > 1 and len(digits) >= SHORTEST_RUN:
            yield Term(" ".join(words[place:run]), (*_phones(digits), _is(digits), _groups(words[place:run])))
            place = run
        else:
            yield Term(words[place], tuple(dict.fromkeys(_alternatives(words[place], spelled_out))))
            place += 1


def _groups(words: Sequence[str]) -> Alternative:
    return tuple(KeyRange(NUMBER + run_together(word), False) for word in words)


def _alternatives(word: str, spelled_out: Mapping[str, str]) -> Iterator[Alternative]:
    whole = run_together(word)
    yield _begins(NAME, whole)
    yield _begins(NAME, run_together(spelled_out.get(word, word)))
    yield _is(whole)
    if whole.isdecimal():
        yield from _phones(whole)
        if len(whole) == 4:
            yield _begins(BORN, whole)
    if JOIN in word:
        parts = [part for part in word.split(JOIN) if part]
        yield tuple(KeyRange((NUMBER if part.isdecimal() else NAME) + part, not part.isdecimal()) for part in parts)


def _phones(digits: str) -> Iterator[Alternative]:
    """A telephone number by its last digits, with or without the code of the country and the zero before it."""
    national = digits[-NATIONAL_DIGITS:] if len(digits) > NATIONAL_DIGITS else digits
    for number in dict.fromkeys((digits, national, national.lstrip("0"))):
        if len(number) >= SHORTEST_PHONE:
            yield _begins(PHONE, number[::-1])


def _is(number: str) -> Alternative:
    return (KeyRange((NUMBER + number)[:MAX_KEY], False),)


def _begins(kind: str, beginning: str) -> Alternative:
    return (KeyRange((kind + beginning)[:MAX_KEY], True),)
