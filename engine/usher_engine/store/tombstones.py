"""Tombstones of purged cases: setting one, and checking that it agrees with the audit chain."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, func, insert, select, update

from ..core.errors import Purged
from ..core.findings import Finding
from ..core.practice_calendar import Calendar
from . import case_signatures, file_rows
from .case_signatures import CaseSignature
from .database import from_text, to_text
from .instance_rows import Row
from .tables import engine_tables as t
from .tables import record_tables as r
from .tables.comment_tables import case_mention
from .tables.task_draft_table import task_draft

_T, _S, _I = r.tombstone.c, t.step.c, t.instance.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Tombstone:
    """*before* is the moment before which cases could be purged, *seq* the audit event of the purge."""

    instance: str
    at: datetime
    by: str
    before: datetime
    seq: int

    def words(self, calendar: Calendar) -> str:
        return (
            f"This case was purged on {calendar.day_of(self.at)} by {self.by}, after its retention time. Its contents "
            "are gone; the proof of its steps is kept."
        )


def find(connection: Connection, instance: str) -> Tombstone | None:
    row = connection.execute(select(r.tombstone).where(_T.instance == instance)).one_or_none()
    return _tombstone(row) if row else None


def refuse(connection: Connection, instances: Collection[str], calendar: Calendar) -> None:
    """Raise `Purged` when one of *instances* is only a tombstone."""
    row = connection.execute(select(r.tombstone).where(_T.instance.in_(list(instances))).limit(1)).one_or_none()
    if row:
        raise Purged(_tombstone(row).words(calendar))


def count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(r.tombstone)).scalar_one())


def ids(connection: Connection) -> frozenset[str]:
    return frozenset(connection.execute(select(_T.instance)).scalars())


def is_tombstone() -> Any:
    """A condition for queries on `instance`: the case is only a tombstone."""
    return exists().where(_T.instance == _I.id)


# which cases may be purged

_HELD = exists().where(r.legal_hold.c.business_key == _I.business_key, r.legal_hold.c.lifted_at == "")
_SIGNED = exists().where(t.leaf.c.instance == _I.id, t.leaf.c.revision == _I.revision)


def _old(before: datetime) -> tuple[Any, ...]:
    return (_I.ended_at.is_not(None), _I.ended_at < to_text(before), ~is_tombstone())


def counts(connection: Connection, before: datetime) -> tuple[int, int, int]:
    """Of the cases that ended before a moment: how many can be purged, are under hold, are not signed yet."""

    def number(*which: Any) -> int:
        query: Select[Any] = select(func.count()).select_from(t.instance).where(*_old(before), *which)
        return int(connection.execute(query).scalar_one())

    return number(~_HELD, _SIGNED), number(_HELD), number(~_HELD, ~_SIGNED)


def purgeable(connection: Connection, before: datetime, after: str, limit: int) -> list[str]:
    """Numbers of cases beyond *after* that can be purged, in order."""
    query = select(_I.id).where(_I.id > after, *_old(before), ~_HELD, _SIGNED).order_by(_I.id).limit(limit)
    return list(connection.execute(query).scalars())


def is_purgeable(connection: Connection, instance: str, before: datetime) -> bool:
    query = select(_I.id).where(_I.id == instance, *_old(before), ~_HELD, _SIGNED)
    return connection.execute(query).first() is not None


def set_up(connection: Connection, row: Row, *, at: datetime, by: str, before: datetime, seq: int) -> None:
    """Remove everything of *row* except the proof of its steps; the database refuses if the case must be kept."""
    values = {"instance": row.id, "at": to_text(at), "by": by, "before": to_text(before), "seq": seq}
    connection.execute(insert(r.tombstone).values(**values))
    connection.execute(update(t.step).where(_S.instance == row.id).values(body=b"", actor="", at=""))
    for table in (task_draft, case_mention, t.user_task, t.job, t.request, t.instance_state):
        connection.execute(delete(table).where(table.c.instance == row.id))
    connection.execute(update(t.instance).where(_I.id == row.id).values(business_key="", explanation=""))
    file_rows.empty(connection, row.id)
    case_signatures.index(connection, row, CaseSignature(row.process, row.version, row.status, row.outcome), ())


#: The columns that stay of a purged case; its event holds them.
LEFT = ("process", "version", "status", "outcome", "started_at", "ended_at")


# whether a tombstone agrees with the audit chain


def check(connection: Connection, found: Tombstone) -> list[Finding]:
    """The findings about a tombstone; empty when the audit chain records the purge and the proof is complete."""
    event = connection.execute(select(t.audit_event).where(t.audit_event.c.seq == found.seq)).one_or_none()
    recorded = _body(event.body) if event is not None else {}
    actor, details = recorded.get("actor"), recorded.get("details")
    what = (recorded.get("kind"), recorded.get("subject"), recorded.get("at"))
    by = actor.get("name") if isinstance(actor, dict) else None
    if what != ("Purged", found.instance, to_text(found.at)) or by != found.by or not isinstance(details, dict):
        words = "The text of this case was removed, but no audit event records a purge."
        return [_finding(found.instance, words)]
    leaf = and_(t.leaf.c.instance == _S.instance, t.leaf.c.revision == _S.revision)
    query = select(_S.body, _S.hash, t.leaf.c.hash).outerjoin(t.leaf, leaf).where(_S.instance == found.instance)
    steps = list(connection.execute(query.order_by(_S.revision)))
    if len(steps) != details.get("steps") or not steps or steps[-1][1].hex() != details.get("head"):
        words = "The remaining steps of this purged case are not those recorded with its purge."
        return [_finding(found.instance, words)]
    row = connection.execute(select(t.instance).where(_I.id == found.instance)).mappings().one_or_none()
    wrong = [name for name in LEFT if row is not None and name in details and row[name] != details[name]]
    if wrong:
        words = f"What is left of this purged case is not what was recorded with its purge: {', '.join(wrong)}."
        return [_finding(found.instance, words.replace("_", " "))]
    if any(body for body, _, _ in steps):
        return [_finding(found.instance, "This case was purged, but a step has its text again.")]
    if file_rows.left(connection, found.instance):
        return [_finding(found.instance, "This case was purged, but a file attached to it has its content again.")]
    if any(digest != signed for _, digest, signed in steps):
        return [_finding(found.instance, "A step of this purged case differs from the one a checkpoint signed.")]
    return []


def check_all(connection: Connection) -> Iterator[Finding]:
    """Findings about every tombstone, and about every recorded purge without one."""
    for row in list(connection.execute(select(r.tombstone).order_by(_T.instance))):
        yield from check(connection, _tombstone(row))
    c = t.audit_event.c
    lost = select(c.subject).where(c.kind == "Purged", ~exists().where(_T.seq == c.seq)).order_by(c.seq)
    for instance in connection.execute(lost).scalars():
        yield _finding(str(instance), "An audit event records the purge of this case, but its tombstone is missing.")


def _finding(instance: str, words: str) -> Finding:
    return Finding(instance=instance, revision=None, element="", kind="tombstone", message=words)


def _body(text: Any) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _tombstone(row: Any) -> Tombstone:
    return Tombstone(instance=row.instance, at=_moment(row.at), by=row.by, before=_moment(row.before), seq=row.seq)


def _moment(written: Any) -> datetime:
    """The moment in a tombstone; an unreadable one of a forged tombstone becomes a moment that matches nothing."""
    try:
        return from_text(written)
    except (ValueError, TypeError):
        return datetime.min.replace(tzinfo=UTC)
