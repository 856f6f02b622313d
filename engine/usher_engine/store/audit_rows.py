"""Audit events: one chain for the whole database, appended one at a time; the table is append-only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, desc, func, insert, select, type_coerce
from sqlalchemy.types import NullType

from ..core.canonical import Json, canonical
from .checkpoint_rows import stream
from .database import to_text
from .instance_rows import GENESIS, one_at_a_time
from .tables import engine_tables as t
from .tables import record_tables as r
from .tampered_rows import moment, plausible_values, tampering_message


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEvent:
    """
    A record that someone viewed, attempted, set or exported something.

    *subject* is the id of its object (a case, a task, a patient, an account), *business_key* that of the object's
    case, *body* the whole record as it was hashed. *altered* is a message if the row was altered outside Usher.
    """

    seq: int
    at: datetime
    kind: str
    actor: str
    subject: str
    business_key: str
    body: dict[str, Any]
    altered: str = ""

    @property
    def details(self) -> dict[str, Any]:
        return dict(self.body["details"])

    @property
    def why(self) -> str:
        return str(self.body.get("why", ""))


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A row as stored, which may have been altered: nothing about it is certain, not even its types."""

    seq: Any
    body: Any
    hash: Any
    columns: tuple[Any, ...]


#: The columns that repeat the body.
REPEATED = ("at", "kind", "actor", "subject", "business_key")

_LAST = select(t.audit_event.c.seq, t.audit_event.c.hash).order_by(desc(t.audit_event.c.seq)).limit(1)
_INSERT = insert(t.audit_event)
_NAMED = insert(r.audit_patient)


def append(connection: Connection, *bodies: dict[str, Json]) -> int:
    """Add *bodies* to the chain; return the number of the last one, counted from 1 without gaps."""
    one_at_a_time(connection, "audit")
    last = connection.execute(_LAST).one_or_none()
    seq, head = (last.seq, last.hash) if last else (0, GENESIS)
    if not isinstance(head, bytes):  # altered, which verify reports; new events are recorded all the same
        head = str(head).encode()
    events: list[dict[str, Any]] = []
    named: list[dict[str, Any]] = []
    for body in bodies:
        written = canonical(body)
        seq, head = seq + 1, hashlib.sha256(head + written).digest()
        columns = dict(zip(REPEATED, repeated_columns(body), strict=True))
        events.append({"seq": seq, "body": written, "hash": head, **columns})
        named += [{"patient": patient, "seq": seq} for patient in named_among_others(body)]
    connection.execute(_INSERT, events)
    if named:
        connection.execute(_NAMED, named)
    return int(seq)


def named_among_others(body: dict[str, Any]) -> list[str]:
    """The patients that a list showed; the event can be found by each of them."""
    patients = body["details"].get("patients")
    return sorted({str(patient)[:200] for patient in patients}) if isinstance(patients, list) else []


def repeated_columns(body: dict[str, Any]) -> tuple[str, ...]:
    """The values that the columns repeating *body* must hold."""
    return (body["at"], body["kind"], body["actor"]["name"], body["subject"], body.get("business_key", ""))


def select_events(
    connection: Connection,
    *,
    actor: str | None = None,
    subject: str | None = None,
    business_key: str | None = None,
    about: str | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int,
) -> list[AuditEvent]:
    """
    Events, newest first; *before* is the number of the last one on the previous page.

    *about* is a patient that an event is about or names among others. Numbers follow times except for the moment
    between reading the clock and writing, so *since* and *until* limit both.
    """
    c = t.audit_event.c
    query = select(t.audit_event).order_by(c.seq.desc()).limit(limit)
    wanted = ((c.actor, actor), (c.subject, subject), (c.business_key, business_key), (c.kind, kind))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    if since is not None:
        first = select(func.min(c.seq)).where(c.at >= to_text(since)).scalar_subquery()
        query = query.where(c.seq >= first, c.at >= to_text(since))
    if until is not None:
        last = select(func.max(c.seq)).where(c.at < to_text(until)).scalar_subquery()
        query = query.where(c.seq <= last, c.at < to_text(until))
    if before is not None:
        query = query.where(c.seq < before)
    if about is None:
        return [_event(row) for row in connection.execute(query)]
    named = r.audit_patient
    alone = query.where(c.business_key == about)
    among = query.join(named, named.c.seq == c.seq).where(named.c.patient == about)
    found = {row.seq: row for part in (alone, among) for row in connection.execute(part)}
    return [_event(found[seq]) for seq in sorted(found, reverse=True)[:limit]]


def count_since(connection: Connection, kind: str, since: datetime, at_most: int = 1_000) -> int:
    """The number of events of *kind* since *since*, counted up to *at_most*."""
    c = t.audit_event.c
    few = select(c.seq).where(c.kind == kind, c.at >= to_text(since)).limit(at_most)
    return int(connection.execute(select(func.count()).select_from(few.subquery())).scalar_one())


def first_at(connection: Connection) -> datetime | None:
    """The time of the very first event; None if there is none."""
    at = connection.execute(select(t.audit_event.c.at).where(t.audit_event.c.seq == 1)).scalar_one_or_none()
    return moment(at) if at else None


def _event(row: Any) -> AuditEvent:
    values, altered = plausible_values(t.audit_event, row._mapping)
    body = _body(values["body"])
    wrong = altered if body is not None else (*altered, "body")
    named = {name: values[name] for name in ("seq", "kind", "actor", "subject", "business_key")}
    return AuditEvent(at=moment(values["at"]), body=body or {"details": {}}, altered=tampering_message(wrong), **named)


def _body(stored: bytes) -> dict[str, Any] | None:
    """The parsed body of an event; None if it cannot be read."""
    try:
        body = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and isinstance(body.get("details"), dict) else None


def raw_named(connection: Connection) -> Generator[tuple[Any, Any], None, None]:
    """(seq, patient) of every row that names a patient among others, by event."""
    c = r.audit_patient.c
    yield from stream(connection, select(c.seq, c.patient).order_by(c.seq, c.patient))


def raw(connection: Connection) -> Iterator[RawEvent]:
    """Every row as stored, in order."""
    c = t.audit_event.c
    columns = [c[name] for name in REPEATED]
    body, digest = (type_coerce(column, NullType()) for column in (c.body, c.hash))  # altered rows may hold text
    query = select(c.seq, body.label("raw"), digest.label("digest"), *columns).order_by(c.seq)
    for row in stream(connection, query):
        yield RawEvent(row[0], row[1], row[2], tuple(row[3:]))
