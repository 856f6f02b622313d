"""What a search asks of cases beside people and times, kept once for all cases that have it in common.

Cases of one way through a diagram share a `Kind`, so a finished case costs a number in its row and one row for each
person, and a search for anything rare meets a few kinds instead of every case. All of it follows from the history
(`of_history`): it is written with each step, checked by verify and made anew by `usher db reindex` (decisions/0010).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update

from ..core.canonical import canonical
from ..core.events import ElementEntered, ElementPassed, Event, IncidentRaised, UserTaskOpened, from_json
from .database import NEW_KINDS
from .instance_rows import Row
from .snapshot import answers
from .tables import engine_tables as t
from .tampered_rows import intact
from .upserts import unless_there

#: Roles whose steps are nobody's doing that could be looked for by a name.
NO_PERSON = frozenset({"system", "patient"})

#: Between the names in a column, and around them.
BETWEEN = "\n"


@dataclass(frozen=True, slots=True)
class Kind:
    """
    What a case is, as far as many are.

    *stopped* tells of an incident, past or present; *elements* were visited, *groups* had a task of the case (the
    empty one: everybody).
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

    def after(self, happened: Iterable[Event]) -> Kind:
        """This kind once these events have happened; what the row says is not theirs to change."""
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

    def of(self, row: Row) -> Kind:
        """This kind with what *row* says now."""
        return replace(self, process=row.process, version=row.version, status=row.status, outcome=row.outcome)


@lru_cache(maxsize=10_000)
def _id(kind: Kind) -> int:
    """63 bits of SHA-256 over the content, never 0: the same in every database, so that nobody numbers kinds."""
    said = [kind.process, kind.version, kind.status, kind.outcome, int(kind.stopped)]
    digest = hashlib.sha256(canonical([*said, sorted(kind.elements), sorted(kind.groups)])).digest()
    return int.from_bytes(digest[:8], "big") >> 1 or 1


def is_person(role: str) -> bool:
    return role not in NO_PERSON


# written with each step

_C, _A = t.case_kind.c, t.case_actor.c
_BY_ID = select(t.case_kind).where(_C.id == bindparam("wanted"))
_MOVE = update(t.case_actor).where(_A.instance == bindparam("of")).values(kind=bindparam("to"))
#: Read at least once, so committed: by database, for a kind is never taken out again.
_committed: WeakKeyDictionary[Engine, dict[int, Kind]] = WeakKeyDictionary()


def follow(connection: Connection, row: Row, happened: Iterable[Event]) -> int:
    """The kind *row* is of after these events, known to the database from now on."""
    events = list(happened)
    before = find(connection, row.kind) if row.kind else None
    kind = (before or Kind(row.process, row.version, row.status, row.outcome)).of(row).after(events)
    if kind != before:
        _keep(connection, kind)
    return kind.id


def _keep(connection: Connection, kind: Kind) -> None:
    if find(connection, kind.id) is not None:
        return
    fresh: set[int] = connection.info.setdefault(NEW_KINDS, set())
    fresh.add(kind.id)
    values = {
        "id": kind.id,
        "process": kind.process,
        "version": kind.version,
        "status": kind.status,
        "outcome": kind.outcome,
        "stopped": int(kind.stopped),
        "elements": _listed(kind.elements),
        "groups": _listed(kind.groups),
    }
    connection.execute(unless_there(connection, t.case_kind), values)


def find(connection: Connection, kind: int) -> Kind | None:
    """The kind with this id; None when the database has none."""
    known = _committed.setdefault(connection.engine, {})
    if kind in known:
        return known[kind]
    row = connection.execute(_BY_ID, {"wanted": kind}).one_or_none()
    if row is None:
        return None
    found = _kind(row)
    if kind not in connection.info.get(NEW_KINDS, ()):
        known[kind] = found
    return found


def follow_people(connection: Connection, row: Row, actor: str, *, moved: bool) -> None:
    """Note that *actor* (empty: nobody to be looked for) had a hand in *row*, and of what kind it is by now."""
    if moved:
        connection.execute(_MOVE, {"of": row.id, "to": row.kind})
    if actor:
        values = {"instance": row.id, "actor": actor, "kind": row.kind, "started_at": row.started_at}
        connection.execute(unless_there(connection, t.case_actor), values)


# read, compared, made anew


def all_kinds(connection: Connection) -> list[tuple[int, Kind]]:
    """Every kind there is; as many as there are ways through the diagrams, not as there are cases."""
    known = answers(connection)
    if "kinds" not in known:
        known["kinds"] = [(row.id, _kind(row)) for row in connection.execute(select(t.case_kind))]
    return list(known["kinds"])


def people_of(connection: Connection, instance: str) -> list[str]:
    """Who had a hand in a case, by name."""
    return list(connection.execute(select(_A.actor).where(_A.instance == instance).order_by(_A.actor)).scalars())


def of_history(row: Row, bodies: Iterable[dict[str, Any]]) -> tuple[Kind, list[str]]:
    """The kind and the people that the steps of *row* tell of."""
    kind, people = Kind(row.process, row.version, row.status, row.outcome), set()
    for body in bodies:
        kind = kind.after(from_json(event) for event in body["events"])
        if is_person(body["actor"].get("role", "")):
            people.add(str(body["actor"]["name"]))
    return kind, sorted(people)


#: Built once: verify asks for every case.
_HANDS = select(_A.actor, _A.kind, _A.started_at).where(_A.instance == bindparam("of")).order_by(_A.actor)


def is_indexed(connection: Connection, row: Row, kind: Kind, people: Collection[str]) -> bool:
    """Whether the index says of *row* what it should."""
    there = [tuple(found) for found in connection.execute(_HANDS, {"of": row.id})]
    told = [(name, kind.id, row.started_at) for name in sorted(people)]
    return row.kind == kind.id and there == told and find(connection, kind.id) == kind


def index(connection: Connection, row: Row, kind: Kind, people: Collection[str]) -> None:
    """Make the index say of *row* what it should."""
    _keep(connection, kind)
    connection.execute(update(t.instance).where(t.instance.c.id == row.id).values(kind=kind.id))
    connection.execute(delete(t.case_actor).where(_A.instance == row.id))
    hands = {"instance": row.id, "kind": kind.id, "started_at": row.started_at}
    if people:
        connection.execute(insert(t.case_actor), [{**hands, "actor": name} for name in people])


def _kind(row: Any) -> Kind:
    values, _ = intact(t.case_kind, row._mapping)
    plain = (values["process"], values["version"], values["status"], values["outcome"], bool(values["stopped"]))
    return Kind(*plain, _names(values["elements"]), _names(values["groups"]))


def _listed(names: Collection[str]) -> str:
    return BETWEEN.join(["", *sorted(names), ""]) if names else ""


def _names(text: str) -> frozenset[str]:
    return frozenset(text[1:-1].split(BETWEEN)) if text else frozenset()
