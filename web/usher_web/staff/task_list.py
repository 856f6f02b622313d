"""The list side of the inbox: a page of the open tasks a person sees, how many there are, and what can be chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby

from flask import url_for
from usher_engine import Actor, UserTask
from usher_engine.cases import TaskCounts, TaskFilter, TaskOrder, cursor_of, stored_time

from ..casework.patient_labels import Subject, subjects
from ..site import site
from ..words.presentation import Due, due_group, due_words
from .list_choices import Choices, choices_of
from .list_query import PAGE, ListQuery, View
from .mention_list import MentionRow, mention_list
from .stopped_cases import StoppedCase, stopped_cases
from .view_pages import SavedView, saved_views

MISSING = re.compile(r" (?:is|are) (missing)\.$")

#: A task has this priority unless its diagram says otherwise.
USUAL_PRIORITY = 50

#: A text that fits more patients than this is too short to filter by.
MOST_PATIENTS = 200
CASE_NUMBER = re.compile(r"[0-9A-Z]{12}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One task of the list: all that `inbox_row.html` shows."""

    task: UserTask
    patient: Subject | None
    #: What the case is about: the patient's name, else its business key.
    about: str
    headline: str
    due: str
    late: bool
    #: "you", or who has claimed it; empty when it is free.
    owner: str
    #: Whether the reader stands in for the owner.
    stands_in: bool = False
    #: "high" or "low"; empty for the usual one.
    priority: str = ""
    #: The day on which it comes back, if someone put it off.
    back: str = ""
    process: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Rows under one heading; without a heading where the order is not by due date."""

    due: Due | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Worklist:
    """
    A page of a list. *matching* is how many tasks the whole list has, *of* how many its view has without filters.

    *notes* say what of the filters could not be applied.
    """

    query: ListQuery
    groups: tuple[Group, ...]
    counts: TaskCounts
    matching: int | None
    of: int
    choices: Choices
    before_url: str = ""
    next_url: str = ""
    notes: tuple[str, ...] = ()
    tasks: tuple[UserTask, ...] = field(default=())
    #: The cases that have stopped, above the tasks of the first page of all; and how many there are.
    stopped: tuple[StoppedCase, ...] = ()
    stopped_count: int = 0
    #: The comments that mention the reader, above all of it, until they are opened.
    mentions: tuple[MentionRow, ...] = ()

    @property
    def first(self) -> UserTask | None:
        """The first task that the reader can work on: one that nobody else has claimed."""
        rows = (row for group in self.groups for row in group.rows)
        return next((row.task for row in rows if row.owner in ("", "you") or row.stands_in), None)

    @property
    def can_be_saved(self) -> bool:
        """Whether this list differs from the view that is open, and names no patient."""
        asked, view = self.query.query(whole=False), self.choices.view
        usual = view.query.query(whole=False) if view else ListQuery(view=self.query.view).query(whole=False)
        return not self.query.text and asked != usual

    @property
    def shown(self) -> int:
        return sum(len(group.rows) for group in self.groups)


def worklist(actor: Actor, query: ListQuery, current: UserTask | None = None) -> Worklist:
    """The page of tasks that *query* asks for; if it does not show *current*, the page that begins with it."""
    inbox = site().engine.inbox
    views = saved_views() if current is None or query.saved else []  # beside an open task there is no room for them
    query = _opened(query, views)
    notes = [*query.gone, *_foreign(actor, query)]
    base = filter_of(actor, replace(query, text=""))
    wanted = with_text(base, query.text, notes)
    if wanted is None:
        found: list[UserTask] = []
    else:
        found = inbox.page(actor, wanted, query.page())
        if current is not None and not _shows(found, current) and not (query.after or query.before):
            query = replace(query, after=cursor_of(current, query.sort))
            at = replace(query.page(), at=query.after, after="")
            found = inbox.page(actor, wanted, at)
    shown = found[1:] if query.before and len(found) > PAGE else found[:PAGE]
    matching = inbox.count(actor, wanted) if wanted is not None else None
    plain = query.plain
    stopped_count = site().engine.search.count_stopped(actor)
    at_top = query.view == View.ALL and not (query.is_filtered or query.after or query.before)
    return Worklist(
        query=query,
        groups=_groups(shown, actor, query.sort),
        counts=inbox.count_each(actor),
        matching=matching,
        of=inbox.count(actor, filter_of(actor, plain)) if query.is_filtered else matching or 0,
        choices=choices_of(actor, query, views),
        before_url=_before(query, shown, more=len(found) > PAGE),
        next_url=_next(query, shown, more=len(found) > PAGE),
        notes=tuple(notes),
        tasks=tuple(shown),
        stopped=stopped_cases(actor, beside=[task.business_key for task in shown]) if stopped_count and at_top else (),
        stopped_count=stopped_count,
        mentions=mention_list(current.instance if current else ""),
    )


def _opened(query: ListQuery, views: Sequence[SavedView]) -> ListQuery:
    """The saved view that an address names without saying what it shows; any other *query* as it is."""
    bare = replace(query, saved="", after="", before="") == ListQuery()
    view = next((one for one in views if str(one.id) == query.saved), None)
    if view is None:
        return replace(query, saved="")
    return replace(view.query, after=query.after, before=query.before) if bare else query


def _foreign(actor: Actor, query: ListQuery) -> list[str]:
    """Groups and people the list is about that are not, or no longer, the reader's."""
    asked = dict.fromkeys([*query.groups, *([query.group_view] if query.group_view else [])])
    foreign = (group for group in asked if group not in actor.groups)
    notes = [f"You are not in the group “{group}” (any more): its tasks are not shown." for group in foreign]
    away = query.stand_in_view
    if away and away not in {one.person for one in actor.stands_in}:
        notes.append(f"You do not stand in for {away} (any more): only tasks of your own groups are shown.")
    return notes


def _shows(tasks: Sequence[UserTask], current: UserTask) -> bool:
    return any(task.id == current.id for task in tasks[:PAGE])


def filter_of(actor: Actor, query: ListQuery) -> TaskFilter:
    """What *query* asks of tasks, now, for *actor*; without its text."""
    here = site()
    return query.task_filter(actor, stored_time(here.now()), here.today(), here.settings.calendar)


def with_text(wanted: TaskFilter, text: str, notes: list[str]) -> TaskFilter | None:
    """*wanted* for the patients or the case that *text* names; None, and a note, if it names too many."""
    if not text:
        return wanted
    plain = text.replace("-", "").replace(" ", "").upper()
    if CASE_NUMBER.fullmatch(plain):
        return replace(wanted, instance=plain)
    patients = site().enrollment.patients(text, limit=MOST_PATIENTS + 1)
    if len(patients) > MOST_PATIENTS:
        notes.append(f"More than {MOST_PATIENTS} patients match “{text}”. Type more of the name.")
        return None
    return replace(wanted, about=frozenset({text, *(record.id for record in patients)}))


def _before(query: ListQuery, shown: Sequence[UserTask], *, more: bool) -> str:
    if not shown or not (query.after or (query.before and more)):
        return ""
    return address(replace(query, after="", before=cursor_of(shown[0], query.sort)))


def _next(query: ListQuery, shown: Sequence[UserTask], *, more: bool) -> str:
    if not shown or not (more or query.before):
        return ""
    return address(replace(query, before="", after=cursor_of(shown[-1], query.sort)))


def address(query: ListQuery) -> str:
    """The address of the list."""
    asked = query.query()
    return f"{url_for('inbox.show')}{'?' if asked else ''}{asked}"


def rows_of(tasks: Sequence[UserTask], actor: Actor) -> tuple[Row, ...]:
    """*tasks* as rows; their patients are read at once."""
    patients = subjects(task.business_key for task in tasks)
    return tuple(row_of(task, patients.get(task.business_key), actor) for task in tasks)


def _groups(tasks: Sequence[UserTask], actor: Actor, order: TaskOrder) -> tuple[Group, ...]:
    now, calendar = site().now(), site().settings.calendar
    rows = rows_of(tasks, actor)
    if order is not TaskOrder.DUE:
        return (Group(due=None, rows=rows),) if rows else ()
    by_due = groupby(rows, lambda row: due_group(row.task.due, now, calendar))
    return tuple(Group(due=due, rows=tuple(found)) for due, found in by_due)


def row_of(task: UserTask, patient: Subject | None, actor: Actor) -> Row:
    """One task as *actor* sees it."""
    now, calendar = site().now(), site().settings.calendar
    return Row(
        task=task,
        patient=patient,
        about=patient.name if patient else task.business_key,
        headline=in_short(task.message),
        due=due_words(task.due, now, calendar),
        late=due_group(task.due, now, calendar) is Due.OVERDUE,
        owner="you" if task.assignee == actor.name else task.assignee,
        stands_in=actor.stands_in_for(task.assignee, task.groups),
        priority=priority_words(task.priority),
        back=_day_words(task.until, now),
    )


def priority_words(priority: int) -> str:
    """ "high" or "low", and nothing for the usual one."""
    return "high" if priority > USUAL_PRIORITY else "low" if priority < USUAL_PRIORITY else ""


def _day_words(until: str, now: datetime) -> str:
    calendar = site().settings.calendar
    try:
        day = date.fromisoformat(until) if until else None
    except ValueError:
        return until
    return f"{day.day} {day:%B}" if day and day > calendar.day_of(now) else ""


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
