"""The keys under which a patient is found, made from the FHIR R4 Patient (decisions/0039). Pure.

A key begins with a letter for its kind. `search_terms` makes the same keys from what people type.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from ..core.email_address import comparable_email_address
from ..core.folded_text import GAP, JOIN, folded
from .eligibility import is_closed
from .fhir_contacts import is_email, is_phone
from .fhir_entries import entries, record, text, texts
from .fhir_preference import Entry
from .timestamps import last_instant

#: A word of a name; found by how it begins.
NAME = "a"
#: A date of birth or its beginning, and its month and day; the first is found by how it begins.
BORN, BIRTHDAY = "b", "c"
#: A whole number of a record or ZIP code, and each group in it.
NUMBER = "n"
#: The digits of a telephone number from the last one on; found by how they begin.
PHONE = "p"
#: An e-mail address in the form for comparing; found by how it begins.
EMAIL = "e"
#: A whole record number, or the id of the patient.
RECORD = "r"
#: The same for all who look alike: same folded name, same date of birth.
ALIKE = "="

MAX_KEY = 60
#: More than a record of a person has; a longer one is found by the first of its names, contacts and numbers.
MAX_KEYS, MAX_ENTRIES = 400, 20

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
_NEVER_COUNT = ("old", "anonymous")


def keys_of(resource: Entry, now: datetime) -> frozenset[str]:
    """The keys of a patient, at most `MAX_KEYS`; *now* decides which contacts and names have ended."""
    return frozenset(islice(dict.fromkeys(key[:MAX_KEY] for key in _keys(resource, now)), MAX_KEYS))


def _keys(resource: Entry, now: datetime) -> Iterator[str]:
    yield RECORD + compact(text(resource.get("id")))
    yield NUMBER + compact(text(resource.get("id")))
    for identifier in _first(resource, "identifier"):
        number = text(identifier.get("value"))
        if compact(number):
            yield RECORD + compact(number)
            yield from (NUMBER + group for group in groups(number))
    born = text(resource.get("birthDate"))
    if _DATE.fullmatch(born):
        yield BORN + born
        if len(born) == 10:
            yield BIRTHDAY + born[5:]
        if not is_closed(resource):
            yield from (look_alike_key(name, born) for name in _standing_names(resource, now))
    for name in _first(resource, "name"):
        yield from (NAME + word for word in name_words(name))
    yield from _contact_keys(resource, now)


def _contact_keys(resource: Entry, now: datetime) -> Iterator[str]:
    for contact in _first(resource, "telecom"):
        value = text(contact.get("value"))
        if has_ended(contact, now) or not value:
            continue
        if is_email(contact):
            yield EMAIL + comparable_email_address(value)
        elif is_phone(contact) and digits_of(value):
            yield PHONE + digits_of(value)[::-1]
    for address in _first(resource, "address"):
        if not has_ended(address, now):
            yield from (NUMBER + group for group in groups(text(address.get("postalCode"))))


def _first(resource: Entry, kind: str) -> list[Entry]:
    return entries(resource, kind)[:MAX_ENTRIES]


def name_words(name: Entry) -> Iterator[str]:
    """The folded words of a name: as written, in their parts, and each part of the name run together."""
    given = " ".join(filter(None, texts(name.get("given"))))
    parts = [text(name.get("family")), given, " ".join(filter(None, texts(name.get("suffix")))), text(name.get("text"))]
    for part in filter(None, parts):
        for spelled_out in (False, True):
            yield from words_in(folded(part, spelled_out=spelled_out))
    if _runs_together(given) or _runs_together(parts[0]):
        yield run_together(folded(parts[0] + given))
        yield run_together(folded(given + parts[0]))


def words_in(line: str) -> Iterator[str]:
    """The words of a folded line, the parts of a joined word, and the whole line run together."""
    for word in line.split(GAP):
        yield from filter(None, (run_together(word), *(word.split(JOIN) if JOIN in word else ())))
    if GAP in line:
        yield run_together(line)


def run_together(line: str) -> str:
    return line.replace(GAP, "").replace(JOIN, "")


def _runs_together(part: str) -> bool:
    """Whether a script is used that puts no space between the names of a person."""
    return any(unicodedata.category(letter) == "Lo" for letter in part)


def compact(number: str) -> str:
    """A number without what parts its groups: MR-1001 and MR 1001 are mr1001."""
    return run_together(folded(number))


def groups(number: str) -> Iterator[str]:
    """The whole of a number and each of its groups; nothing for none."""
    line = folded(number)
    if line:
        yield run_together(line)
        yield from filter(None, line.replace(JOIN, GAP).split(GAP))


def digits_of(number: str) -> str:
    return "".join(letter for letter in folded(number) if letter.isdecimal())


def look_alike_key(name: Entry, born: str) -> str:
    """The key that all patients of this name and date of birth share: first name and last name, in any order."""
    first = next(filter(None, texts(name.get("given"))), "")
    whole = f"{first} {text(name.get('family'))}" if first or name.get("family") else text(name.get("text"))
    words = sorted(run_together(word) for word in folded(whole).split(GAP))
    return ALIKE + hashlib.sha256(f"{' '.join(words)}|{born}".encode()).hexdigest()[:40]


def _standing_names(resource: Entry, now: datetime) -> Iterable[Entry]:
    """The whole names that have not ended; a first name or a last name alone is too little to compare."""
    for name in _first(resource, "name"):
        parts = folded(" ".join([text(name.get("family")), *texts(name.get("given")), text(name.get("text"))]))
        is_whole = (name.get("family") and texts(name.get("given"))) or GAP in folded(text(name.get("text")))
        if is_whole and parts and not has_ended(name, now):
            yield name


def has_ended(entry: Entry, now: datetime) -> bool:
    """Whether an entry is over, by its use or its period."""
    end = last_instant(record(entry.get("period")).get("end"), now.tzinfo)
    return entry.get("use") in _NEVER_COUNT or (end is not None and end <= now)
