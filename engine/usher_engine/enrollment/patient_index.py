"""Finds patients by their keys, and those who look alike (decisions/0039); `patient_keys` keeps the keys."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)

from ..core.errors import NotFound
from ..store import Transaction
from .enrollment_tables import patient, patient_key
from .patient_directory import PatientRecord
from .search_keys import ALIKE, NAME
from .search_terms import Alternative, KeyRange, Term, TypedSearch

#: Up to so many matches are put in order of nearness; more of them by name alone.
MOST_RANKED = 2_000
#: As many look-alikes of one patient are named: nobody compares more, and a placeholder's name may have thousands.
MOST_ALIKE = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Hits:
    """One page of ids, and how many patients fit in all: *total* of the kind that was asked for, *others* not."""

    ids: tuple[str, ...]
    total: int
    others: int
    has_newer: bool
    has_older: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPatients:
    """
    One page of a search.

    *total* fit in all, and *others* that were not asked for: closed ones, or those in force. *exact* is the id of the
    only patient with the record number that was typed, empty for none.
    """

    typed: TypedSearch
    records: tuple[PatientRecord, ...]
    total: int
    others: int
    has_newer: bool
    has_older: bool
    exact: str


def alike_ids() -> ScalarSelect[str]:
    """A column for a query of patients: ids of those who look like each, at most `MOST_ALIKE`, a space between them."""
    mine, other = patient_key.alias("mine"), patient_key.alias("other")
    same = and_(other.c.key == mine.c.key, other.c.patient != mine.c.patient)
    found = select(other.c.patient).select_from(mine).join(other, same).correlate(patient)
    found = found.where(mine.c.patient == patient.c.id, _within(mine, KeyRange(ALIKE, True)))
    some = found.order_by(other.c.patient).distinct().limit(MOST_ALIKE).subquery()
    return select(func.aggregate_strings(some.c.patient, " ")).scalar_subquery()


def ids_of(column: object) -> tuple[str, ...]:
    """The ids in the column of `alike_ids`, in order."""
    return tuple(sorted(column.split())) if isinstance(column, str) else ()


def unknown_patient() -> NotFound:
    return NotFound("No patient is known under this id.")


def page(
    tx: Transaction,
    typed: TypedSearch,
    *,
    closed: bool | None = False,
    limit: int,
    after: str | None = None,
    before: str | None = None,
) -> Hits:
    """
    The patients that fit *typed*, the nearest first, else by name.

    Args:
        tx: A transaction to read in.
        typed: What to look for; everybody if it has no readings.
        closed: Only those in force (False), only those that are deceased, inactive or merged (True), or all (None).
        limit: The most ids to return.
        after: The last id of the page before.
        before: The first id of the page after; the page that ends before it is returned.
    """
    if typed.asks_for_nothing:
        return Hits(ids=(), total=0, others=0, has_newer=False, has_older=False)
    counts = _counts(tx, typed)
    total = sum(counts.values()) if closed is None else counts.get(closed, 0)
    others = 0 if closed is None else counts.get(not closed, 0)
    ranked = bool(typed.readings) and total <= MOST_RANKED
    edge = _edge(tx, typed, before or after, ranked=ranked)
    query = _ordered(typed, closed=closed, ranked=ranked, edge=edge, backwards=before is not None)
    ids = [str(found) for found in tx.execute(query.limit(limit + 1)).scalars()]
    more, ids = len(ids) > limit, ids[:limit]
    if before is not None:
        ids.reverse()
    return Hits(
        ids=tuple(ids),
        total=total,
        others=others,
        has_newer=more if before is not None else after is not None,
        has_older=before is not None or more,
    )


def holders(tx: Transaction, key: str) -> list[str]:
    """The ids of the patients with exactly this key, at most two: more make no difference."""
    found = select(patient_key.c.patient).where(patient_key.c.key == key).limit(2)
    return [str(one) for one in tx.execute(found).scalars()] if key else []


def look_alikes(tx: Transaction, patients: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The ids of those who have the name and the date of birth of each of *patients*, in one statement."""
    if not patients:
        return {}
    wanted = patient.c.id.in_(bindparam("wanted", expanding=True))
    query = select(patient.c.id, alike_ids().label("alike")).where(wanted)
    return {str(found): ids_of(alike) for found, alike in tx.execute(query, {"wanted": sorted(patients)})}


def _counts(tx: Transaction, typed: TypedSearch) -> Mapping[bool, int]:
    if not typed.readings:
        query = select(patient.c.is_closed, func.count()).group_by(patient.c.is_closed)
    else:
        found = union(*_matches(typed)).subquery()
        query = select(found.c.is_closed, func.count()).group_by(found.c.is_closed)
    return {bool(closed): int(count) for closed, count in tx.execute(query)}


def _matches(typed: TypedSearch) -> Iterable[Select[Any]]:
    """One query for each alternative of each reading's longest word: the longer, the fewer patients fit."""
    for reading in typed.readings:
        driver = max(reading, key=lambda term: len(term.word))
        others = [term for term in reading if term is not driver]
        for alternative in driver.alternatives:
            first, *rest = sorted(alternative, key=lambda one: -len(one.key))
            keys = patient_key.alias()
            query = select(keys.c.patient, keys.c.is_closed).where(_within(keys, first))
            fits = [_has(keys.c.patient, one) for one in rest] + [_fits(keys.c.patient, term) for term in others]
            yield query.where(*fits)


def _ordered(
    typed: TypedSearch, *, closed: bool | None, ranked: bool, edge: tuple[Any, ...] | None, backwards: bool
) -> Select[Any]:
    """The ids in order, from beyond *edge* on."""
    if ranked:
        found = union(*_matches(typed)).subquery()
        near = select(_rank(typed).label("rank"), patient.c.sort_name, patient.c.id, patient.c.is_closed)
        listed: Any = near.join(found, found.c.patient == patient.c.id).subquery().c
        columns = [listed.rank, listed.sort_name, listed.id]
    else:
        listed = patient.c
        columns = [listed.sort_name, listed.id]
    query = select(listed.id)
    if typed.readings and not ranked:
        query = query.where(or_(*(and_(*(_fits(listed.id, term) for term in one)) for one in typed.readings)))
    if closed is not None:
        query = query.where(listed.is_closed == closed)
    if edge is not None:
        query = query.where(_beyond(columns, edge[-len(columns) :], backwards=backwards))
    return query.order_by(*(column.desc() if backwards else column for column in columns))


def _edge(tx: Transaction, typed: TypedSearch, patient_id: str | None, *, ranked: bool) -> tuple[Any, ...] | None:
    """(rank, sort name, id) of the patient at the edge of a page; None for no patient."""
    if patient_id is None:
        return None
    rank = _rank(typed) if ranked else literal(0)
    row = tx.execute(select(rank, patient.c.sort_name, patient.c.id).where(patient.c.id == patient_id)).first()
    if row is None:
        raise unknown_patient()
    return tuple(row)


def _beyond(columns: Sequence[ColumnElement[Any]], edge: Sequence[Any], *, backwards: bool) -> ColumnElement[bool]:
    column, value = columns[0], edge[0]
    further: ColumnElement[bool] = column < value if backwards else column > value
    if len(columns) == 1:
        return further
    beyond: ColumnElement[bool] = and_(column == value, _beyond(columns[1:], edge[1:], backwards=backwards))
    return or_(further, beyond)


def _rank(typed: TypedSearch) -> ColumnElement[int]:
    """How many of the typed names are only the beginning of a word of the patient's."""
    terms = {term for reading in typed.readings for term in reading if term.names}
    parts = (case((or_(*(_has_name(name) for name in term.names)), 0), else_=1) for term in sorted(terms, key=_word))
    return sum(parts, literal(0))


def _word(term: Term) -> str:
    return term.word


def _has_name(name: str) -> ColumnElement[bool]:
    return _has(patient.c.id, KeyRange(NAME + name, False))


def _fits(patient_id: ColumnElement[str], term: Term) -> ColumnElement[bool]:
    return or_(*(_fits_all(patient_id, alternative) for alternative in term.alternatives))


def _fits_all(patient_id: ColumnElement[str], alternative: Alternative) -> ColumnElement[bool]:
    return and_(*(_has(patient_id, one) for one in alternative))


def _has(patient_id: ColumnElement[str], wanted: KeyRange) -> ColumnElement[bool]:
    keys = patient_key.alias()
    return exists(select(literal(1)).where(keys.c.patient == patient_id, _within(keys, wanted)))


def _within(keys: FromClause, wanted: KeyRange) -> ColumnElement[bool]:
    if not wanted.begins:
        return keys.c.key == wanted.key
    return and_(keys.c.key >= wanted.key, keys.c.key < wanted.last)
