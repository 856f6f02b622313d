"""The rows exports read: cases with steps and leaves, audit events with their leaves, never a whole table at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from ..core.practice_calendar import Calendar
from . import tombstones
from .checkpoint_rows import AUDIT
from .database import to_text
from .instance_rows import Row
from .tables import engine_tables as t

#: How many cases an export may name individually.
MAX_NAMED = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """The cases to export: those named (none: all), of one process or all, started from *since* and before *until*."""

    cases: tuple[str, ...] = ()
    process: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def as_json(self) -> dict[str, Any]:
        """The selection as JSON, for the export's header and the audit stream."""
        return {
            "cases": list(self.cases),
            "process": self.process,
            "from": to_text(self.since) if self.since else "",
            "before": to_text(self.until) if self.until else "",
        }


@dataclass(frozen=True, slots=True)
class ExportedStep:
    """A step as stored, with the number of its leaf; None if it has no leaf yet."""

    revision: int
    body: bytes
    hash: bytes
    leaf: int | None


@dataclass(frozen=True, slots=True)
class ExportedEvent:
    """An audit event as stored, the hash of the one before it, and the number of its leaf."""

    seq: int
    body: bytes
    hash: bytes
    previous: bytes | None
    leaf: int | None


_i, _s, _l, _a = t.instance.c, t.step.c, t.leaf.c, t.audit_event.c
_ROW = len(t.instance.c)
_PAGE = (
    select(t.instance, _s.revision.label("step"), _s.body, _s.hash, _l.number)
    .select_from(
        t.instance.outerjoin(t.step, _s.instance == _i.id).outerjoin(
            t.leaf, and_(_l.instance == _s.instance, _l.revision == _s.revision)
        )
    )
    .order_by(_i.id, _s.revision)
)
_before = t.audit_event.alias("before")
_EVENTS = (
    select(_a.seq, _a.body, _a.hash, _before.c.hash.label("previous"), _l.number)
    .select_from(
        t.audit_event.outerjoin(_before, _before.c.seq == _a.seq - 1).outerjoin(
            t.leaf, and_(_l.instance == AUDIT, _l.revision == _a.seq)
        )
    )
    .order_by(_a.seq)
)


def _conditions(selection: Selection, *, purged: bool = False) -> list[Any]:
    found: list[Any] = [tombstones.is_tombstone() if purged else ~tombstones.is_tombstone()]
    if selection.cases:
        found.append(_i.id.in_(selection.cases))
    if selection.process:
        found.append(_i.process == selection.process)
    if selection.since is not None:
        found.append(_i.started_at >= to_text(selection.since))
    if selection.until is not None:
        found.append(_i.started_at < to_text(selection.until))
    return found


def count(connection: Connection, selection: Selection) -> tuple[int, int]:
    """The number of cases in *selection*, and of their steps."""
    query = select(func.count(), func.coalesce(func.sum(_i.revision), 0)).where(*_conditions(selection))
    cases, steps = connection.execute(query).one()
    return int(cases), int(steps)


def existing_cases(connection: Connection, cases: tuple[str, ...], calendar: Calendar) -> set[str]:
    """Those of *cases* that exist; raises `Purged` when one of them is only a tombstone."""
    tombstones.refuse(connection, cases, calendar)
    return set(connection.execute(select(_i.id).where(_i.id.in_(cases))).scalars())


def page(
    connection: Connection, selection: Selection, after: str, size: int, *, purged: bool = False
) -> list[tuple[Row, list[ExportedStep]]]:
    """Up to *size* cases, or purged ones, numbered beyond *after*, in the order of their numbers, with all steps."""
    which = _conditions(selection, purged=purged)
    ids = select(_i.id).where(_i.id > after, *which).order_by(_i.id).limit(size).subquery()
    found: list[tuple[Row, list[ExportedStep]]] = []
    for _, group in groupby(connection.execute(_PAGE.where(_i.id.in_(select(ids.c.id)))), key=itemgetter(0)):
        rows = list(group)
        steps = [ExportedStep(*row[_ROW:]) for row in rows if row[_ROW] is not None]
        found.append((Row(*rows[0][:_ROW]), steps))
    return found


def business_keys(connection: Connection, selection: Selection, after: str, size: int) -> list[str]:
    """Up to *size* business keys of the cases, without duplicates, in order, beyond *after*."""
    query = select(_i.business_key).where(_i.business_key > after, *_conditions(selection)).distinct()
    return list(connection.execute(query.order_by(_i.business_key).limit(size)).scalars())


def business_key(connection: Connection, case: str) -> str:
    """The business key of *case*; empty if it has none, or there is no such case."""
    return connection.execute(select(_i.business_key).where(_i.id == case)).scalar_one_or_none() or ""


def events(connection: Connection, selection: Selection, after: int, size: int) -> list[ExportedEvent]:
    """Up to *size* audit events numbered beyond *after*: about the cases selected, else everything of the period."""
    query = _EVENTS.where(_a.seq > after).limit(size)
    return [ExportedEvent(*row) for row in connection.execute(_about(query, selection))]


def _about(query: Select[Any], selection: Selection) -> Select[Any]:
    if selection.cases:  # the case itself, or one of its tasks: CASE:element:visit
        return query.where(
            or_(*(or_(_a.subject == case, _a.subject.between(f"{case}:", f"{case};")) for case in selection.cases))
        )
    if selection.process:
        return query.where(func.substr(_a.subject, 1, 12).in_(select(_i.id).where(*_conditions(selection))))
    if selection.since is not None:
        query = query.where(_a.at >= to_text(selection.since))
    return query if selection.until is None else query.where(_a.at < to_text(selection.until))


def leaves(connection: Connection, first: int, end: int) -> Iterator[tuple[int, str, int, bytes]]:
    """(number, instance, revision, hash) of the leaves from *first* up to but not including *end*, in order."""
    query = select(_l.number, _l.instance, _l.revision, _l.hash).where(_l.number >= first, _l.number < end)
    for row in connection.execute(query.order_by(_l.number)):
        yield (row[0], row[1], row[2], row[3])
