"""What the engine answers without changing anything: the inbox, cases, their history, the versions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ..bpmn import Diagram, compile_diagram, initial_values
from ..core.canonical import whole_number
from ..core.errors import Conflict, Corrupt, NotFound
from ..core.events import from_json
from ..core.findings import Finding
from ..core.state import InstanceState, Status, Wait, fold, place
from ..definitions import Package
from ..reexecution import Progress, Verified, Verifier, verify_all
from ..services import Services
from ..settings import Settings
from ..store import (
    Database,
    Row,
    Step,
    Transaction,
    UserTask,
    Version,
    job_rows,
    stored_cases,
    task_rows,
    to_text,
    version_rows,
)
from ..store import (
    instance_rows as instances,
)
from ..store.tampered_rows import moment, told

Clock = Callable[[], datetime]

#: Who may act without being in a candidate group.
UNBOUND_ROLES = frozenset({"system", "auditor"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who asks. *groups* are the candidate groups whose tasks they may see; *on_behalf_of* names a represented user."""

    name: str
    role: str = "staff"
    groups: frozenset[str] = frozenset()
    on_behalf_of: str | None = None


SYSTEM = Actor(name="system", role="system")


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """
    A case: ``at`` names the elements a token rests on, ``waits`` the times and messages that set it going,
    ``outcome`` the end event, ``incident`` what is wrong.
    """

    id: str
    process: str
    version: int
    revision: int
    status: str
    at: tuple[str, ...]
    tasks: tuple[UserTask, ...]
    business_key: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    explanation: str | None
    incident: str | None
    waits: tuple[Wait, ...] = ()


def utc_now() -> datetime:
    return datetime.now(UTC)


def task_place(task: str) -> tuple[str, str, int]:
    """(instance, element, visit) of a task id; raises `NotFound` when it is none."""
    parts = task.split(":")
    visit = whole_number(parts[-1])
    if len(parts) != 3 or visit is None:
        raise NotFound("There is no such task.")
    return parts[0], parts[1], visit


def case_number(text: str) -> str:
    """*text* as case numbers are stored: capitals, no dashes or spaces, and digits for the letters they look like."""
    plain = text.upper().replace("-", "").replace(" ", "")
    return plain.replace("O", "0").replace("I", "1").replace("L", "1")


def may_see(actor: Actor | None, task: UserTask) -> bool:
    """Whether *task* is for *actor*: unbound roles see all, others what their groups get or they have claimed."""
    if actor is None or actor.role in UNBOUND_ROLES or not task.groups:
        return True
    return bool(actor.groups.intersection(task.groups)) or task.assignee == actor.name


class Questions:
    """Everything one may ask the engine; `Engine` adds the commands."""

    def __init__(
        self, settings: Settings, services: Services, clock: Clock = utc_now, database: Database | None = None
    ) -> None:
        self.settings = settings
        self.services = services
        self.clock = clock
        self.database = database or Database(settings.database_url)
        self._diagrams: dict[str, Diagram] = {}

    def tasks(
        self,
        actor: Actor | None = None,
        *,
        mine: bool = False,
        overdue: bool = False,
        limit: int = 50,
        after: str | None = None,
    ) -> list[UserTask]:
        """Open tasks *actor* may see (None: all), soonest due first; *after* is the last task's ``sort_key``."""
        groups, name, due = self._scope(actor, overdue)
        with self.database.read() as tx:
            return task_rows.select_tasks(
                tx, groups=groups, assignee=name, mine=mine, overdue_at=due, after=after, limit=limit
            )

    def count_tasks(self, actor: Actor | None = None, *, mine: bool = False, overdue: bool = False) -> int:
        """How many tasks `tasks` would list, counted up to 1,000."""
        groups, name, due = self._scope(actor, overdue)
        with self.database.read() as tx:
            return task_rows.count_tasks(tx, groups=groups, assignee=name, mine=mine, overdue_at=due)

    def _scope(self, actor: Actor | None, overdue: bool) -> tuple[frozenset[str] | None, str, datetime | None]:
        bound = actor is not None and actor.role not in UNBOUND_ROLES
        groups = actor.groups | {""} if actor is not None and bound else None
        return groups, actor.name if actor else "", self.clock() if overdue else None

    def task(self, task: str, actor: Actor | None = None) -> UserTask:
        """
        One open task.

        Raises:
            NotFound: There is none, or it is not for *actor*.
            Conflict: It was open and is not any more; ``winner`` and ``at`` say who ended it, and when.
        """
        instance, element, visit = task_place(task)
        with self.database.read() as tx:
            found = task_rows.find(tx, instance, element, visit)
            if found is None:
                raise self._gone(tx, instance, element, visit)
            if not may_see(actor, found):
                raise NotFound("There is no such task.")
            row = instances.find(tx, instance)
            state, _ = instances.unsealed(self._seal_key, row)
            known = {**state.data, **state.items.get(place(element, visit), {})}
            initial = initial_values(self._diagram(tx, row.definition), element, known, self.clock())
        return replace(found, initial=initial)

    def _gone(self, tx: Transaction, instance: str, element: str, visit: int) -> Conflict | NotFound:
        """Why a task is not open: somebody ended it, or it never was."""
        words = {"UserTaskCompleted": "completed", "UserTaskCancelled": "cancelled", "ElementCancelled": "ended"}
        for step in reversed(instances.steps(tx, instance)):
            for event in step.events:
                if event.get("element") == element and event.get("visit") == visit and event["kind"] in words:
                    message = f"{step.actor} {words[event['kind']]} this task."
                    return Conflict(message, winner=step.actor, at=step.at)
                if event["kind"] == "InstanceCancelled":
                    return Conflict(f"{step.actor} cancelled the case.", winner=step.actor, at=step.at)
        return NotFound("There is no such task.")

    def instances(
        self,
        *,
        business_key: str | None = None,
        about: Collection[str] | None = None,
        numbered: str | None = None,
        process: str | None = None,
        status: str | None = None,
        limit: int = 50,
        after: Instance | None = None,
    ) -> list[Instance]:
        """
        Cases, newest first; *after* is the last one seen.

        *about* are business keys, *numbered* is how the number begins, as people write it (dashes and case are free).
        """
        keys = about if business_key is None else {business_key}
        begins = case_number(numbered) if numbered is not None else None
        position = (to_text(after.started_at), after.id) if after else None
        with self.database.read() as tx:
            rows = instances.recent(
                tx, business_keys=keys, numbered=begins, process=process, status=status, after=position, limit=limit
            )
            return self._instances(tx, rows)

    def instance(self, instance: str) -> Instance:
        """One case; raises `NotFound`."""
        with self.database.read() as tx:
            return self._instances(tx, [instances.find(tx, instance)])[0]

    def _instances(self, tx: Transaction, rows: list[Row]) -> list[Instance]:
        tasks = task_rows.of_instances(tx, [row.id for row in rows if row.ended_at is None])
        return [self._instance(row, tasks.get(row.id, ())) for row in rows]

    def _instance(self, row: Row, tasks: tuple[UserTask, ...]) -> Instance:
        try:
            state = None if row.state is None else instances.unsealed(self._seal_key, row)[0]
            fault = told(row.altered)
        except Corrupt as error:  # told at the case itself, so that lists and histories stay readable
            state, fault = None, told(row.altered) or error.message
        shown = self._described(row, state, tasks)
        return replace(shown, status=Status.INCIDENT.value, incident=fault) if fault else shown

    def _described(self, row: Row, state: InstanceState | None, tasks: tuple[UserTask, ...]) -> Instance:
        return Instance(
            **{name: getattr(row, name) for name in ("id", "process", "version", "revision", "status", "business_key")},
            at=tuple(here.rpartition(":")[0] for here in state.at) if state else (),
            tasks=tasks,
            started_at=moment(row.started_at),
            ended_at=moment(row.ended_at) if row.ended_at else None,
            outcome=row.outcome or None,
            explanation=row.explanation or None,
            incident="; ".join(state.incidents.values()) or None if state else None,
            waits=state.waiting_for() if state else (),
        )

    @property
    def _seal_key(self) -> bytes:
        return b"state:" + self.settings.secret_key.encode()

    def history(self, instance: str) -> list[Step]:
        """The steps of a case, oldest first; raises `NotFound`."""
        with self.database.read() as tx:
            instances.find(tx, instance)
            return instances.steps(tx, instance)

    def rebuild(self, instance: str, revision: int | None = None) -> InstanceState:
        """The state of a case folded from its events, at *revision* (1-based) or now; raises `NotFound`."""
        with self.database.read() as tx:
            instances.find(tx, instance)
            steps = instances.steps(tx, instance, last=revision)
        return fold(InstanceState(), [from_json(event) for step in steps for event in step.events])

    def rebuild_each(self, instance: str) -> list[tuple[Step, InstanceState]]:
        """Every step of a case with the state after it, as `rebuild` gives it, in one fold; raises `NotFound`."""
        rebuilt: list[tuple[Step, InstanceState]] = []
        state = InstanceState()
        for step in self.history(instance):
            state = fold(state, map(from_json, step.events))
            rebuilt.append((step, state))
        return rebuilt

    def verify(self, instance: str) -> list[Finding]:
        """What is wrong with the record of a case, and where running it again differs; raises `NotFound`."""
        with self.database.read() as tx:
            return self.verifier().check(tx, stored_cases.one(tx, instance))

    def verifier(self) -> Verifier:
        """What checks cases one by one; it reads each definition once."""
        return Verifier(self.services, self._seal_key)

    def verify_all(self, *, after: str = "", jobs: int = 1, progress: Progress | None = None) -> Verified:
        """`verify` for every case numbered beyond *after*, on *jobs* processes."""
        return verify_all(self.database, self.services, self._seal_key, after=after, jobs=jobs, progress=progress)

    def versions(self, process: str | None = None) -> list[Version]:
        """Deployed versions, newest first."""
        with self.database.read() as tx:
            return version_rows.versions(tx, process)

    def package(self, process: str, number: int | None = None) -> Package:
        """The package of a version, or of the one in force; raises `NotFound`."""
        return self.diagram(process, number).package

    def diagram(self, process: str, number: int | None = None) -> Diagram:
        """The compiled diagram of a version, or of the one in force; raises `NotFound`."""
        with self.database.read() as tx:
            found = version_rows.latest(tx, process) if number is None else version_rows.find(tx, process, number)
            return self._diagram(tx, found.hash)

    def package_of(self, instance: str) -> Package:
        """The package a case runs on."""
        return self.diagram_of(instance).package

    def diagram_of(self, instance: str) -> Diagram:
        """The compiled diagram a case runs on; raises `NotFound`."""
        with self.database.read() as tx:
            return self._diagram(tx, instances.find(tx, instance).definition)

    def _diagram(self, tx: Transaction, definition: str) -> Diagram:
        """The compiled package with this hash, compiled once for each process and kept."""
        diagram = self._diagrams.get(definition)
        if diagram is None:
            diagram = compile_diagram(version_rows.content(tx, definition))
            self._diagrams[definition] = diagram
        return diagram

    def counts(self) -> dict[str, dict[str, int]]:
        """For monitoring: instances by status, jobs waiting and parked, open tasks (counted to 100,000)."""
        with self.database.read() as tx:
            tasks = task_rows.count_tasks(tx, groups=None, assignee="", at_most=100_000)
            return {"instances": instances.counts(tx), "jobs": job_rows.counts(tx), "tasks": {"open": tasks}}

