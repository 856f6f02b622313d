"""The list side of the inbox: which open tasks a person sees, grouped by the day they are due."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from flask import url_for
from usher_engine import Actor, UserTask

from ..casework.patient_labels import Subject, subjects
from ..site import site
from ..words.presentation import Due, due_group, due_words
from .stopped_cases import StoppedCase, stopped_cases

PAGE = 50

MISSING = re.compile(r" (?:is|are) (missing)\.$")


class View(StrEnum):
    """The tabs above the list."""

    ALL = "all"
    MINE = "mine"
    OVERDUE = "overdue"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    task: UserTask
    patient: Subject | None
    #: What the case is about: the patient's name, else its business key.
    about: str
    headline: str
    due: str
    late: bool
    #: "you", or who has claimed it; empty when it is free.
    owner: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    due: Due
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Worklist:
    view: View
    groups: tuple[Group, ...]
    counts: dict[View, int]
    next_url: str
    #: The cases that have stopped, above the tasks of the first page of all; and how many there are.
    stopped: tuple[StoppedCase, ...] = ()
    stopped_count: int = 0

    @property
    def first(self) -> UserTask | None:
        return self.groups[0].rows[0].task if self.groups else None


def worklist(actor: Actor, view: View, after: str | None = None) -> Worklist:
    """One page of the tasks *actor* sees under *view*; *after* is the ``sort_key`` of the last one seen."""
    engine = site().engine
    mine, overdue = view is View.MINE, view is View.OVERDUE
    tasks = engine.inbox.tasks(actor, mine=mine, overdue=overdue, limit=PAGE + 1, after=after)
    shown = tasks[:PAGE]
    more = url_for("inbox.show", view=view, after=shown[-1].sort_key) if len(tasks) > PAGE else ""
    found = engine.inbox.count_each(actor)
    stopped_count = engine.search.count_stopped(actor)
    shows_stopped = stopped_count > 0 and view is View.ALL and not after
    stopped = stopped_cases(actor, beside=[task.business_key for task in shown]) if shows_stopped else ()
    counts = {View.ALL: found.all + stopped_count, View.MINE: found.mine, View.OVERDUE: found.overdue}
    return Worklist(
        view=view,
        groups=_groups(shown, actor),
        counts=counts,
        next_url=more,
        stopped=stopped,
        stopped_count=stopped_count,
    )


def rows_of(tasks: Sequence[UserTask], actor: Actor) -> tuple[Row, ...]:
    """*tasks* as rows; their patients are read at once."""
    patients = subjects(task.business_key for task in tasks)
    return tuple(_row(task, patients.get(task.business_key), actor) for task in tasks)


def _groups(tasks: Sequence[UserTask], actor: Actor) -> tuple[Group, ...]:
    now, calendar = site().now(), site().settings.calendar
    by_due = groupby(rows_of(tasks, actor), lambda row: due_group(row.task.due, now, calendar))
    return tuple(Group(due=due, rows=tuple(found)) for due, found in by_due)


def _row(task: UserTask, patient: Subject | None, actor: Actor) -> Row:
    now, calendar = site().now(), site().settings.calendar
    return Row(
        task=task,
        patient=patient,
        about=patient.name if patient else task.business_key,
        headline=in_short(task.message),
        due=due_words(task.due, now, calendar),
        late=due_group(task.due, now, calendar) is Due.OVERDUE,
        owner="you" if task.assignee == actor.name else task.assignee,
    )


def headline(message: str) -> str:
    """The first line of a task's message: the situation."""
    return message.strip().split("\n")[0].strip()


def in_short(message: str) -> str:
    """The headline for a narrow row: of "It cannot be sent: e-mail is missing." only "e-mail missing"."""
    first = headline(message)
    sentence = first.partition(": ")[2] or first
    return MISSING.sub(r" \1", sentence)


def what_to_do(message: str) -> list[str]:
    """The rest of a task's message, in paragraphs."""
    rest = message.strip().split("\n")[1:]
    return [line.strip() for line in rest if line.strip()]
