"""What people arrange at the desk about open tasks: who does one, when it is due, when it comes back to the inbox.

Each is a step of the case like any other command, so that its history says who arranged what. Nothing moves in the
diagram (decisions/0043).
"""

from __future__ import annotations

from datetime import date

from ..context import Context
from ..core import events as e
from ..core.actor import Actor
from ..core.canonical import check_input
from ..core.errors import Conflict, InvalidSubmission, NotAllowed, NotFound
from ..core.visible_text import trimmed
from ..store import Transaction, UserTask, instance_rows, task_rows, to_text
from .queries import Instance
from .step_writer import Case, StepWriter
from .task_queries import TaskQueries, is_theirs, on_behalf, task_place

#: The longest note.
MAX_NOTE = 500
#: Tasks are put off, and dates are set, at most so many days ahead.
MOST_DAYS = 732


class DeskCommands:
    """Assigns tasks, sets their due dates, and puts them off."""

    def __init__(self, context: Context, tasks: TaskQueries, steps: StepWriter) -> None:
        self.context, self.database, self.clock = context, context.database, context.clock
        self.tasks, self.steps = tasks, steps

    def leads(self, actor: Actor, task: UserTask) -> bool:
        """Whether *actor* may arrange *task* though somebody else has claimed it: a lead who sees it, or Usher."""
        return actor.role == "system" or (self.context.settings.leads_group in actor.groups and is_theirs(actor, task))

    def assign(self, task: str, to: Actor, *, actor: Actor, note: str = "", revision: int | None = None) -> Instance:
        """
        Give an open task to *to*: one that is free or *actor*'s own, as a lead or substitute also somebody else's.

        Raises:
            NotFound: There is no such task for *actor*.
            NotAllowed: Somebody else has claimed it, and *actor* does not lead.
            InvalidSubmission: *to* could not see the task, or has it already.
            Conflict: It is no longer open, or the case has moved on since *revision*.
        """
        with self.database.begin() as tx:
            case, found, acting = self._open(tx, task, actor, revision, as_substitute=True)
            if to.role != "staff" or not is_theirs(to, found):
                groups = " or ".join(found.groups)
                raise _refusal("to", f"{to.name} could not see it: only {groups or 'staff'} can do this task.")
            if found.assignee == to.name:
                raise _refusal("to", f"{to.name} has this task already.")
            event = e.UserTaskAssigned(found.element, found.visit, to.name, _checked_note(note))
            return self.steps.write(tx, case, {"kind": "assign"}, acting, [event])

    def free(self, task: str, *, actor: Actor) -> Instance:
        """Give a claimed task back to its group, whosever `assign` could give away; raises like that."""
        with self.database.begin() as tx:
            case, found, acting = self._open(tx, task, actor, None, as_substitute=True)
            if not found.assignee:
                raise Conflict("Nobody has claimed this task.")
            return self.steps.write(
                tx, case, {"kind": "release"}, acting, [e.UserTaskReleased(found.element, found.visit)]
            )

    def set_due(
        self, task: str, day: date | None, *, actor: Actor, note: str = "", revision: int | None = None
    ) -> Instance:
        """Make *day* of the practice the last one for a task; None: it has no due date. Raises like `assign`."""
        with self.database.begin() as tx:
            case, found, _ = self._open(tx, task, actor, revision)
            if day is not None:
                self._check_day(day, "day", first=self._today())
            due = to_text(self.context.settings.calendar.end_of(day)) if day else ""
            event = e.UserTaskDueSet(
                found.element, found.visit, due, day.isoformat() if day else "", _checked_note(note)
            )
            return self.steps.write(tx, case, {"kind": "set_due"}, actor, [event])

    def put_off(
        self, task: str, until: date | None, *, actor: Actor, note: str = "", revision: int | None = None
    ) -> Instance:
        """Take a task out of the inbox until that day of the practice; None brings it back. Raises like `assign`."""
        with self.database.begin() as tx:
            case, found, _ = self._open(tx, task, actor, revision)
            if until is None and not found.until:
                raise Conflict("This task is in the inbox already.")
            if until is not None:
                self._check_day(until, "until", first=date.fromordinal(self._today().toordinal() + 1))
            day = until.isoformat() if until else ""
            event = e.UserTaskPutOff(found.element, found.visit, day, _checked_note(note))
            return self.steps.write(tx, case, {"kind": "put_off"}, actor, [event])

    def _open(
        self, tx: Transaction, task: str, actor: Actor, revision: int | None, *, as_substitute: bool = False
    ) -> tuple[Case, UserTask, Actor]:
        """Lock and return the case of an open task that *actor* may arrange, and who acts for whom."""
        if actor.role not in ("staff", "system"):
            raise NotAllowed("Only staff may work on tasks.")
        instance, element, visit = task_place(task)
        row = instance_rows.lock(tx, instance)
        found = task_rows.find(tx, instance, element, visit)
        if found is None:
            raise self.tasks.why_closed(tx, instance, element, visit)
        acting = on_behalf(tx, actor, found, self._today())
        if acting is None and not is_theirs(actor, found):
            raise NotFound("There is no such task.")
        if found.assignee not in ("", actor.name) and not (acting and as_substitute) and not self.leads(actor, found):
            raise NotAllowed(f"{found.assignee} has claimed this task.")
        return self.steps.case(tx, row, revision), found, acting if acting and as_substitute else actor

    def _today(self) -> date:
        return self.context.settings.calendar.day_of(self.clock())

    def _check_day(self, day: date, field: str, *, first: date) -> None:
        if not first <= day <= date.fromordinal(self._today().toordinal() + MOST_DAYS):
            raise _refusal(field, f"Choose a day from {first.day} {first:%B %Y} on, at most two years ahead.")


def _checked_note(note: str) -> str:
    note = trimmed(note)
    if len(note) > MAX_NOTE:
        raise _refusal("note", f"A note has at most {MAX_NOTE} characters.")
    check_input(note, where="note")
    return note


def _refusal(field: str, reason: str) -> InvalidSubmission:
    return InvalidSubmission(reason, fields={field: reason})
