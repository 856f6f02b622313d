"""Patients that were found, as lists show them: what of each the search has matched, in its own spelling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from usher_engine.enrollment import (
    FoundPatients,
    PatientRecord,
    Piece,
    TypedSearch,
    cut,
    is_typed_number,
    marked,
    names_in,
    unmatched,
)

from ..site import site
from ..words.presentation import long_day
from .patient_labels import Subject, describe


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """One patient; *facts* tell it from others of its name, or say by what it was found."""

    patient: Subject
    name: list[Piece]
    record: list[Piece]
    born: list[Piece]
    facts: list[list[Piece]]


def hits_of(found: FoundPatients) -> list[Hit]:
    """The patients of a page of a search."""
    patients = [describe(record) for record in found.records]
    return [_hit(patient, record, found.typed) for patient, record in zip(patients, found.records, strict=True)]


def doubt(typed: TypedSearch) -> str:
    """ "4/5/1981" is "4 May or 5 April": what a typed date may mean; empty if it means one day."""
    days = [date(one.year or 2000, one.month, one.day) for one in typed.doubtful if one.day]
    words = list(dict.fromkeys(long_day(day).rpartition(" ")[0] for day in days))
    return " or ".join(words) if len(words) > 1 else ""


def count_words(total: int, what: str = "patient") -> str:
    """ "1 patient matches", "1,204 patients match"."""
    return f"{total:,} {what} matches" if total == 1 else f"{total:,} {what}s match"


def _hit(patient: Subject, record: PatientRecord, typed: TypedSearch) -> Hit:
    fields = record.fields(site().now(), site().settings)
    found_by_record = patient.record and is_typed_number(patient.record, typed)
    return Hit(
        patient=patient,
        name=marked(patient.name, typed),
        record=[(patient.record, bool(found_by_record))],
        born=_born(patient.born, fields["birth_date"], typed),
        facts=list(_facts(record, fields, patient.name, typed)),
    )


def _facts(record: PatientRecord, fields: dict[str, str], name: str, typed: TypedSearch) -> Iterator[list[Piece]]:
    if typed.text and unmatched([name], typed):
        yield from ([("was ", False), *pieces] for pieces in _other_names(record, name, typed))
    if "@" in typed.text and fields["email"]:
        yield [(fields["email"], True)]
    numbers = [fields[key] for key in ("mobile", "home_phone", "work_phone", "phone")]
    yield from ([(number, True)] for number in dict.fromkeys(numbers) if is_typed_number(number, typed))
    if fields["zip_code"] and is_typed_number(fields["zip_code"], typed):
        yield [("ZIP ", False), (fields["zip_code"], True)]
    address = ", ".join(filter(None, (fields["address_line1"], fields["city"])))
    apart = address or fields["phone"] or fields["email"]
    if apart and not is_typed_number(apart, typed) and "@" not in typed.text:
        yield [(apart, False)]


def _other_names(record: PatientRecord, name: str, typed: TypedSearch) -> Iterator[list[Piece]]:
    """The other names of a patient that a typed name is in, with the year in which each ended."""
    for other, ended in names_in(record.resource):
        pieces = marked(other, typed)
        if other != name and any(matched for _, matched in pieces):
            yield [*pieces, (f" until {ended}", False)] if ended else pieces


def _born(words: str, birth_date: str, typed: TypedSearch) -> list[Piece]:
    """ "29 February 2000, age 26", with the part of the date that was typed."""
    if not words or len(birth_date) != 10:
        return [(words, bool(words) and birth_date in typed.text)]
    year, month, day = (int(part) for part in birth_date.split("-"))
    text, _, age = words.partition(",")
    first = len(text.rpartition(" ")[0])
    places: list[tuple[int, int]] = []
    for term in (term for reading in typed.readings for term in reading):
        places += [
            (0 if one.day else text.index(" ") + 1, len(text) if one.year else first)
            for one in term.dates
            if one.month == month and one.day in (day, 0) and one.year in (year, 0)
        ]
        if term.word == f"{year:04}":
            places.append((first + 1, len(text)))
    return [("born ", False), *cut(text, places), (f",{age}" if age else "", False)]
