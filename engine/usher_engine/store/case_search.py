"""Finds cases, newest first, one page at a time, as fast in a million steps as in a thousand.

First it selects the matching case signatures (`case_signatures`; there are few). Then it scans the newest cases, at
most `LOOKED_AT`. If they contain too few matches, it takes the newest cases of each signature from its own index and
merges them. No statement reads more rows than a page needs for each signature, except for searches by person and end
date, which read all cases that ended in that time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, text

from ..core.candidate_groups import groups_of
from ..core.state import Status
from . import case_signatures
from .case_signatures import CaseSignature
from .database import to_text
from .instance_rows import WHOLE, Row, as_row
from .snapshot import answers
from .tables import engine_tables as t

#: How many of the newest cases are scanned before each signature is queried.
LOOKED_AT = 100
#: Signatures in one statement; SQLite accepts 500.
AT_ONCE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseFilter:
    """
    The conditions of a search; a case must meet all of them. None and empty mean no condition.

    Args:
        process, version, outcome: As in the case's row.
        statuses: Any of these.
        element: Was visited.
        stopped: There was an incident, past or present.
        actor: Made a step in it.
        about: Business keys, any of them.
        started_from, started_until, ended_from, ended_until: The first moment is included, the second is not.
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
        """Whether cases are listed by their end."""
        return self.ended_from is not None or self.ended_until is not None

    def fits(self, kind: CaseSignature) -> bool:
        return (
            self.process in (None, kind.process)
            and self.version in (None, kind.version)
            and (not self.statuses or kind.status in self.statuses)
            and self.outcome in (None, kind.outcome)
            and (self.element is None or self.element in kind.elements)
            and (not self.stopped or kind.stopped)
        )

    @property
    def narrows_signatures(self) -> bool:
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
    """
    The cases a person may see: those with a task for one of *groups*, and those in which *name* made a step.

    *acts_in* says of a process and its version whether one of *groups* works on it: a case of it that has stopped
    concerns them too, though it may never have had a task.
    """

    groups: frozenset[str]
    name: str
    acts_in: Callable[[str, int], bool] = lambda _process, _version: False

    def sees(self, kind: CaseSignature) -> bool:
        if any(self.groups.intersection(found) or not found for found in map(groups_of, kind.groups)):
            return True
        return kind.status == Status.INCIDENT and self.acts_in(kind.process, kind.version)


#: (moment, id) of a case, the sort key of the list.
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Order:
    """Where a page begins, and its direction: towards older cases (down) or newer ones."""

    column: str
    place: Place | None
    down: bool
    bounds: tuple[tuple[str, str, str], ...] = field(default=())

    def sql(self, moment: str, case: str) -> tuple[str, dict[str, str]]:
        """Conditions (each begins with AND) and their parameters."""
        conditions, given = "", {}
        for number, (_, sign, value) in enumerate(self.bounds):
            conditions += f" AND {moment} {sign} :b{number}"
            given[f"b{number}"] = value
        if self.place is not None:
            sign = "<" if self.down else ">"
            conditions += f" AND ({moment}, {case}) {sign} (:at, :id)"
            given |= {"at": self.place[0], "id": self.place[1]}
        return conditions, given

    def ending(self, moment: str, case: str) -> str:
        way = " DESC" if self.down else ""
        return f" ORDER BY {moment}{way}, {case}{way}"


def find(
    connection: Connection, wanted: CaseFilter, *, scope: Scope | None, place: Place | None, down: bool, limit: int
) -> list[Row]:
    """At most *limit* matching cases from *place* on: the next older ones, or with *down* false the next newer ones."""
    order = _order(wanted, place, down=down)
    every = case_signatures.all_signatures(connection)
    fitting = {number: kind for number, kind in every if wanted.fits(kind)}
    seen = fitting if scope is None else {number: kind for number, kind in fitting.items() if scope.sees(kind)}
    whole = len(seen) == len(every) and not wanted.narrows_signatures
    found = _places(connection, wanted, order, None if whole else seen, limit)
    if scope is not None and len(seen) < len(fitting):
        hidden = {number: kind for number, kind in fitting.items() if number not in seen}
        found += _places(connection, wanted, order, hidden, limit, hand=scope.name)
    places = sorted(set(found), reverse=down)[:limit]
    return _rows(connection, [case for _, case in places])


def count(connection: Connection, wanted: CaseFilter, scope: Scope | None) -> int:
    """How many cases fit *wanted*, which narrows signatures alone; one statement at most for each way to see one."""
    fitting = {number: kind for number, kind in case_signatures.all_signatures(connection) if wanted.fits(kind)}
    seen = [number for number, kind in fitting.items() if scope is None or scope.sees(kind)]
    hidden = [number for number in fitting if number not in seen]
    c, hand = t.instance.c, t.case_actor.c
    found = 0
    if seen:
        known, key = answers(connection), ("cases of kinds", *sorted(seen))  # people of one group see the same kinds
        if key not in known:
            known[key] = connection.execute(select(func.count()).where(c.kind.in_(seen))).scalar_one()
        found += known[key]
    if hidden and scope is not None:
        own = select(func.count()).where(hand.actor == scope.name, hand.kind.in_(hidden))
        found += connection.execute(own).scalar_one()
    return int(found)


def _order(wanted: CaseFilter, place: Place | None, *, down: bool) -> _Order:
    column = "ended_at" if wanted.by_end else "started_at"
    ends = (wanted.ended_from, wanted.ended_until) if wanted.by_end else (wanted.started_from, wanted.started_until)
    bounds = tuple((column, sign, to_text(end)) for sign, end in zip((">=", "<"), ends, strict=True) if end is not None)
    return _Order(column, place, down, bounds)


def _places(
    connection: Connection,
    wanted: CaseFilter,
    order: _Order,
    fitting: dict[int, CaseSignature] | None,
    limit: int,
    hand: str | None = None,
) -> list[Place]:
    """The next cases with the signatures *fitting* (None: all); *hand* must have made a step in them too."""
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
    """A table with cases sorted by time: the cases themselves, or those in which a person made a step."""

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
        """The matches among the next `LOOKED_AT` cases, the last case scanned, and whether there are no more."""
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
        """The next cases of each signature, from the signature's own part of the index."""
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
            rows = connection.execute(text(" UNION ALL ".join(parts)), {**given, **bounds, **chosen, "limit": limit})
            found += [(row[0], row[1]) for row in rows]
        return sorted(found, reverse=order.down)[:limit]


def _directly(
    connection: Connection,
    wanted: CaseFilter,
    order: _Order,
    fitting: dict[int, CaseSignature] | None,
    people: Collection[str],
    limit: int,
) -> list[Place]:
    """One statement for searches with few results: the cases of some patients, or of a time."""
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
    answers(connection).update({("instance", case): row for case, row in found.items()})
    return [found[case] for case in cases if case in found]
