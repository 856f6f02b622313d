"""Finds cases: the newest of those that fit, one page at a time, as fast in a million steps as in a thousand.

Which kinds of cases fit is asked first (`case_signatures`; there are few). Then the newest cases are looked through,
but no more than `LOOKED_AT`; where they hold too few that fit, the newest of each kind are taken from its own index
and merged. No statement reads more rows than a page needs for each kind, except where the search names a person and
an end date: then it looks at all cases that ended in that time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, or_, select, text

from ..core.candidate_groups import groups_of
from . import case_signatures
from .case_signatures import Kind
from .database import to_text
from .instance_rows import WHOLE, Row, as_row
from .tables import engine_tables as t

#: How many of the newest cases are looked through before each kind is asked for its own.
LOOKED_AT = 100
#: Kinds in one statement; SQLite takes 500.
AT_ONCE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseFilter:
    """
    What cases are looked for; all of it must fit, None and empty leave it open.

    Args:
        process, version, outcome: As the case's row says.
        statuses: Any of these.
        element: Was visited.
        stopped: There was an incident, past or present.
        actor: Had a hand in it.
        about: Business keys, any of them.
        started_from, started_until, ended_from, ended_until: From the first moment up to before the second.
    """

    process: str | None = None
    version: int | None = None
    statuses: frozenset[str] = frozenset()
    outcome: str | None = None
    element: str | None = None
    stopped: bool = False
    actor: str | None = None
    about: frozenset[str] | None = None
    started_from: datetime | None = None
    started_until: datetime | None = None
    ended_from: datetime | None = None
    ended_until: datetime | None = None

    @property
    def by_end(self) -> bool:
        """Whether cases are listed by when they ended."""
        return self.ended_from is not None or self.ended_until is not None

    def fits(self, kind: Kind) -> bool:
        return (
            self.process in (None, kind.process)
            and self.version in (None, kind.version)
            and (not self.statuses or kind.status in self.statuses)
            and self.outcome in (None, kind.outcome)
            and (self.element is None or self.element in kind.elements)
            and (not self.stopped or kind.stopped)
        )

    @property
    def narrows_kinds(self) -> bool:
        return self != CaseFilter(
            actor=self.actor,
            about=self.about,
            started_from=self.started_from,
            started_until=self.started_until,
            ended_from=self.ended_from,
            ended_until=self.ended_until,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Whose eyes look: cases with a task for one of *groups*, and those *name* had a hand in."""

    groups: frozenset[str]
    name: str

    def sees(self, kind: Kind) -> bool:
        return any(self.groups.intersection(found) or not found for found in map(groups_of, kind.groups))


#: (moment, id) of a case, as the list is sorted.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Order:
    """Where a page begins, and which way it goes on: older ones first (down) or newer ones first."""

    column: str
    place: Place | None
    down: bool
    bounds: tuple[tuple[str, str, str], ...] = field(default=())

    def sql(self, moment: str, case: str) -> tuple[str, dict[str, str]]:
        """Conditions (each begins with AND) and their parameters."""
        said, given = "", {}
        for number, (_, sign, value) in enumerate(self.bounds):
            said += f" AND {moment} {sign} :b{number}"
            given[f"b{number}"] = value
        if self.place is not None:
            sign = "<" if self.down else ">"
            said += f" AND ({moment}, {case}) {sign} (:at, :id)"
            given |= {"at": self.place[0], "id": self.place[1]}
        return said, given

    def ending(self, moment: str, case: str) -> str:
        way = " DESC" if self.down else ""
        return f" ORDER BY {moment}{way}, {case}{way}"


def find(
    connection: Connection, wanted: CaseFilter, *, scope: Scope | None, place: Place | None, down: bool, limit: int
) -> list[Row]:
    """Cases that fit, from *place* on, at most *limit*: the next older ones, or with *down* false the next newer."""
    order = _order(wanted, place, down=down)
    every = case_signatures.all_kinds(connection)
    fitting = {number: kind for number, kind in every if wanted.fits(kind)}
    seen = fitting if scope is None else {number: kind for number, kind in fitting.items() if scope.sees(kind)}
    whole = len(seen) == len(every) and not wanted.narrows_kinds
    found = _places(connection, wanted, order, None if whole else seen, limit)
    if scope is not None and len(seen) < len(fitting):
        hidden = {number: kind for number, kind in fitting.items() if number not in seen}
        found += _places(connection, wanted, order, hidden, limit, hand=scope.name)
    places = sorted(set(found), reverse=down)[:limit]
    return _rows(connection, [case for _, case in places])


def _order(wanted: CaseFilter, place: Place | None, *, down: bool) -> _Order:
    column = "ended_at" if wanted.by_end else "started_at"
    ends = (wanted.ended_from, wanted.ended_until) if wanted.by_end else (wanted.started_from, wanted.started_until)
    bounds = tuple((column, sign, to_text(end)) for sign, end in zip((">=", "<"), ends, strict=True) if end is not None)
    return _Order(column, place, down, bounds)


def _places(
    connection: Connection,
    wanted: CaseFilter,
    order: _Order,
    fitting: dict[int, Kind] | None,
    limit: int,
    hand: str | None = None,
) -> list[Place]:
    """The next cases of the kinds *fitting* (None: all); *hand* is somebody else who must have had a hand in them."""
    if fitting is not None and not fitting:
        return []
    people = {name for name in (wanted.actor, hand) if name is not None}
    if wanted.about is not None or (wanted.by_end and (people or wanted.started_from or wanted.started_until)):
        return _directly(connection, wanted, order, fitting, people, limit)
    if len(people) > 1:
        return _directly(connection, wanted, order, fitting, people, limit)
    source = _Source("case_actor", "instance", next(iter(people))) if people else _Source("instance", "id", None)
    if fitting is None:
        return source.next(connection, order, limit)
    near, last, is_all = source.look_through(connection, order, fitting)
    if is_all or len(near) >= limit:
        return near[:limit]
    beyond = _Order(order.column, last, order.down, order.bounds)
    return [*near, *source.of_each(connection, beyond, list(fitting), limit - len(near))]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where cases stand sorted by time: their own table, or the one of the people who had a hand in them."""

    table: str
    case: str
    actor: str | None

    @property
    def _where(self) -> tuple[str, dict[str, Any]]:
        return (" WHERE actor = :actor", {"actor": self.actor}) if self.actor is not None else (" WHERE 1 = 1", {})

    def next(self, connection: Connection, order: _Order, limit: int) -> list[Place]:
        return [(at, case) for at, case, _ in self._newest(connection, order, limit)]

    def look_through(
        self, connection: Connection, order: _Order, fitting: Collection[int]
    ) -> tuple[list[Place], Place, bool]:
        """Those of the next `LOOKED_AT` cases that fit, the last one looked at, and whether there are no more."""
        looked = self._newest(connection, order, LOOKED_AT)
        near = [(at, case) for at, case, kind in looked if kind in fitting]
        return near, (looked[-1][:2] if looked else ("", "")), len(looked) < LOOKED_AT

    def _newest(self, connection: Connection, order: _Order, limit: int) -> Sequence[tuple[str, str, int]]:
        where, given = self._where
        more, bounds = order.sql(order.column, self.case)
        if order.column == "ended_at":
            where += " AND ended_at IS NOT NULL"
        query = f"SELECT {order.column}, {self.case}, kind FROM {self.table}{where}{more}"  # noqa: S608 - names of ours
        query += f"{order.ending(order.column, self.case)} LIMIT :limit"
        found = connection.execute(text(query), {**given, **bounds, "limit": limit})
        return [(row[0], row[1], row[2]) for row in found]

    def of_each(self, connection: Connection, order: _Order, fitting: Sequence[int], limit: int) -> list[Place]:
        """The next cases of each kind, from the kind's own part of the index."""
        where, given = self._where
        more, bounds = order.sql(order.column, self.case)
        if order.column == "ended_at":
            where += " AND ended_at IS NOT NULL"
        found: list[Place] = []
        begin = f"SELECT {order.column}, {self.case} FROM {self.table}{where}"  # noqa: S608 - names of ours
        end = f"{more}{order.ending(order.column, self.case)} LIMIT :limit"
        for first in range(0, len(fitting), AT_ONCE):
            chosen = {f"k{n}": number for n, number in enumerate(fitting[first : first + AT_ONCE])}
            parts = (f"SELECT * FROM ({begin} AND kind = :{key}{end}) AS of_{key}" for key in chosen)  # noqa: S608
            rows = connection.execute(
                text(" UNION ALL ".join(parts)), {**given, **bounds, **chosen, "limit": limit}
            )
            found += [(row[0], row[1]) for row in rows]
        return sorted(found, reverse=order.down)[:limit]


def _directly(
    connection: Connection,
    wanted: CaseFilter,
    order: _Order,
    fitting: dict[int, Kind] | None,
    people: Collection[str],
    limit: int,
) -> list[Place]:
    """One statement for what is few by itself: the cases of some patients, or of a time."""
    c, hand = t.instance.c, t.case_actor.c
    moment = c[order.column]
    query = select(moment, c.id).where(moment.is_not(None))
    if wanted.about is not None:
        query = query.where(c.business_key.in_(sorted(wanted.about)))
    if fitting is not None:
        query = query.where(c.kind.in_(list(fitting)))
    for name in people:
        query = query.where(exists().where(hand.instance == c.id, hand.actor == name))
    for column, ends in (("started_at", (wanted.started_from, wanted.started_until)),
                         ("ended_at", (wanted.ended_from, wanted.ended_until))):  # fmt: skip
        first, until = ends
        query = query.where(c[column] >= to_text(first)) if first else query
        query = query.where(c[column] < to_text(until)) if until else query
    if order.place is not None:
        at, case = order.place
        beyond = and_(moment == at, c.id < case) if order.down else and_(moment == at, c.id > case)
        query = query.where(or_(moment < at if order.down else moment > at, beyond))
    ending = (moment.desc(), c.id.desc()) if order.down else (moment, c.id)
    return [(row[0], row[1]) for row in connection.execute(query.order_by(*ending).limit(limit))]


_ROWS = WHOLE.where(t.instance.c.id.in_(bindparam("wanted", expanding=True)))


def _rows(connection: Connection, cases: Sequence[str]) -> list[Row]:
    found = {row.id: as_row(row) for row in connection.execute(_ROWS, {"wanted": list(cases)})} if cases else {}
    return [found[case] for case in cases if case in found]
