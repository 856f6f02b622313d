"""Search among all cases: a page of matches in either direction, and the values to filter by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ..context import Context
from ..core.actor import UNBOUND_ROLES, Actor
from ..core.candidate_groups import groups_of
from ..core.errors import EngineError
from ..core.state import Status
from ..store import CaseFilter, Place, Row, Scope, case_search, case_signatures, instance_rows, version_rows
from .queries import CaseQueries, Instance


@dataclass(frozen=True, kw_only=True, slots=True)
class CasePage:
    """A page of matching cases, newest first; *newer* and *older*: there are more in that direction."""

    cases: tuple[Instance, ...]
    newer: bool
    older: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Facets:
    """The values that existing cases can be filtered by, sorted; *elements* by process."""

    processes: tuple[str, ...]
    versions: tuple[int, ...]
    outcomes: tuple[tuple[str, str], ...]
    elements: tuple[tuple[str, str], ...]


#: A search for the cases that have stopped.
STOPPED = CaseFilter(statuses=frozenset({Status.INCIDENT.value}))


@dataclass(frozen=True, slots=True)
class Onlookers:
    """Who may see a few cases (`CaseSearch.concerns`)."""

    cases: Mapping[str, case_signatures.Sight]
    scope_of: Callable[[Actor], Scope | None]

    def seen_by(self, actor: Actor) -> dict[str, case_signatures.Sight]:
        """Those of the cases that are part of *actor*'s work, by number."""
        scope = self.scope_of(actor)
        return {
            number: sight
            for number, sight in self.cases.items()
            if scope is None or (sight.kind is not None and scope.sees(sight.kind)) or scope.name in sight.people
        }


class CaseSearch:
    """Searches among all cases; a person finds only what is part of their work."""

    def __init__(self, context: Context, queries: CaseQueries) -> None:
        self.context, self.database, self.queries = context, context.database, queries
        self._groups: dict[tuple[str, int], frozenset[str]] = {}

    def find(
        self,
        wanted: CaseFilter,
        *,
        actor: Actor | None = None,
        after: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> CasePage:
        """
        One page of the matching cases that *actor* may see (None: all), newest first.

        *after* is the number of the last case on the previous page, *before* that of the first case on the next
        page; not both. Raises `NotFound` when there is no such case.
        """
        scope = self._scope(actor)
        down = before is None
        with self.database.read() as tx:
            mark = after or before
            place = _place(instance_rows.find(tx, mark), wanted) if mark else None
            rows = case_search.find(tx, wanted, scope=scope, place=place, down=down, limit=limit + 1)
            more, rows = len(rows) > limit, rows[:limit]
            rows = rows if down else rows[::-1]
            cases = tuple(self.queries.as_instances(tx, rows))
        return CasePage(cases=cases, newer=bool(after) if down else more, older=more if down else True)

    def concerns(self, actor: Actor, instance: str) -> bool:
        """
        Whether a case is part of *actor*'s work; raises `NotFound` when there is no such case.

        Auditors see all cases. Others see those with a task, open or closed, for one of their groups or for everyone,
        those in which they made a step, and those that have stopped in a process that one of their groups works on.
        """
        scope = self._scope(actor)
        with self.database.read() as tx:
            row = instance_rows.find(tx, instance)
            kind = case_signatures.find(tx, row.kind)
            if scope is None or (kind is not None and scope.sees(kind)):
                return True
            return scope.name in case_signatures.people_of(tx, instance)

    def onlookers(self, instances: Collection[str]) -> Onlookers:
        """Who may see which of *instances*, read once for any number of people; unknown numbers are left out."""
        with self.database.read() as tx:
            return Onlookers(case_signatures.sight_of(tx, instances) if instances else {}, self._scope)

    def stopped(self, actor: Actor | None = None, *, limit: int = 50) -> list[Instance]:
        """The cases that have stopped and that *actor* may do something about (None: all), the newest first."""
        return list(self.find(STOPPED, actor=actor, limit=limit).cases)

    def count_stopped(self, actor: Actor | None = None) -> int:
        """How many cases `stopped` would list without a limit."""
        with self.database.read() as tx:
            return case_search.count(tx, STOPPED, self._scope(actor))

    def _scope(self, actor: Actor | None) -> Scope | None:
        """What limits the cases *actor* may see; None if nothing does."""
        if actor is None or actor.role in UNBOUND_ROLES:
            return None
        own = actor.groups

        def acts_in(process: str, version: int) -> bool:
            groups = self._groups_at_work(process, version)
            return not groups or bool(own & groups)

        return Scope(groups=own, name=actor.name, acts_in=acts_in)

    def _groups_at_work(self, process: str, version: int) -> frozenset[str]:
        """The groups that the user tasks of a version are for; empty: everyone's. A version never changes."""
        known = self._groups.get((process, version))
        if known is None:
            try:
                with self.database.read() as tx:
                    diagram = self.context.diagram(tx, version_rows.find(tx, process, version).hash)
            except EngineError:  # lost or altered: its cases are everyone's to look at
                return frozenset()
            tasks = (element for element in diagram.elements.values() if element.tag == "userTask")
            texts = {element.properties.get("candidateGroups") or element.lane for element in tasks}
            known = frozenset() if "" in texts else frozenset(name for found in texts for name in groups_of(found))
            self._groups[process, version] = known
        return known

    def facets(self) -> Facets:
        """The values by which the cases of this database can be filtered."""
        with self.database.read() as tx:
            every = [kind for _, kind in case_signatures.all_signatures(tx)]
        return Facets(
            processes=tuple(sorted({kind.process for kind in every})),
            versions=tuple(sorted({kind.version for kind in every}, reverse=True)),
            outcomes=tuple(sorted({(kind.process, kind.outcome) for kind in every if kind.outcome})),
            elements=tuple(sorted({(kind.process, element) for kind in every for element in kind.elements})),
        )


def _place(row: Row, wanted: CaseFilter) -> Place:
    """The position of *row* in the list; by end date, a case that has not ended comes before those that have."""
    return (row.ended_at or "~", row.id) if wanted.by_end else (row.started_at, row.id)


def _scope(actor: Actor | None) -> Scope | None:
    """What limits the cases *actor* may see; None if nothing does."""
    if actor is None or actor.role in UNBOUND_ROLES:
        return None
    return Scope(groups=actor.groups, name=actor.name)
