"""Moves running cases to another version of their process, and checks beforehand whether that is possible.

A migration is a command like any other: one step in the history of the case, with actor, reason and element mapping.
How a state is moved: `bpmn.token_migration`; many cases at once: `cases.batch_operations`; the reasons: decisions/0014.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..bpmn import Diagram, Moved, move, proposed_mapping, waiting_kinds
from ..context import Context
from ..core import events as e
from ..core.actor import SYSTEM, Actor
from ..core.canonical import check_input
from ..core.errors import CannotMigrate, Conflict, Corrupt, InvalidSubmission, NotAllowed
from ..core.state import place
from ..core.visible_text import trimmed
from ..forms import deployed_form
from ..store import Transaction, instance_rows, job_rows, task_draft_rows, task_rows, version_rows
from ..store import case_selection as chosen_cases
from .queries import Instance
from .step_writer import Case, StepWriter

#: Who may move cases.
MOVERS = frozenset({"analyst", "admin", "system"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """The outcome of trying to migrate one case: *problems* prevent it, *warnings* do not."""

    instance: str
    problems: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


class Migrations:
    """The command `migrate`, and the questions an analyst asks before it."""

    def __init__(self, context: Context, steps: StepWriter) -> None:
        self.context, self.database, self.steps = context, context.database, steps

    def proposed_mapping(self, process: str, source: int, target: int) -> dict[str, str]:
        """Map elements of version *source* to those of *target*: by the same id, else by the same name and kind."""
        with self.database.read() as tx:
            before, after = (version_rows.find(tx, process, number).hash for number in (source, target))
            return proposed_mapping(self.context.diagram(tx, before), self.context.diagram(tx, after))

    def places_in(self, process: str, source: int, target: Diagram) -> dict[str, str]:
        """Map elements of version *source* to those of a diagram that is not deployed, as `proposed_mapping` does."""
        with self.database.read() as tx:
            before = version_rows.find(tx, process, source).hash
            return proposed_mapping(self.context.diagram(tx, before), target)

    def waiting_kinds(self, process: str, number: int) -> dict[str, str]:
        """The elements of a version from and to which a case can be moved, with what it waits for there."""
        with self.database.read() as tx:
            return waiting_kinds(self.context.diagram(tx, version_rows.find(tx, process, number).hash))

    def live_versions(self, process: str) -> dict[int, int]:
        """How many running cases each version has, newest version first."""
        with self.database.read() as tx:
            return chosen_cases.live_versions(tx, process)

    def waiting_by_element(self, process: str, version: int) -> dict[str, int]:
        """How many running cases of a version wait at each element, for a person or a service."""
        with self.database.read() as tx:
            return chosen_cases.waiting_by_element(tx, process, version)

    def try_one(self, instance: str, version: int, mapping: Mapping[str, str] | None = None) -> Trial:
        """Try `migrate` without writing anything; raises `NotFound`."""
        with self.database.read() as tx:
            try:
                case = self.steps.case(tx, instance_rows.find(tx, instance), None)
                _, _, lost = self._move(tx, case, version, dict(mapping or {}), "", SYSTEM)
            except CannotMigrate as refusal:
                return Trial(instance=instance, problems=tuple(refusal.problems))
            except (Conflict, Corrupt) as refusal:
                return Trial(instance=instance, problems=(("", refusal.message),))
        warnings = tuple((element, _lost_input_message(fields)) for element, _, fields in lost)
        return Trial(instance=instance, warnings=warnings)

    def migrate(
        self,
        instance: str,
        version: int,
        mapping: Mapping[str, str] | None = None,
        *,
        actor: Actor,
        reason: str,
        revision: int | None = None,
    ) -> Instance:
        """
        Move a running case to another version of its process.

        Args:
            instance: The case.
            version: The version to run on.
            mapping: Element id to the id of the element that replaces it, where they differ.
            actor: An analyst or administrator.
            reason: Why; recorded in the step.
            revision: The revision the decision was made on; None skips that check.

        Raises:
            CannotMigrate: ``problems`` names each element that prevents it; nothing was changed.
            Conflict: Someone changed the case since *revision*, it has ended, or it runs on that version already.
            NotFound: No such case or version.
        """
        if actor.role not in MOVERS:
            raise NotAllowed("Only analysts and administrators move cases to another version.")
        reason = trimmed(reason)
        if not reason:
            raise InvalidSubmission("Say why.", fields={"reason": "Say why, in a few words."})
        check_input(reason, where="reason")
        try:
            with self.database.begin() as tx:
                return self.migrate_in(tx, instance, version, dict(mapping or {}), reason, actor, revision)
        except CannotMigrate as refusal:
            if isinstance(refusal.__cause__, Corrupt):
                self._unreadable(instance, refusal.__cause__, actor)
            raise

    def _unreadable(self, instance: str, fault: Corrupt, actor: Actor) -> None:
        """Raise an incident on a case whose state cannot be read: not only migration is impossible then."""
        with self.database.begin() as tx:
            case = self.steps.open(tx, instance, None)
            self.steps.write(tx, case, {"kind": "migrate"}, actor, fault)

    def migrate_in(
        self,
        tx: Transaction,
        instance: str,
        version: int,
        mapping: dict[str, str],
        reason: str,
        actor: Actor,
        revision: int | None,
    ) -> Instance:
        case = self.steps.open(tx, instance, revision)
        moved, target, lost = self._move(tx, case, version, mapping, reason, actor)
        self._move_jobs(tx, case, moved)
        migrated = moved.events[0]
        if not isinstance(migrated, e.InstanceMigrated):
            raise TypeError
        case.row.version, case.row.definition = version, migrated.definition
        case.diagram, case.workflow = target, moved.workflow
        after = self.steps.write(tx, case, {"kind": "migrate"}, actor, moved.events)
        for element, visit, fields in lost:
            at = (instance, element, visit)
            for draft in task_draft_rows.of_task(tx, at).values():
                typed = {key: value for key, value in draft.typed.items() if key not in fields}
                task_draft_rows.save(tx, at, replace(draft, typed=typed))
        return after

    def _move(
        self, tx: Transaction, case: Case, version: int, mapping: dict[str, str], reason: str, actor: Actor
    ) -> tuple[Moved, Diagram, list[tuple[str, int, set[str]]]]:
        """The case on the other version, that version's diagram, and the draft fields its forms no longer have."""
        found = version_rows.find(tx, case.row.process, version)
        if found.number == case.row.version:
            raise Conflict(f"The case runs on version {version} already.")
        target = self.context.diagram(tx, found.hash)
        used = {old: new for old, new in sorted(mapping.items()) if old != new}
        migrated = e.InstanceMigrated(case.row.version, version, found.hash, used, reason)
        step = self.steps.step_context(tx, case, actor)
        moved = move(case.diagram, target, step, case.workflow, case.state, migrated)
        return moved, target, self._lost_draft_fields(tx, case, moved, target)

    def _lost_draft_fields(
        self, tx: Transaction, case: Case, moved: Moved, target: Diagram
    ) -> list[tuple[str, int, set[str]]]:
        """For each open task, the fields with unsent input that its form no longer has."""
        opened = {(one.element, one.visit): one.form for one in moved.events if isinstance(one, e.UserTaskOpened)}
        lost = []
        drafts = task_draft_rows.of_case(tx, case.row.id)
        for task in task_rows.of_instances(tx, [case.row.id]).get(case.row.id, ()) if drafts else ():
            typed = {key for one in drafts.get(place(task.element, task.visit), ()) for key in one.typed}
            element, _, visit = moved.place_of(task.element, task.visit).rpartition(":")
            form = opened.get((element, int(visit)))
            if not typed or form is None:
                continue
            known = {field.key for field in deployed_form(target.package.text(form)).fields} if form else set()
            if gone := typed - known:
                lost.append((element, int(visit), gone))
        return lost

    def _move_jobs(self, tx: Transaction, case: Case, moved: Moved) -> None:
        """Move jobs along with the visits they belong to; a job that was tried already cannot get another key."""
        for here in case.state.requests:
            element, _, visit = here.rpartition(":")
            there = moved.place_of(element, int(visit))
            if there == here:
                continue
            goal, _, number = there.rpartition(":")
            if not job_rows.move(tx, case.row.id, (element, int(visit)), (goal, int(number))):
                reason = "Its service is being asked or was tried already; it must keep its element until that is done."
                raise CannotMigrate(problems=[(element, reason)])


def _lost_input_message(fields: set[str]) -> str:
    return f"What was typed there and not sent is lost for: {', '.join(sorted(fields))}."
