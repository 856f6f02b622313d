"""Leaves of the Merkle tree and signed heads: which rows are not covered yet, and the stored leaves and heads."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Select,
    and_,
    desc,
    exists,
    func,
    insert,
    literal,
    select,
    type_coerce,
    update,
)
from sqlalchemy.types import NullType

from . import upserts
from .tables import engine_tables as t
from .tables.record_tables import signing_key

#: The instance of leaves that are audit events.
AUDIT = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A step, or with an empty *instance* the audit event number *revision*."""

    instance: str
    revision: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkpoint as stored; *peaks* are hexadecimal, separated by spaces."""

    number: int
    line: str
    peaks: str


@dataclass(frozen=True, slots=True)
class Compared:
    """
    A step with the hash of its leaf and the head and revision of its case, as stored.

    Missing values are None, and no type is certain.
    """

    instance: Any
    revision: Any
    body: Any
    hash: Any
    leaf: Any
    head: Any
    steps: Any


_STEP, _LEAF = t.step.c, t.leaf.c


def rows_without_leaf(connection: Connection, *, after: str, cases: int, events: int) -> Iterator[Leaf]:
    """
    Steps and audit events without a leaf: cases by their id, their steps by revision, then the events by number.

    Returns at most those of *cases* cases beyond the case *after*, and *events* events. Rows that another transaction
    has not committed yet are covered next time: steps are found by case, never by "later than the last one", so that
    on PostgreSQL a transaction that commits late leaves no gap.
    """
    covered = exists().where(_LEAF.instance == t.instance.c.id, _LEAF.revision == t.instance.c.revision)
    changed = select(t.instance.c.id).where(t.instance.c.id > after, ~covered).order_by(t.instance.c.id).limit(cases)
    ids = list(connection.execute(changed).scalars())
    for first in range(0, len(ids), 500):
        yield from _steps_without(connection, ids[first : first + 500])
    yield from _events_without(connection, events)


def _steps_without(connection: Connection, ids: Sequence[str]) -> list[Leaf]:
    covered = exists().where(_LEAF.instance == _STEP.instance, _LEAF.revision == _STEP.revision)
    query = select(_STEP.instance, _STEP.revision, _STEP.hash).where(_STEP.instance.in_(ids), ~covered)
    return [Leaf(*row) for row in connection.execute(query.order_by(_STEP.instance, _STEP.revision))]


def _events_without(connection: Connection, events: int) -> list[Leaf]:
    """Audit events are numbered under one lock, so here "later than the last one" leaves no gap."""
    last = select(func.coalesce(func.max(_LEAF.revision), 0)).where(_LEAF.instance == AUDIT).scalar_subquery()
    event = t.audit_event.c
    query = select(literal(AUDIT), event.seq, event.hash).where(event.seq > last).order_by(event.seq).limit(events)
    return [Leaf(*row) for row in connection.execute(query)]


def add_leaves(connection: Connection, first: int, leaves: Sequence[Leaf]) -> None:
    """Store *leaves* from number *first* on."""
    rows = [
        {"number": first + place, "instance": leaf.instance, "revision": leaf.revision, "hash": leaf.hash}
        for place, leaf in enumerate(leaves)
    ]
    connection.execute(insert(t.leaf), rows)


def leaves(connection: Connection) -> Generator[tuple[Any, Any, Any, Any], None, None]:
    """(number, instance, revision, hash) of every leaf in order, as stored."""
    query = select(_LEAF.number, _LEAF.instance, _LEAF.revision, *as_stored(_LEAF.hash)).order_by(_LEAF.number)
    yield from stream(connection, query)


def leaves_of(connection: Connection, instance: str) -> list[tuple[int, int, bytes]]:
    """(number, revision, hash) of the leaves of one case, by revision."""
    query = select(_LEAF.number, _LEAF.revision, *as_stored(_LEAF.hash)).where(_LEAF.instance == instance)
    rows = connection.execute(query.order_by(_LEAF.revision))
    return [(number, revision, digest) for number, revision, digest in rows]


def leaves_between(connection: Connection, first: int, end: int) -> list[Leaf]:
    """The leaves numbered from *first* up to but not including *end*."""
    query = select(_LEAF.instance, _LEAF.revision, *as_stored(_LEAF.hash)).order_by(_LEAF.number)
    rows = connection.execute(query.where(_LEAF.number >= first, _LEAF.number < end))
    return [Leaf(*row) for row in rows]


def last(connection: Connection) -> Stored | None:
    """The newest checkpoint."""
    c = t.checkpoint.c
    row = connection.execute(select(c.number, c.line, c.peaks).order_by(desc(c.number)).limit(1)).one_or_none()
    return Stored(*row) if row else None


def find(connection: Connection, number: int) -> Stored | None:
    """Checkpoint *number*."""
    c = t.checkpoint.c
    row = connection.execute(select(c.number, c.line, c.peaks).where(c.number == number)).one_or_none()
    return Stored(*row) if row else None


def bound_key(connection: Connection) -> str | None:
    """The public key that signs for this database; None while nothing is signed."""
    return connection.execute(select(signing_key.c.public)).scalar_one_or_none()


def bind_key(connection: Connection, public: str) -> bool:
    """Make *public* the key of this database; False, without a change, if it has one."""
    return upserts.add(connection, signing_key, {"id": 1, "public": public})


def add(connection: Connection, stored: Stored) -> None:
    connection.execute(insert(t.checkpoint), {"number": stored.number, "line": stored.line, "peaks": stored.peaks})


def set_peaks(connection: Connection, number: int, peaks: str) -> None:
    connection.execute(update(t.checkpoint).where(t.checkpoint.c.number == number).values(peaks=peaks))


def all_checkpoints(connection: Connection) -> list[Stored]:
    """All checkpoints, oldest first."""
    c = t.checkpoint.c
    return [Stored(*row) for row in connection.execute(select(c.number, c.line, c.peaks).order_by(c.number))]


def steps_with_leaves(connection: Connection) -> Generator[Compared, None, None]:
    """Every step with its leaf and its case, by case and revision."""
    query = (
        select(_STEP.instance, _STEP.revision, *as_stored(_STEP.body, _STEP.hash, _LEAF.hash, t.instance.c.head))
        .add_columns(t.instance.c.revision)
        .select_from(
            t.step.outerjoin(
                t.leaf, and_(_LEAF.instance == _STEP.instance, _LEAF.revision == _STEP.revision)
            ).outerjoin(t.instance, t.instance.c.id == _STEP.instance)
        )
        .order_by(_STEP.instance, _STEP.revision)
    )
    for row in stream(connection, query):
        yield Compared(*row)


def dated_steps(connection: Connection) -> Generator[tuple[Any, Any, Any, Any], None, None]:
    """(instance, revision, body, number of the leaf or None) of every step, by case and revision."""
    leaf = and_(_LEAF.instance == _STEP.instance, _LEAF.revision == _STEP.revision)
    query = select(_STEP.instance, _STEP.revision, *as_stored(_STEP.body), _LEAF.number)
    query = query.select_from(t.step.outerjoin(t.leaf, leaf)).order_by(_STEP.instance, _STEP.revision)
    yield from stream(connection, query)


def event_leaves(connection: Connection) -> list[tuple[int, int]]:
    """(number of the event, number of its leaf) of the audit events that have leaves."""
    query = select(_LEAF.revision, _LEAF.number).where(_LEAF.instance == AUDIT)
    return [(seq, number) for seq, number in connection.execute(query)]


def lost_steps(connection: Connection) -> Generator[tuple[Any, Any], None, None]:
    """(instance, revision) of leaves whose step is missing."""
    there = exists().where(_LEAF.instance == _STEP.instance, _LEAF.revision == _STEP.revision)
    query = select(_LEAF.instance, _LEAF.revision).where(_LEAF.instance != AUDIT, ~there)
    yield from stream(connection, query.order_by(_LEAF.instance, _LEAF.revision))


def cases_without_steps(connection: Connection) -> list[Any]:
    """Ids of cases without any step."""
    has = exists().where(_STEP.instance == t.instance.c.id)
    return list(connection.execute(select(t.instance.c.id).where(~has).order_by(t.instance.c.id)).scalars())


def covered_events(connection: Connection) -> Generator[tuple[Any, Any], None, None]:
    """(number, hash) of the audit events that have leaves, in order."""
    query = select(_LEAF.revision, *as_stored(_LEAF.hash)).where(_LEAF.instance == AUDIT).order_by(_LEAF.revision)
    yield from stream(connection, query)


def stream(connection: Connection, query: Select[Any]) -> Generator[Any, None, None]:
    """The rows of *query*, a few hundred in memory at a time; a caller that stops early closes the generator."""
    with connection.execute(query.execution_options(yield_per=500)) as result:
        yield from result


def as_stored(*columns: Column[Any]) -> list[Any]:
    """*columns* without a type: on SQLite an altered row may hold text instead of bytes."""
    return [type_coerce(column, NullType()).label(f"raw_{place}") for place, column in enumerate(columns)]
