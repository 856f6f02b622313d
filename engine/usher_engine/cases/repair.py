"""Repairs a case that cannot continue from its stored state: rebuilds that state from the history, as a step.

The history is the truth; the state is a copy of it for speed. The step records what was found, opened and closed, so
that verify can re-execute it like any other (`reexecution.repair_plan`, decisions/0020).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from ..audit.audit_log import AuditLog
from ..bpmn import Diagram, Run, require_standing, tokens
from ..context import Context
from ..core.actor import SYSTEM, Actor
from ..core.errors import Conflict, Corrupt, EngineError, NotAllowed, NotFound
from ..reexecution import Repair, initial_version, plan_repair, read_chain
from ..store import Row, Transaction, instance_rows, job_rows, stored_cases
from .queries import CaseQueries, Instance
from .step_writer import FAILURES, Case, StepWriter

#: Who may repair cases.
REPAIRERS = frozenset({"admin", "system"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Repaired:
    """
    What a repair found, and the case after it (after a dry run: the case before it).

    *parted* is the first step whose recorded path differs from the diagram's, 0 for none; *opened* and *closed* are
    the elements that the repair enters and leaves.
    """

    instance: Instance
    parted: int
    opened: tuple[str, ...]
    closed: tuple[str, ...]


class Repairs:
    """The command `repair`."""

    def __init__(self, context: Context, queries: CaseQueries, steps: StepWriter, audit: AuditLog) -> None:
        self.context, self.database = context, context.database
        self.queries, self.steps, self.audit = queries, steps, audit

    def repair(self, instance: str, *, actor: Actor, dry_run: bool = False, revision: int | None = None) -> Repaired:
        """
        Rebuild the stored state of a case from its history, and continue from there.

        The repair closes the incidents and retries the jobs parked behind them or waiting for another attempt. Where
        history and diagram differ, elements on the diagram's path that were not recorded are entered now, and open
        elements off that path are closed.

        Args:
            instance: The case.
            actor: An administrator.
            dry_run: Only report what would happen; write nothing.
            revision: The revision the decision was made on; None skips that check.

        Raises:
            Corrupt: It cannot be repaired; the message names the place and the reason.
            Conflict: There is nothing to repair, the case has ended, or someone changed it since *revision*.
            NotAllowed: *actor* is not an administrator.
            NotFound: No such case.
        """
        if actor.role not in REPAIRERS:
            raise NotAllowed("Only administrators repair cases.")
        with self.database.begin() as tx:
            case = self.steps.open(tx, instance, revision, to_end=True)
            before = self.queries.as_instances(tx, [case.row])[0]
            trying = tx.begin_nested()
            made = self._rebuild(tx, case, actor, lost=_is_lost(self.context.seal_key, case.row))
            if dry_run:
                trying.rollback()
                return _repair_report(before, made)
            trying.commit()
            case.state, case.workflow, case.diagram = made.before, made.workflow, made.diagram
            job_rows.requeue(tx, instance, case.now, failed=True)
            details = {"process": case.row.process, "version": case.row.version, "parted": made.repaired.parted}
            key = case.row.business_key
            self.audit.record("CaseRepaired", details, actor=actor, subject=instance, business_key=key, transaction=tx)
            return _repair_report(self.steps.write(tx, case, {"kind": "repair"}, actor, list(made.events)), made)

    def look_at_silent_cases(self) -> list[Instance]:
        """
        Continue every live case that has nothing open at all, or raise an incident on it; return the cases changed.

        No command of this version leaves a case like that; an earlier version did, and reported nothing.
        """
        with self.database.read() as tx:
            silent = instance_rows.live_without_tasks_or_jobs(tx)
        continued = (self._continue_silent_case(number) for number in silent)
        return [case for case in continued if case is not None]

    def _continue_silent_case(self, instance: str, failure: EngineError | None = None) -> Instance | None:
        try:
            with self.database.begin() as tx:
                case = self.steps.open(tx, instance, None)
                if case.state.pending or case.state.incidents or case.workflow is None:
                    return None
                ran: Run | EngineError = failure or self.steps.resume(tx, case, [], SYSTEM)
                if isinstance(ran, Run):
                    ran.go_on()
                    if not ran.events:
                        return None
                return self.steps.write(tx, case, {"kind": "retry"}, SYSTEM, ran)
        except (Conflict, NotFound):  # it moved meanwhile
            return None
        except FAILURES as fault:
            return self._continue_silent_case(instance, fault) if failure is None else None

    def _rebuild(self, tx: Transaction, case: Case, actor: Actor, *, lost: bool) -> Repair:
        """
        Rebuild the case from its history; *lost* means that the stored state cannot be read.

        First, each step runs by the rules of its own time. If the result equals the stored state or cannot continue,
        those rules were at fault, and all steps run by today's rules.
        """
        steps, findings = read_chain(stored_cases.one(tx, case.row.id))
        if findings:
            way_out = "It cannot be repaired from such a history. Keep the database as it is, and run “usher verify”."
            raise Corrupt(f"{findings[0].message} {way_out}")
        versions = partial(self._version, tx)
        first = versions(*initial_version(case.row, steps))
        if isinstance(first, str):
            raise Corrupt(first)
        step = self.steps.step_context(tx, case, actor)
        with suppress(Corrupt), tx.begin_nested():
            made = plan_repair(steps, first, versions, step, None)
            if lost or not _rests_at_same_places(case, made):
                return made
        made = plan_repair(steps, first, versions, step, step.rules)
        if not lost and _rests_at_same_places(case, made):
            raise Conflict("The stored state of this case fits its history; there is nothing to repair.")
        return made

    def _version(self, tx: Transaction, _number: int, definition: str) -> Diagram | str:
        try:
            return self.context.diagram(tx, definition)
        except EngineError as error:
            return error.message


def _is_lost(key: bytes, row: Row) -> bool:
    """Whether the stored state cannot even be read."""
    try:
        instance_rows.unseal(key, row)
    except Corrupt:
        return True
    return False


def _rests_at_same_places(case: Case, made: Repair) -> bool:
    """Whether the tokens rest at the same places in the history and in the stored state."""
    if case.workflow is None or made.workflow is None:
        return case.workflow is made.workflow  # it has not started to run
    if not made.changes_nothing:
        return False
    try:
        require_standing(case.workflow, case.diagram, case.state)
        return tokens(case.workflow, case.diagram) == tokens(made.workflow, made.diagram)
    except Corrupt:
        return False


def _repair_report(instance: Instance, made: Repair) -> Repaired:
    opened, closed = (
        tuple(dict.fromkeys(here.rpartition(":")[0] for here in places))
        for places in (made.repaired.opened, made.repaired.closed)
    )
    return Repaired(instance=instance, parted=made.repaired.parted, opened=opened, closed=closed)
