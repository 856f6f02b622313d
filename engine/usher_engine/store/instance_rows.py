"""Instances and their steps: lock, load, append. The step table is append-only."""

from __future__ import annotations

import hashlib
import hmac
import json
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, func, insert, or_, select, update

from ..core import faults
from ..core.canonical import Json, canonical
from ..core.errors import Conflict, Corrupt, NotFound
from ..core.state import LIVE, InstanceState, Status
from .database import from_text
from .snapshot import answers
from .step_codec import parsed_body
from .tables import engine_tables as t
from .tampered_rows import plausible_values, tampering_message

GENESIS = b"\x00" * 32
#: The largest number of a step or a version that both databases accept.
LARGEST_NUMBER = 2**31 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """
    One command carried out.

    ``body`` is what is hashed: ``at``, ``actor``, ``command``, ``events``, and ``state``, the SHA-256 of the state
    stored with it. ``hash`` is SHA-256 of the previous hash and the canonical body.
    """

    instance: str
    revision: int
    body: dict[str, Any]
    previous: bytes
    hash: bytes

    @property
    def at(self) -> datetime:
        return from_text(self.body["at"])

    @property
    def actor(self) -> str:
        return str(self.body["actor"]["name"])

    @property
    def on_behalf_of(self) -> str:
        return str(self.body["actor"].get("on_behalf_of") or "")

    @property
    def by(self) -> str:
        """Who took the step, in words: "alice", or "alice on behalf of bob"."""
        return f"{self.actor} on behalf of {self.on_behalf_of}" if self.on_behalf_of else self.actor

    @property
    def command(self) -> dict[str, Any]:
        return dict(self.body["command"])

    @property
    def events(self) -> tuple[dict[str, Any], ...]:
        return tuple(self.body["events"])

    @property
    def is_linked(self) -> bool:
        """Whether the hash follows from this body and the previous hash; it does not in an altered step or chain."""
        return chain_hash(self.previous, canonical(self.body)) == self.hash


@dataclass(slots=True)
class Row:
    """An instance as stored; *state* is the text of its serialized state, empty once it has ended."""

    id: str
    process: str
    version: int
    definition: str
    business_key: str
    status: str
    revision: int
    head: bytes
    started_at: str
    ended_at: str | None
    outcome: str
    explanation: str
    kind: int = 0
    state: str | None = None
    seal: bytes | None = None
    #: Columns with values Usher cannot have written; only `as_row` checks them.
    altered: tuple[str, ...] = ()


#: Characters in the number of a case.
ID_LENGTH = 12

_STATE = t.instance_state
WHOLE = select(t.instance, _STATE.c.content, _STATE.c.seal).outerjoin(_STATE, _STATE.c.instance == t.instance.c.id)
_BY_ID = WHOLE.where(t.instance.c.id == bindparam("id"))
_LOCK = select(t.instance.c.id).where(t.instance.c.id == bindparam("id")).with_for_update()
_INSERT = insert(t.instance)
_INSERT_STEP = insert(t.step)
_STORED = ("id", "process", "version", "definition", "business_key", "status", "revision", "head", "started_at",
           "ended_at", "outcome", "explanation", "kind")  # fmt: skip
_CHANGING = ("version", "definition", "status", "revision", "head", "ended_at", "outcome", "explanation", "kind")
_INSERT_STATE = insert(_STATE).values(
    instance=bindparam("instance"), content=bindparam("content"), seal=bindparam("seal")
)
_UPDATE_STATE = (
    update(_STATE)
    .where(_STATE.c.instance == bindparam("of"))
    .values(content=bindparam("content"), seal=bindparam("seal"))
)
_DELETE_STATE = delete(_STATE).where(_STATE.c.instance == bindparam("of"))
_UPDATE = (
    update(t.instance)
    .where(t.instance.c.id == bindparam("of"), t.instance.c.revision == bindparam("expected"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)


def lock(connection: Connection, instance: str) -> Row:
    """The instance, held until the transaction ends; raises `NotFound`."""
    if connection.dialect.name == "postgresql":
        # A separate statement: a statement that waits for the lock continues with joined rows from before the wait.
        connection.execute(_LOCK, {"id": instance})
    row = _one(connection, _BY_ID, instance)
    if row.altered:
        raise Corrupt(f"Case {instance}: {tampering_message(row.altered)}")
    return row


def find(connection: Connection, instance: str) -> Row:
    """The instance; raises `NotFound`."""
    known, key = answers(connection), ("instance", instance)
    if key not in known:
        known[key] = _one(connection, _BY_ID, instance)
    found: Row = known[key]
    return found


def find_all(connection: Connection, instances: Collection[str]) -> list[Row]:
    """Those of *instances* that exist, in one statement; known from now on in this snapshot."""
    found = [as_row(row) for row in connection.execute(WHOLE.where(t.instance.c.id.in_(sorted(instances))))]
    answers(connection).update({("instance", row.id): row for row in found})
    return found


def _one(connection: Connection, query: Any, instance: str) -> Row:
    row = connection.execute(query, {"id": instance}).one_or_none()
    if row is None:
        raise NotFound(f"No case has the number {instance}.")
    return as_row(row)


def as_row(row: Any) -> Row:
    """A row of `WHOLE`; implausible values are replaced and their columns listed in ``altered``."""
    values, altered = plausible_values(t.instance, row._mapping)
    state, stored = values["content"], {name: values[name] for name in _STORED}
    return Row(**stored, state=state if isinstance(state, str | None) else "", seal=values["seal"], altered=altered)


def recent(
    connection: Connection,
    *,
    business_keys: Collection[str] | None = None,
    numbered: str | None = None,
    process: str | None = None,
    status: str | None = None,
    live: bool = False,
    after: tuple[str, str] | None = None,
    limit: int = 50,
) -> list[Row]:
    """Instances, newest first; *numbered* is a prefix of the id, *after* the (started_at, id) of the last one shown."""
    c = t.instance.c
    query = WHOLE.order_by(c.started_at.desc(), c.id.desc()).limit(limit)
    if business_keys is not None:
        query = query.where(c.business_key.in_(sorted(business_keys)))
    if numbered is not None:
        # A range, not LIKE: it uses the primary key in either database and every collation.
        query = query.where(c.id.between(numbered.ljust(ID_LENGTH, "0"), numbered.ljust(ID_LENGTH, "Z")))
    if process is not None:
        query = query.where(c.process == process)
    if live:
        query = query.where(c.ended_at.is_(None))
    if status is not None:
        query = query.where(c.status == status)
        if status in LIVE:
            query = query.where(c.ended_at.is_(None))
    if after is not None:
        query = query.where((c.started_at < after[0]) | ((c.started_at == after[0]) & (c.id < after[1])))
    return [as_row(row) for row in connection.execute(query)]


def create(connection: Connection, row: Row) -> None:
    connection.execute(_INSERT, {name: getattr(row, name) for name in _STORED})
    _save_state(connection, row, new=True)


def save(connection: Connection, row: Row) -> None:
    """Write what a step changed; raises `Conflict` when the stored revision is not the previous one."""
    expected = row.revision - 1
    values = {f"new_{name}": getattr(row, name) for name in _CHANGING}
    if connection.execute(_UPDATE, {**values, "of": row.id, "expected": expected}).rowcount != 1:
        raise Conflict("The case has moved on since you looked at it.")
    _save_state(connection, row, new=False)


def _save_state(connection: Connection, row: Row, *, new: bool) -> None:
    if row.state is not None:
        values = {"instance" if new else "of": row.id, "content": row.state, "seal": row.seal}
        connection.execute(_INSERT_STATE if new else _UPDATE_STATE, values)
    elif not new:
        connection.execute(_DELETE_STATE, {"of": row.id})


def chain(row: Row, body: dict[str, Json]) -> bytes:
    """Advance *row* and its head by one step; return the step's canonical text for `add_step`."""
    written = canonical(body)
    row.head = chain_hash(row.head, written)
    row.revision += 1
    return written


def add_step(connection: Connection, row: Row, written: bytes, *, actor: str, at: str) -> None:
    """Append the step that `chain` made; *actor* and *at* are empty if no person made it."""
    body = zlib.compress(written)
    values = {"instance": row.id, "revision": row.revision, "body": body, "hash": row.head, "actor": actor, "at": at}
    connection.execute(_INSERT_STEP, values)


def chain_hash(previous: bytes, written: bytes) -> bytes:
    """The hash of a step: SHA-256 over the previous hash and the canonical body (DESIGN 6)."""
    return hashlib.sha256(previous + written).digest()


def steps(connection: Connection, instance: str, *, first: int = 1, last: int | None = None) -> list[Step]:
    """
    The steps of *instance* from revision *first* to *last*, oldest first; their hashes are as stored, not checked.

    ``previous`` of the first one returned is known only if that is step 1.
    """
    c = t.step.c
    query = select(c.revision, c.body, c.hash).where(c.instance == instance, c.revision >= first).order_by(c.revision)
    if last is not None:
        query = query.where(c.revision <= last)
    found: list[Step] = []
    previous = GENESIS
    for revision, body, digest in connection.execute(query):
        found.append(Step(instance=instance, revision=revision, body=parsed_body(body), previous=previous, hash=digest))
        previous = digest
    return found


def steps_since(connection: Connection, revisions: Mapping[str, int]) -> dict[str, list[Step]]:
    """The steps of several instances, each from its revision on, oldest first; ``previous`` is not known."""
    c = t.step.c
    wanted = or_(*(and_(c.instance == instance, c.revision >= first) for instance, first in revisions.items()))
    query = select(c.instance, c.revision, c.body, c.hash).where(wanted).order_by(c.instance, c.revision)
    found: dict[str, list[Step]] = {instance: [] for instance in revisions}
    for instance, revision, body, digest in connection.execute(query):
        step = Step(instance=instance, revision=revision, body=parsed_body(body), previous=GENESIS, hash=digest)
        found[instance].append(step)
    return found


def seal(key: bytes, text: str) -> bytes:
    """The seal over a stored state, which ensures that only states this system wrote are loaded."""
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def unseal(key: bytes, row: Row) -> tuple[InstanceState, dict[str, Any] | None]:
    """The state of *row* and its serialized workflow; raises `Corrupt` when seal or content do not fit."""
    text = row.state or ""
    if not isinstance(row.seal, bytes) or not hmac.compare_digest(seal(key, text), row.seal):
        raise Corrupt(f"The stored state of case {row.id} was altered outside Usher, or the secret key was changed.")
    try:
        record = json.loads(text)
        state, workflow = InstanceState.from_json(record["state"]), record["workflow"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        faults.report(error, where="step", at=f"the stored state of case {row.id}")  # sealed by us, so it is our bug
        raise Corrupt(f"The stored state of case {row.id} cannot be read; it was left as it is.") from error
    if not isinstance(workflow, dict | None):
        raise Corrupt(f"The stored state of case {row.id} holds no workflow; it was left as it is.")
    return state, workflow


def live_without_tasks_or_jobs(connection: Connection) -> list[str]:
    """The numbers of waiting cases without a task or a job; some of them wait for a message."""
    c, waiting = t.instance.c, t.instance.c.status == Status.WAITING.value
    none = [~exists().where(other.c.instance == c.id) for other in (t.user_task, t.job)]
    return list(connection.execute(select(c.id).where(c.ended_at.is_(None), waiting, *none).order_by(c.id)).scalars())


def counts(connection: Connection) -> dict[str, int]:
    """The number of instances with each status."""
    query = select(t.instance.c.status, func.count()).group_by(t.instance.c.status)
    return {str(status): int(number) for status, number in connection.execute(query)}


def one_at_a_time(connection: Connection, name: str) -> None:
    """Serialise transactions that use the same *name*; SQLite serialises all writers anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
