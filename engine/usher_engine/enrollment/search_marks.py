"""Where in a text, as it is written, a search has matched: folded letters know their places. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from ..core.folded_text import GAP, JOIN, Letter, letters_of
from .fhir_entries import entries, record, texts
from .fhir_entries import text as text_of
from .fhir_preference import Entry
from .search_keys import compact
from .search_terms import NATIONAL_DIGITS, SHORTEST_PHONE, TypedSearch

#: A piece of a text, and whether the search has matched it.
Piece = tuple[str, bool]


def marked(text: str, typed: TypedSearch) -> list[Piece]:
    """*text* in pieces: the beginnings of its words that stand for a typed name are matched."""
    return cut(text, name_places(text, names_of(typed)))


def names_of(typed: TypedSearch) -> tuple[str, ...]:
    """The beginnings of names that were typed, folded; the longest first."""
    found = {name for reading in typed.readings for term in reading for name in term.names}
    return tuple(sorted(found, key=lambda name: (-len(name), name)))


def unmatched(texts: Iterable[str], typed: TypedSearch) -> bool:
    """Whether a typed name is in none of *texts*: the patient was found by something else."""
    written = list(texts)
    plain = typed.readings[0] if typed.readings else ()
    return any(
        term.names and not any(name_places(text, term.names) for text in written) for term in plain if not term.dates
    )


def name_places(text: str, names: Collection[str]) -> list[tuple[int, int]]:
    """Where words of *text* begin with one of *names*: (start, end) each."""
    return [place for spelled in (False, True) for place in _places(letters_of(text, spelled_out=spelled), names)]


def _places(letters: Sequence[Letter], names: Collection[str]) -> Iterator[tuple[int, int]]:
    written = [letter for letter in letters if letter.folded not in (GAP, JOIN)]
    line = "".join(letter.folded for letter in written)
    for number, begins in enumerate(_beginnings(letters)):
        fits = next((name for name in names if line.startswith(name, number)), "") if begins else ""
        if fits:
            yield written[number].start, written[number + len(fits) - 1].end


def _beginnings(letters: Sequence[Letter]) -> list[bool]:
    """For each letter that is none of `GAP` and `JOIN`, whether a word begins with it."""
    found, after = [], True
    for letter in letters:
        if letter.folded in (GAP, JOIN):
            after = True
        else:
            found.append(after)
            after = False
    return found


def names_in(resource: Entry) -> Iterator[tuple[str, str]]:
    """The names of a record as people read them, each with the year in which it ended, if it has."""
    for name in entries(resource, "name"):
        parts = [*filter(None, texts(name.get("given"))), text_of(name.get("family"))]
        written = " ".join(filter(None, parts)) or text_of(name.get("text"))
        if written:
            yield written, text_of(record(name.get("period")).get("end"))[:4]


def cut(text: str, places: Iterable[tuple[int, int]]) -> list[Piece]:
    """*text* in pieces, those at *places* matched; places may overlap."""
    inside = [False] * len(text)
    for start, end in places:
        inside[start:end] = [True] * (end - start)
    pieces: list[Piece] = []
    for letter, matched in zip(text, inside, strict=True):
        if pieces and pieces[-1][1] == matched:
            pieces[-1] = (pieces[-1][0] + letter, matched)
        else:
            pieces.append((letter, matched))
    return pieces


def is_typed_number(number: str, typed: TypedSearch) -> bool:
    """Whether a record, telephone or ZIP number was typed: the whole, one of its groups, or its last digits."""
    wanted = {compact(term.word) for reading in typed.readings for term in reading if not term.dates} - {""}
    whole = compact(number)
    parts = {whole, *(compact(part) for part in number.replace("-", " ").split())}
    return any(one in parts or _ends_alike(whole, one) for one in wanted) if whole else False


def _ends_alike(whole: str, typed: str) -> bool:
    """Whether *typed* are the last digits of a telephone number, with or without the code of the country."""
    if not (typed.isdecimal() and whole.isdecimal() and len(typed) >= SHORTEST_PHONE):
        return False
    return whole.endswith(typed[-NATIONAL_DIGITS:].lstrip("0")) or typed.endswith(whole.lstrip("0"))
