"""Selects the cases of a backtest or migration: a filter that finds the same cases at every evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select

from .instance_rows import LARGEST_NUMBER
from .tables import engine_tables as t

_i = t.instance.c


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseSelection:
    """
    The cases of *process* that pass every filter; empty filters do not apply.

    *since* and *until* limit the start of the case and are moments as stored (*until* is excluded); *limit* selects
    the newest so many, *at* is an element the case waits at.
    """

    process: str
    since: str = ""
    until: str = ""
    status: str = ""
    outcome: str = ""
    version: int = 0
    live: bool = False
    at: str = ""
    cases: tuple[str, ...] = ()
    limit: int = 0

    def to_json(self) -> dict[str, Any]:
        return {name: list(value) if name == "cases" else value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> CaseSelection:
        return cls(**{**record, "cases": tuple(record.get("cases", ()))})


def fix_membership(connection: Connection, chosen: CaseSelection, before: str) -> CaseSelection:
    """*chosen* with a fixed set of cases: without a limit, and only those that began before *before*."""
    fixed = replace(chosen, limit=0, until=min(chosen.until or before, before))
    if not chosen.limit:
        return fixed
    newest = select(_i.started_at).where(*_where(fixed)).order_by(_i.started_at.desc()).limit(chosen.limit)
    oldest = connection.execute(select(func.min(newest.subquery().c.started_at))).scalar()
    return replace(fixed, since=oldest or chosen.since)


def count(connection: Connection, chosen: CaseSelection) -> int:
    """The number of chosen cases."""
    return int(connection.execute(select(func.count()).select_from(t.instance).where(*_where(chosen))).scalar_one())


def numbers(connection: Connection, chosen: CaseSelection, *, after: str = "", at_most: int) -> list[str]:
    """The numbers of chosen cases beyond *after*, in order."""
    query = select(_i.id).where(_i.id > after, *_where(chosen)).order_by(_i.id).limit(at_most)
    return list(connection.execute(query).scalars())


def pages(connection: Connection, chosen: CaseSelection, size: int) -> list[Sequence[str]]:
    """The numbers of all chosen cases, in order, *size* at a time."""
    query = select(_i.id).where(*_where(chosen)).order_by(_i.id)
    return list(connection.execute(query).scalars().partitions(size))


def most_used(connection: Connection, chosen: CaseSelection) -> str | None:
    """The hash of the package most of the chosen cases run on; None if no case is chosen."""
    query = select(_i.definition).where(*_where(chosen)).group_by(_i.definition).order_by(func.count().desc())
    return connection.execute(query.limit(1)).scalar_one_or_none()


def definitions(connection: Connection, chosen: CaseSelection) -> list[str]:
    """The hashes of the packages that the chosen cases run on, or ran on last."""
    query = select(_i.definition).where(*_where(chosen)).distinct().order_by(_i.definition)
    return list(connection.execute(query).scalars())


def live_versions(connection: Connection, process: str) -> dict[int, int]:
    """How many running cases of *process* each version has, newest version first."""
    query = select(_i.version, func.count()).where(*_where(CaseSelection(process=process, live=True)))
    numbered = query.where(_i.version.between(0, LARGEST_NUMBER))  # any other value was altered; verify reports it
    found = connection.execute(numbered.group_by(_i.version).order_by(_i.version.desc()))
    return {int(version): int(cases) for version, cases in found}


def waiting_by_element(connection: Connection, process: str, version: int) -> dict[str, int]:
    """How many running cases of a version wait at each element, for a person or a service; most first."""
    counted: dict[str, int] = {}
    for table in (t.user_task, t.job):
        query = select(table.c.element, func.count()).join(t.instance, _i.id == table.c.instance)
        query = query.where(*_where(CaseSelection(process=process, version=version, live=True))).group_by(
            table.c.element
        )
        for element, cases in connection.execute(query):
            counted[element] = counted.get(element, 0) + int(cases)
    return dict(sorted(counted.items(), key=lambda one: (-one[1], one[0])))


def _where(chosen: CaseSelection) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [_i.process == chosen.process]
    if chosen.since:
        where.append(_i.started_at >= chosen.since)
    if chosen.until:
        where.append(_i.started_at < chosen.until)
    for column, value in ((_i.status, chosen.status), (_i.outcome, chosen.outcome), (_i.version, chosen.version)):
        if value:
            where.append(column == value)
    if chosen.live:
        where.append(_i.ended_at.is_(None))
    if chosen.at:
        waits = [
            exists().where(table.c.instance == _i.id, table.c.element == chosen.at) for table in (t.user_task, t.job)
        ]
        where.append(or_(*waits))
    if chosen.cases:
        where.append(_i.id.in_(chosen.cases))
    return where
