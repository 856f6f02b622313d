"""Rows of the reports: the basis of a day's figures, the stored figures, and the steps they are counted from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, select

from .checkpoint_rows import as_stored, stream
from .instance_rows import LARGEST_NUMBER
from .tables import engine_tables as t
from .tables.record_tables import day_figures
from .upserts import put

#: Cases whose steps are read in one statement.
CASES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Basis:
    """The number of cases of a version started in some period, and of their steps so far."""

    version: int
    cases: int
    steps: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Figures of the cases of *version* started on *day* (ISO 8601), and their basis."""

    version: int
    day: str
    basis: str
    content: bytes


_I, _S, _D = t.instance.c, t.step.c, day_figures.c


def bases(connection: Connection, process: str, first: str, end: str) -> list[Basis]:
    """The basis of the cases started from *first* to before *end* (stored times), by version."""
    steps = func.sum(case((_I.revision.between(0, LARGEST_NUMBER), _I.revision), else_=0))
    query = select(_I.version, func.count(), steps).group_by(_I.version).order_by(_I.version)
    query = query.where(_I.process == process, _I.started_at >= first, _I.started_at < end)
    rows = connection.execute(query.where(_I.version.between(0, LARGEST_NUMBER)))  # verify reports other values
    return [Basis(int(version), int(cases), int(steps)) for version, cases, steps in rows]


def span(connection: Connection, process: str) -> tuple[str, str] | None:
    """When the first and the last case of *process* started; None if there is no case."""
    query = select(func.min(_I.started_at), func.max(_I.started_at)).where(_I.process == process)
    dated = _I.started_at.between("1000", "9999~")  # an altered row must not extend the span
    first, last = connection.execute(query.where(dated)).one()
    return (first, last) if first else None


def stored_figures(connection: Connection, process: str, first: str, last: str) -> list[Kept]:
    """The stored figures of the days from *first* to *last*, oldest first."""
    query = select(_D.version, _D.day, _D.basis, _D.content).where(_D.process == process, _D.day.between(first, last))
    return [Kept(*row) for row in connection.execute(query.order_by(_D.day, _D.version))]


def all_figures(connection: Connection) -> Iterator[tuple[str, Kept]]:
    """The process and the stored figures of every day."""
    query = select(_D.process, _D.version, _D.day, _D.basis, *as_stored(_D.content)).order_by(_D.process, _D.day)
    for process, *kept in stream(connection, query):
        yield process, Kept(*kept)


def store_figures(connection: Connection, process: str, figures: Kept) -> None:
    """Store *figures*, replacing those of their day."""
    values = {"version": figures.version, "day": figures.day, "basis": figures.basis, "content": figures.content}
    put(connection, day_figures, {"process": process, **values})


def cases(connection: Connection, process: str, version: int, first: str, end: str) -> list[tuple[str, str]]:
    """(number, business key) of the cases of a version started from *first* to before *end*."""
    query = select(_I.id, _I.business_key).where(_I.process == process, _I.version == version)
    rows = connection.execute(query.where(_I.started_at >= first, _I.started_at < end).order_by(_I.id))
    return [(str(number), str(key)) for number, key in rows]


def steps(connection: Connection, numbers: list[str]) -> Iterator[tuple[str, Any]]:
    """(case, stored body) of every step of these cases, by case and revision."""
    for first in range(0, len(numbers), CASES_AT_ONCE):
        query = select(_S.instance, *as_stored(_S.body)).where(_S.instance.in_(numbers[first : first + CASES_AT_ONCE]))
        yield from stream(connection, query.order_by(_S.instance, _S.revision))
