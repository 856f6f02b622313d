"""Whole cases as stored, for checks: the row, its state, every step, tasks, jobs and mentions, without validation.

One transaction reads them in one view of the database: a concurrent step is seen with all its rows or not at all.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, and_, func, select

from ..core.errors import NotFound
from .checkpoint_rows import as_stored, stream
from .instance_rows import LARGEST_NUMBER, Row
from .tables import engine_tables as t
from .tables.comment_tables import case_mention

#: A step as stored: revision, deflated body, hash. Altered rows may hold any values.
StoredStep = tuple[int, Any, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """
    One case with all its steps, oldest first, its rows in the inbox and in the queue, and the people mentioned.

    *makers* are the actor and time columns of the steps.
    """

    row: Row
    steps: tuple[StoredStep, ...]
    tasks: tuple[dict[str, Any], ...] = ()
    jobs: tuple[dict[str, Any], ...] = ()
    mentions: tuple[dict[str, Any], ...] = ()
    makers: tuple[tuple[Any, Any], ...] = ()


_i, _s, _c = t.instance, t.step, t.instance_state
_newest = and_(_c.c.instance == _i.c.id, _s.c.revision == _i.c.revision)  # the state comes once, with the last step
_RECORDS = (
    select(_i, _c.c.content, _c.c.seal, _s.c.revision, _s.c.body, _s.c.hash, _s.c.actor, _s.c.at)
    .select_from(_i.outerjoin(_s, _s.c.instance == _i.c.id).outerjoin(_c, _newest))
    .order_by(_i.c.id, _s.c.revision)
)
_ROW = len(_i.c) + 2


def one(connection: Connection, instance: str) -> Record:
    """The case; raises `NotFound`."""
    for record in between(connection, instance, instance):
        return record
    raise NotFound(f"No case has the number {instance}.")


def steps(
    connection: Connection, instance: str, first: int, last: int, *, every: int = 1
) -> Generator[StoredStep, None, None]:
    """The stored steps of a case from revision *first* to *last*, oldest first; only every *every*-th of them."""
    query = select(_s.c.revision, *as_stored(_s.c.body, _s.c.hash)).where(_s.c.instance == instance)
    if every > 1:
        query = query.where(_s.c.revision.in_([*range(first, last, every), last]))
    else:
        query = query.where(_s.c.revision.between(first, last))
    yield from stream(connection, query.order_by(_s.c.revision))


def newest(connection: Connection, instance: str) -> int:
    """The highest revision of a step; 0 if there is no step."""
    numbered = _s.c.revision.between(0, LARGEST_NUMBER)  # any other value is not a revision
    query = select(func.coalesce(func.max(_s.c.revision), 0)).where(_s.c.instance == instance, numbered)
    return int(connection.execute(query).scalar_one())


def between(connection: Connection, first: str, last: str) -> Iterator[Record]:
    """The cases numbered from *first* to *last*, both included, in order."""
    beside = (t.user_task, t.job, case_mention)
    tasks, jobs, mentions = (_beside(connection, table, first, last) for table in beside)
    for record in _group_by_case(connection.execute(_RECORDS.where(_i.c.id >= first, _i.c.id <= last))):
        key = record.row.id
        told = tuple(mentions.get(key, ()))
        yield replace(record, tasks=tuple(tasks.get(key, ())), jobs=tuple(jobs.get(key, ())), mentions=told)


def _group_by_case(rows: Any) -> Iterator[Record]:
    for _, group in groupby(rows, key=itemgetter(0)):
        found = list(group)
        there = [row for row in found if row[_ROW] is not None]
        steps = tuple((row[_ROW], row[_ROW + 1], row[_ROW + 2]) for row in there)
        makers = tuple((row[_ROW + 3], row[_ROW + 4]) for row in there)
        yield Record(Row(*found[-1][:_ROW]), steps, makers=makers)


def _beside(connection: Connection, table: Table, first: str, last: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of *table* by the number of their case."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in connection.execute(select(table).where(table.c.instance.between(first, last))).mappings():
        found.setdefault(row["instance"], []).append(dict(row))
    return found


def of_instances(connection: Connection, instances: Sequence[str]) -> Iterator[Record]:
    """The cases with these numbers, in order, without tasks and jobs."""
    return _group_by_case(connection.execute(_RECORDS.where(_i.c.id.in_(instances))))


def ranges(connection: Connection, after: str, size: int) -> list[tuple[str, str, int]]:
    """The numbers of all cases beyond *after* as ranges (first, last, count) of up to *size*."""
    numbers = connection.execute(select(_i.c.id).where(_i.c.id > after).order_by(_i.c.id)).scalars()
    return [(page[0], page[-1], len(page)) for page in numbers.partitions(size)]


def without_row(connection: Connection, at_most: int = 100) -> list[tuple[str, int]]:
    """Numbers of cases that have steps but no row, with their step counts; foreign keys should prevent that."""
    query = select(_s.c.instance, func.count()).outerjoin(_i, _s.c.instance == _i.c.id).where(_i.c.id.is_(None))
    grouped = query.group_by(_s.c.instance).order_by(_s.c.instance).limit(at_most)
    return [(str(instance), int(steps)) for instance, steps in connection.execute(grouped)]
