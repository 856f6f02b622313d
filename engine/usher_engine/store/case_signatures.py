"""Search index: the attributes many cases share (process, version, status, outcome, elements), stored once each.

Cases that took the same path through a diagram share a `CaseSignature`. So a finished case costs a number in
its row and one row for each person, and a search for something rare reads a few signatures instead of every case. The
index follows from the history (`from_history`): steps write it, verify checks it, and `usher db reindex` rebuilds it
(decisions/0010).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, delete, func, insert, select, update

from ..core.canonical import canonical
from ..core.events import ElementEntered, ElementPassed, Event, IncidentRaised, UserTaskOpened, from_json
from ..core.state import LIVE, Status
from .database import NEW_SIGNATURES
from .instance_rows import Row
from .snapshot import answers
from .tables import engine_tables as t
from .tampered_rows import plausible_values
from .upserts import unless_there

#: Roles that do not stand for a person and are not indexed by name.
NO_PERSON = frozenset({"system", "patient"})

#: Separates the names in a column and surrounds them.
BETWEEN = "\n"


@dataclass(frozen=True, slots=True)
class CaseSignature:
    """
    The signature of a case: the attributes it shares with many others.

    *stopped*: it has or had an incident; *elements* were visited; *groups* had a task (the empty group: everyone).
    """

    process: str
    version: int
    status: str
    outcome: str
    stopped: bool = False
    elements: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def id(self) -> int:
        return _id(self)

    def after(self, happened: Iterable[Event]) -> CaseSignature:
        """This signature after these events; the attributes from the row stay as they are."""
        elements, groups, stopped = set(self.elements), set(self.groups), self.stopped
        for event in happened:
            match event:
                case ElementEntered(element=element) | ElementPassed(element=element):
                    elements.add(element)
                case UserTaskOpened(group=group):
                    groups.add(group)
                case IncidentRaised():
                    stopped = True
                case _:
                    pass
        return replace(self, stopped=stopped, elements=frozenset(elements), groups=frozenset(groups))

    def with_row(self, row: Row) -> CaseSignature:
        """This signature with the attributes of *row*."""
        return replace(self, process=row.process, version=row.version, status=row.status, outcome=row.outcome)


@lru_cache(maxsize=10_000)
def _id(kind: CaseSignature) -> int:
    """63 bits of SHA-256 over the content, never 0: the same in every database, without a sequence."""
    plain = [kind.process, kind.version, kind.status, kind.outcome, int(kind.stopped)]
    digest = hashlib.sha256(canonical([*plain, sorted(kind.elements), sorted(kind.groups)])).digest()
    return int.from_bytes(digest[:8], "big") >> 1 or 1


def is_person(role: str) -> bool:
    return role not in NO_PERSON


# written with each step

_C, _A = t.case_kind.c, t.case_actor.c
_BY_ID = select(t.case_kind).where(_C.id == bindparam("wanted"))
_MOVE = update(t.case_actor).where(_A.instance == bindparam("of")).values(kind=bindparam("to"))
#: Signatures read from committed rows, by database; rows of signatures are never deleted.
_committed: WeakKeyDictionary[Engine, dict[int, CaseSignature]] = WeakKeyDictionary()


def project(connection: Connection, row: Row, happened: Iterable[Event]) -> int:
    """Store the signature of *row* after these events, if it is new; return its id."""
    events = list(happened)
    before = find(connection, row.kind) if row.kind else None
    kind = (before or CaseSignature(row.process, row.version, row.status, row.outcome)).with_row(row).after(events)
    if kind != before:
        _keep(connection, kind)
    return kind.id


def _keep(connection: Connection, kind: CaseSignature) -> None:
    if find(connection, kind.id) is not None:
        return
    fresh: set[int] = connection.info.setdefault(NEW_SIGNATURES, set())
    fresh.add(kind.id)
    values = {
        "id": kind.id,
        "process": kind.process,
        "version": kind.version,
        "status": kind.status,
        "outcome": kind.outcome,
        "stopped": int(kind.stopped),
        "elements": _joined_names(kind.elements),
        "groups": _joined_names(kind.groups),
    }
    connection.execute(unless_there(connection, t.case_kind), values)


def find(connection: Connection, kind: int) -> CaseSignature | None:
    """The signature with this id; None if the database has none."""
    known = _committed.setdefault(connection.engine, {})
    if kind in known:
        return known[kind]
    row = connection.execute(_BY_ID, {"wanted": kind}).one_or_none()
    if row is None:
        return None
    found = _signature(row)
    if kind not in connection.info.get(NEW_SIGNATURES, ()):
        known[kind] = found
    return found


def project_people(connection: Connection, row: Row, actor: str, *, moved: bool) -> None:
    """Index *row* under *actor* (empty: no person); with *moved* also store its new signature for everyone else."""
    if moved:
        connection.execute(_MOVE, {"of": row.id, "to": row.kind})
    if actor:
        values = {"instance": row.id, "actor": actor, "kind": row.kind, "started_at": row.started_at}
        connection.execute(unless_there(connection, t.case_actor), values)


# read, compare, rebuild


def all_signatures(connection: Connection) -> list[tuple[int, CaseSignature]]:
    """Every signature; their number grows with the paths through the diagrams, not with the cases."""
    known = answers(connection)
    if "kinds" not in known:
        known["kinds"] = [(row.id, _signature(row)) for row in connection.execute(select(t.case_kind))]
    return list(known["kinds"])


def live_counts(connection: Connection) -> dict[str, tuple[int, int]]:
    """(running cases, those of them stopped by an incident) of each process that has any."""
    every: list[tuple[Any, CaseSignature]] = [*all_signatures(connection)]  # an altered id is no number
    live = {key: shared for key, shared in every if isinstance(key, int) and shared.status in LIVE}
    kind = t.instance.c.kind
    query = select(kind, func.count()).where(kind.in_(live)).group_by(kind)
    found: dict[str, tuple[int, int]] = {}
    for key, number in connection.execute(query):
        running, stopped = found.get(live[key].process, (0, 0))
        stops = number if live[key].status == Status.INCIDENT else 0
        found[live[key].process] = (running + number, stopped + stops)
    return found


def people_of(connection: Connection, instance: str) -> list[str]:
    """The names of the people who made a step in a case, sorted."""
    return list(connection.execute(select(_A.actor).where(_A.instance == instance).order_by(_A.actor)).scalars())


@dataclass(frozen=True, slots=True)
class Sight:
    """What decides who may see a case: its signature and the people who made steps in it."""

    business_key: str
    revision: int
    kind: CaseSignature | None
    people: frozenset[str]


def sight_of(connection: Connection, instances: Collection[str]) -> dict[str, Sight]:
    """The `Sight` of each of *instances*; unknown ones are left out."""
    c = t.instance.c
    rows = connection.execute(select(c.id, c.business_key, c.revision, c.kind).where(c.id.in_(sorted(instances)))).all()
    people: dict[str, set[str]] = {row.id: set() for row in rows}
    for number, actor in connection.execute(select(_A.instance, _A.actor).where(_A.instance.in_(sorted(people)))):
        people[number].add(actor)
    return {
        row.id: Sight(row.business_key, row.revision, find(connection, row.kind), frozenset(people[row.id]))
        for row in rows
    }


def from_history(row: Row, bodies: Iterable[dict[str, Any]]) -> tuple[CaseSignature, list[str]]:
    """The signature and the people that follow from the steps of *row*."""
    kind, people = CaseSignature(row.process, row.version, row.status, row.outcome), set()
    for body in bodies:
        kind = kind.after(from_json(event) for event in body["events"])
        if is_person(body["actor"].get("role", "")):
            people.add(str(body["actor"]["name"]))
    return kind, sorted(people)


#: Built once: verify asks for every case.
_HANDS = select(_A.actor, _A.kind, _A.started_at).where(_A.instance == bindparam("of")).order_by(_A.actor)


def is_indexed(connection: Connection, row: Row, kind: CaseSignature, people: Collection[str]) -> bool:
    """Whether the index of *row* holds this signature and these people."""
    there = [tuple(found) for found in connection.execute(_HANDS, {"of": row.id})]
    expected = [(name, kind.id, row.started_at) for name in sorted(people)]
    return row.kind == kind.id and there == expected and find(connection, kind.id) == kind


def index(connection: Connection, row: Row, kind: CaseSignature, people: Collection[str]) -> None:
    """Store this signature and these people as the index of *row*."""
    _keep(connection, kind)
    connection.execute(update(t.instance).where(t.instance.c.id == row.id).values(kind=kind.id))
    connection.execute(delete(t.case_actor).where(_A.instance == row.id))
    hands = {"instance": row.id, "kind": kind.id, "started_at": row.started_at}
    if people:
        connection.execute(insert(t.case_actor), [{**hands, "actor": name} for name in people])


def _signature(row: Any) -> CaseSignature:
    values, _ = plausible_values(t.case_kind, row._mapping)
    plain = (values["process"], values["version"], values["status"], values["outcome"], bool(values["stopped"]))
    return CaseSignature(*plain, _split_names(values["elements"]), _split_names(values["groups"]))


def _joined_names(names: Collection[str]) -> str:
    return BETWEEN.join(["", *sorted(names), ""]) if names else ""


def _split_names(text: str) -> frozenset[str]:
    return frozenset(text[1:-1].split(BETWEEN)) if text else frozenset()
