"""Queries about cases: their status, their history, the diagram they run on. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ..bpmn import Diagram
from ..context import Context
from ..core.errors import Corrupt, EngineError
from ..core.events import from_json
from ..core.state import InstanceState, Status, Wait, fold
from ..definitions import Package
from ..store import (
    Row,
    Step,
    Transaction,
    UserTask,
    case_signatures,
    instance_rows,
    job_rows,
    task_counts,
    task_rows,
    to_text,
)
from ..store.tampered_rows import moment, tampering_message
from .call_plan import NO_CALLS, CallPlan, call_plan

#: The events that say which package a case runs on.
RUNS_ON = frozenset({"InstanceStarted", "InstanceMigrated"})


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


def case_number(text: str) -> str:
    """*text* as case numbers are stored: capitals, no dashes or spaces, and digits for the letters they look like."""
    plain = text.upper().replace("-", "").replace(" ", "")
    return plain.replace("O", "0").replace("I", "1").replace("L", "1")


class CaseQueries:
    """Reads cases and their histories."""

    def __init__(self, context: Context) -> None:
        self.context, self.database = context, context.database
        self._plans: dict[str, CallPlan] = {}  # by the hash of the package

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
        Cases, newest first; *after* is the last one of the previous page.

        *about* are business keys; *numbered* is the beginning of the number as people write it, with or without
        dashes, in capitals or not.
        """
        keys = about if business_key is None else {business_key}
        begins = case_number(numbered) if numbered is not None else None
        position = (to_text(after.started_at), after.id) if after else None
        with self.database.read() as tx:
            rows = instance_rows.recent(
                tx, business_keys=keys, numbered=begins, process=process, status=status, after=position, limit=limit
            )
            return self.as_instances(tx, rows)

    def instance(self, instance: str) -> Instance:
        """One case; raises `NotFound`."""
        with self.database.read() as tx:
            return self.as_instances(tx, [instance_rows.find(tx, instance)])[0]

    def instances_by_id(self, instances: Collection[str]) -> dict[str, Instance]:
        """The cases with these numbers; unknown ones are left out."""
        with self.database.read() as tx:
            rows = instance_rows.find_all(tx, instances) if instances else []
            return {found.id: found for found in self.as_instances(tx, rows)}

    def as_instances(self, tx: Transaction, rows: list[Row]) -> list[Instance]:
        tasks = task_rows.of_instances(tx, [row.id for row in rows if row.ended_at is None])
        return [self.as_instance(row, tasks.get(row.id, ())) for row in rows]

    def as_instance(self, row: Row, tasks: tuple[UserTask, ...]) -> Instance:
        try:
            state = None if row.state is None else instance_rows.unseal(self.context.seal_key, row)[0]
            fault = tampering_message(row.altered)
        except Corrupt as error:  # shown on the case itself, so that lists and histories stay readable
            state, fault = None, tampering_message(row.altered) or error.message
        shown = self.describe(row, state, tasks)
        return replace(shown, status=Status.INCIDENT.value, incident=fault) if fault else shown

    def describe(self, row: Row, state: InstanceState | None, tasks: tuple[UserTask, ...]) -> Instance:
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

    def history(self, instance: str) -> list[Step]:
        """The steps of a case, oldest first; raises `NotFound`."""
        with self.database.read() as tx:
            instance_rows.find(tx, instance)
            return instance_rows.steps(tx, instance)

    def steps_since(self, revisions: Mapping[str, int]) -> dict[str, list[Step]]:
        """The steps of several cases, each from its own revision on, in one statement."""
        with self.database.read() as tx:
            return instance_rows.steps_since(tx, revisions) if revisions else {}

    def rebuild(self, instance: str, revision: int | None = None) -> InstanceState:
        """The state of a case folded from its events, at *revision* (1-based) or now; raises `NotFound`."""
        with self.database.read() as tx:
            instance_rows.find(tx, instance)
            steps = instance_rows.steps(tx, instance, last=revision)
        return fold(InstanceState(), [from_json(event) for step in steps for event in step.events])

    def call_plan(self, definition: str) -> CallPlan:
        """What the package with the hash *definition* says about calls; without calls if that version is lost."""
        if definition not in self._plans:
            try:
                with self.database.read() as tx:
                    self._plans[definition] = call_plan(self.context.diagram(tx, definition).package)
            except EngineError:
                return NO_CALLS
        return self._plans[definition]

    def package_of(self, instance: str) -> Package:
        """The package a case runs on."""
        return self.diagram_of(instance).package

    def diagram_of(self, instance: str, revision: int | None = None) -> Diagram:
        """The compiled diagram a case ran on at *revision*, or runs on now; raises `NotFound`."""
        with self.database.read() as tx:
            definition = instance_rows.find(tx, instance).definition
            steps = instance_rows.steps(tx, instance, last=revision) if revision is not None else []
            for step in reversed(steps):
                moves = [from_json(event) for event in step.events if event["kind"] in RUNS_ON]
                if moves:
                    definition = str(getattr(moves[-1], "definition", definition))
                    break
            return self.context.diagram(tx, definition)

    def live_counts(self) -> dict[str, tuple[int, int]]:
        """(running cases, those of them stopped by an incident) of each process that has any."""
        with self.database.read() as tx:
            return case_signatures.live_counts(tx)

    def counts(self) -> dict[str, dict[str, int]]:
        """For monitoring: instances by status, jobs waiting and parked, open tasks."""
        with self.database.read() as tx:
            tasks = task_counts.open_tasks(tx)
            return {"instances": instance_rows.counts(tx), "jobs": job_rows.counts(tx), "tasks": {"open": tasks}}
