"""Backtests and migrations of many cases in the background: a worker does a portion, reports it, and takes the next.

Portions are small, so that mails and timers never wait long. After an interruption the run continues: a backtest
stores each portion with the place it reached, a migration stores the outcome of a case with the step that moved it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ..audit.audit_log import AuditLog
from ..authoring.backtest import MOMENT, Backtests
from ..context import Context
from ..core.actor import Actor
from ..core.canonical import Json
from ..core.errors import CannotMigrate, Conflict, EngineError, InvalidSubmission, NotAllowed, NotFound, Unavailable
from ..core.visible_text import trimmed
from ..definitions import Package
from ..reexecution import Kind
from ..store import Transaction, to_text, version_rows
from ..store import batch_rows as batches
from ..store import case_selection as chosen_cases
from ..store.batch_rows import Batch, BatchCase, BatchKind, BatchStatus
from ..store.case_selection import CaseSelection, count, fix_membership, numbers
from .backtest_tally import Tally, stored_case
from .instance_migration import MOVERS, Migrations
from .step_writer import ALPHABET
from .task_runs import TaskRuns

#: Cases in a portion.
PORTION = {BatchKind.BACKTEST: 50, BatchKind.TRIAL: 25, BatchKind.MIGRATION: 10}
#: How many times a portion may be started without being reported.
MAX_TRIES = 5


class BatchOperations:
    """Creates runs over many cases, works on them, and reports their progress."""

    def __init__(
        self, context: Context, backtests: Backtests, migrations: Migrations, task_runs: TaskRuns, audit: AuditLog
    ) -> None:
        self.context, self.database, self.clock = context, context.database, context.clock
        self.backtests, self.migrations, self.task_runs, self.audit = backtests, migrations, task_runs, audit

    def ask_backtest(
        self, package: Package, chosen: CaseSelection, *, label: str, actor: Actor, assume: Sequence[Json] = ()
    ) -> Batch:
        """
        Run the *chosen* cases again on *package* in the background; *label* describes the package.

        *assume* are the assumptions where the record has no answer, as `Assumption.to_json` writes them.

        Raises:
            InvalidDefinition: The gate found errors, or the package holds another process.
            InvalidSubmission: An assumption cannot be.
        """
        _require_mover(actor)
        assumed = [one.to_json() for one in self.backtests.assumptions(list(assume), package)]
        self.backtests.require_fit(package, chosen.process)
        with self.database.begin() as tx:
            version_rows.store_package(tx, package)
            recorded = chosen_cases.most_used(tx, chosen)
            request: dict[str, Any] = {"label": label} | ({"recorded": recorded} if recorded else {})
            request |= {"assume": assumed} if assumed else {}
            return self._ask(tx, BatchKind.BACKTEST, package.hash, chosen, request, actor)

    def ask_again(self, batch: str, assume: Sequence[Json], *, actor: Actor) -> Batch:
        """Run a backtest again, on the same package and the same selection, with the assumptions *assume*."""
        found = self.find(batch)
        if found.kind is not BatchKind.BACKTEST:
            raise NotFound("There is no such run.")
        with self.database.read() as tx:
            package = version_rows.content(tx, found.package)
        chosen = CaseSelection.from_json(found.details["chosen"])
        return self.ask_backtest(package, chosen, label=found.details["label"], actor=actor, assume=assume)

    def ask_migration(
        self,
        version: int,
        chosen: CaseSelection,
        mapping: Mapping[str, str],
        *,
        reason: str,
        actor: Actor,
        trial: bool = False,
    ) -> Batch:
        """Move the *chosen* cases to *version* in the background; with *trial* only find out which could be moved."""
        _require_mover(actor)
        reason = trimmed(reason)
        if not reason and not trial:
            raise InvalidSubmission("Say why.", fields={"reason": "Say why, in a few words."})
        kind = BatchKind.TRIAL if trial else BatchKind.MIGRATION
        with self.database.begin() as tx:
            found = version_rows.find(tx, chosen.process, version)
            request = {"version": version, "mapping": dict(mapping), "reason": reason, "role": actor.role}
            return self._ask(tx, kind, found.hash, chosen, request, actor)

    def _ask(
        self,
        tx: Transaction,
        kind: BatchKind,
        package: str,
        chosen: CaseSelection,
        request: dict[str, Any],
        actor: Actor,
    ) -> Batch:
        now = self.clock()
        fixed = fix_membership(tx, chosen, to_text(now + MOMENT))
        batch = Batch(
            id="".join(secrets.choice(ALPHABET) for _ in range(12)),
            kind=kind,
            process=chosen.process,
            package=package,
            asked_at=now,
            asked_by=actor.name,
            status=BatchStatus.OPEN,
            total=count(tx, fixed),
            done=0,
            details={**request, "chosen": fixed.to_json()},
        )
        batches.create(tx, batch)
        details = {"run": batch.id, "kind": kind.value, "cases": batch.total, "package": package}
        self.audit.record("RunStarted", details, actor=actor, subject=chosen.process, transaction=tx)
        return batch

    def cancel(self, batch: str, *, actor: Actor) -> Batch:
        """Stop a run and keep what it did so far; raises `Conflict` when it has ended."""
        _require_mover(actor)
        with self.database.begin() as tx:
            found = batches.find(tx, batch)
            if not batches.end(tx, found, BatchStatus.CANCELLED, self.clock()):
                raise Conflict("This run has ended already.")
            details = {"run": batch, "done": found.done, "of": found.total}
            self.audit.record("RunStopped", details, actor=actor, subject=found.process, transaction=tx)
            return batches.find(tx, batch)

    def find(self, batch: str) -> Batch:
        """One run; raises `NotFound`."""
        with self.database.read() as tx:
            return batches.find(tx, batch)

    def recent(self, process: str, *kinds: BatchKind, limit: int = 20) -> list[Batch]:
        """Runs of a process, newest first."""
        with self.database.read() as tx:
            return batches.recent(tx, process, kinds or tuple(BatchKind), limit)

    def cases(
        self, batch: str, *, outcome: str | None = None, part: str | None = None, after: str = "", limit: int = 100
    ) -> list[BatchCase]:
        """The outcomes of the cases of a run, by number; a backtest stores only cases that take another path."""
        with self.database.read() as tx:
            return batches.cases(tx, batch, outcome=outcome, part=part, after=after, limit=limit)

    def case(self, batch: str, instance: str) -> BatchCase:
        """One case of a run; raises `NotFound`."""
        with self.database.read() as tx:
            return batches.case(tx, batch, instance)

    def reasons(self, batch: str) -> list[tuple[str, dict[str, Any], int]]:
        """Reasons why cases cannot be moved and warnings about those that can, each with how many cases it concerns."""
        with self.database.read() as tx:
            return batches.reasons(tx, batch)

    # the worker's side

    def work(self, batch: str | None = None) -> bool:
        """Do the next portion of *batch*, or of the run that has waited longest; return False when there was none."""
        now = self.clock()
        with self.database.read() as tx:
            wanted = batch or batches.due(tx, now)
        if wanted is None:
            return False
        lease_until = now + timedelta(seconds=self.context.settings.job_lease_s)
        with self.database.begin() as tx:
            taken = batches.take(tx, wanted, now, lease_until)
        if taken is None:
            return False
        try:
            if taken.tries > MAX_TRIES:
                raise Conflict("The worker stopped in the middle of every try.")
            if taken.kind is BatchKind.BACKTEST:
                self._backtest_portion(taken)
            elif taken.kind is BatchKind.TASKS:
                self.task_runs.portion(taken)
            else:
                self._migration_portion(taken)
        except Unavailable:
            raise
        except EngineError as error:
            with self.database.begin() as tx:
                batches.end(tx, taken, BatchStatus.FAILED, self.clock(), error.message)
        return True

    def _backtest_portion(self, batch: Batch) -> None:
        chosen, size = CaseSelection.from_json(batch.details["chosen"]), PORTION[batch.kind]
        with self.database.read() as tx:
            ids = numbers(tx, chosen, after=batch.cursor, at_most=size)
            assumed = batch.details.get("assume", [])
            compared = self.backtests.portion(tx, batch.package, chosen, ids, now=batch.asked_at, assumed=assumed)
        tally = Tally(batch.tally)
        for one in compared:
            tally.add(one)
        with self.database.begin() as tx:
            cursor, done = (ids or [batch.cursor])[-1], batch.done + len(ids)
            if batches.advance(tx, batch, cursor=cursor, done=done, tally=tally.counted, now=self.clock()):
                batches.add_cases(tx, batch.id, (stored_case(one) for one in compared if one.kind is not Kind.SAME))
                self._end_after(tx, batch, ids, size)

    def _migration_portion(self, batch: Batch) -> None:
        chosen, size = CaseSelection.from_json(batch.details["chosen"]), PORTION[batch.kind]
        with self.database.read() as tx:
            ids = numbers(tx, chosen, after=batch.cursor, at_most=size)
        for instance in ids:
            self._migrate_one(batch, instance)
        with self.database.begin() as tx:
            came = batches.counts(tx, batch.id)
            cursor, done = (ids or [batch.cursor])[-1], sum(came.values())
            if batches.advance(tx, batch, cursor=cursor, done=done, tally=came, now=self.clock()):
                self._end_after(tx, batch, ids, size)

    def _end_after(self, tx: Transaction, batch: Batch, ids: list[str], size: int) -> None:
        if len(ids) < size:
            batches.end(tx, batch, BatchStatus.DONE, self.clock())

    def _migrate_one(self, batch: Batch, instance: str) -> None:
        """Move one case or try to, and store its outcome in the same transaction."""
        version, mapping = int(batch.details["version"]), dict(batch.details["mapping"])
        actor = Actor(name=batch.asked_by, role=batch.details["role"])
        try:
            if batch.kind is BatchKind.TRIAL:
                outcome = _trial_case(instance, self.migrations.try_one(instance, version, mapping))
                with self.database.begin() as tx:
                    self._note_case(tx, batch, outcome)
                return
            with self.database.begin() as tx:
                if not batches.has_case(tx, batch.id, instance):
                    self.migrations.migrate_in(tx, instance, version, mapping, batch.details["reason"], actor, None)
                    self._note_case(tx, batch, BatchCase(instance=instance, outcome="moved"))
        except CannotMigrate as refusal:
            self._note_refused(batch, instance, list(refusal.problems))
        except Unavailable:
            raise
        except EngineError as refusal:
            self._note_refused(batch, instance, [("", refusal.message)])

    def _note_refused(self, batch: Batch, instance: str, problems: list[tuple[str, str]]) -> None:
        with self.database.begin() as tx:
            self._note_case(tx, batch, _refused_case(instance, problems))

    def _note_case(self, tx: Transaction, batch: Batch, outcome: BatchCase) -> None:
        if not batches.has_case(tx, batch.id, outcome.instance):
            batches.add_cases(tx, batch.id, [outcome])


def _trial_case(instance: str, trial: Any) -> BatchCase:
    if trial.problems:
        return _refused_case(instance, list(trial.problems))
    warnings = [list(warning) for warning in trial.warnings]
    return BatchCase(instance=instance, outcome="fits", details={"warnings": warnings} if warnings else {})


def _refused_case(instance: str, problems: list[tuple[str, str]]) -> BatchCase:
    details = {"problems": [list(problem) for problem in problems]}
    return BatchCase(instance=instance, outcome="refused", element=problems[0][0] if problems else "", details=details)


def _require_mover(actor: Actor) -> None:
    if actor.role not in MOVERS:
        raise NotAllowed("Only analysts and administrators do this.")
