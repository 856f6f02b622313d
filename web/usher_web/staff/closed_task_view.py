"""A task its person cannot go on with: who was faster, or that it was themselves; what each of them filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import usher_engine
from flask import render_template
from usher_engine import Actor, UserTask
from usher_engine.cases import ClosedTask
from usher_engine.forms import Form, deployed_form

from .. import auth
from ..site import site
from ..words.presentation import long_day
from .field_names import PREFIX
from .list_query import ListQuery
from .onward import next_task
from .typed_over_record import Difference, differences, in_words


@dataclass(frozen=True, kw_only=True, slots=True)
class ClosedPage:
    """
    The values of the page. *answer* is what the person asking answered themselves, in words, by label; *rows* is what
    they typed otherwise than the one who was faster, *same* the number of fields that are equal in both.
    Where nobody answered, as when the task was cancelled, there is nothing to compare with.
    """

    instance: str
    task: str
    title: str
    message: str
    winner: str
    at: datetime | None
    own: bool
    completed: bool
    compared: bool
    answer: tuple[tuple[str, str], ...]
    rows: tuple[Difference, ...]
    same: int
    typed_at: datetime | None
    kept_until: str
    #: The fields of *rows* whose text may be put into the record, and what was wrong with those that were.
    correctable: frozenset[str] = frozenset()
    wrong: Mapping[str, str] = field(default_factory=dict)


def closed_page(
    task_id: str, actor: Actor, lost: usher_engine.EngineError, wrong: Mapping[str, str] | None = None
) -> ClosedPage:
    """The page about a task that is closed, or that another person has claimed (*lost* says which)."""
    drafts, inbox = site().engine.task_drafts, site().engine.inbox
    draft = drafts.find(task_id, actor)
    typed = draft.typed if draft else {}
    try:
        taken: UserTask | None = inbox.task(task_id, actor)
        closed = None
    except usher_engine.Conflict:
        taken, closed = None, drafts.closed(task_id, actor)
    form = _form(taken or closed)
    theirs = _theirs(form, taken, closed, typed)
    rows = differences(form, theirs, typed) if form else ()
    own = closed is not None and closed.by == actor.name
    return ClosedPage(
        instance=task_id.partition(":")[0],
        task=task_id,
        title=taken.title if taken else closed.title if closed else "",
        message=lost.message,
        winner=taken.assignee if taken else closed.by if closed else "",
        at=closed.at if closed else None,
        own=own,
        completed=closed is not None and closed.completed,
        compared=closed is None or closed.completed,
        answer=_answer(form, closed) if own else (),
        rows=rows,
        same=sum(f.key in typed for f in form.fields) - len(rows) if form else 0,
        typed_at=draft.at if draft else None,
        kept_until=_day(draft.at + drafts.kept_for) if draft and closed else "",
        correctable=site().enrollment.answer_corrections.correctable(closed) if rows and closed else frozenset(),
        wrong=wrong or {},
    )


def page_of_closed(shown: ClosedPage, query: ListQuery) -> str:
    """The page, with the way to the next task: never to the one just lost."""
    following = next_task(auth.actor(), query, besides=shown.task)
    return render_template("task_gone.html", closed=shown, following=following, name_prefix=PREFIX)


def _day(at: datetime) -> str:
    return long_day(site().settings.calendar.day_of(at))


def _form(task: UserTask | ClosedTask | None) -> Form | None:
    if task is None or not task.form:
        return None
    try:
        return deployed_form(site().engine.queries.package_of(task.instance).text(task.form))
    except usher_engine.EngineError:  # the case has moved to a version without this form
        return None


def _theirs(
    form: Form | None, taken: UserTask | None, closed: ClosedTask | None, typed: Mapping[str, Any]
) -> Mapping[str, Any]:
    """What stands: the answer of the one who completed it, else the record; without either nothing is compared."""
    if taken is not None:
        return taken.initial
    if closed is not None and closed.completed:
        return closed.answer
    return dict.fromkeys(typed) if form else {}


def _answer(form: Form | None, closed: ClosedTask | None) -> tuple[tuple[str, str], ...]:
    if form is None or closed is None:
        return ()
    found = ((one.label, in_words(one, closed.answer.get(one.key))) for one in form.fields)
    return tuple((label, words) for label, words in found if words)
