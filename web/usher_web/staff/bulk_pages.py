"""One act on many tasks of the inbox: what would happen first, then its progress and a result for each task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import UserTask
from usher_engine.accounts import Role
from usher_engine.cases import MOST_TASKS, BulkAct, DryRun, TaskAct, TaskOutcome
from usher_engine.core import whole_number
from usher_engine.forms import Form
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from .. import auth
from ..casework.patient_labels import Subject, subjects
from ..site import site
from ..words.presentation import people_day
from ..words.substitute_choice import away_words
from .desk_pages import Colleague, absences_of, chosen_day, colleague, colleagues, off_words
from .list_query import parse_list
from .task_list import filter_of, with_text

blueprint = Blueprint("bulk", __name__, url_prefix="/inbox/bulk")

#: How many results a page lists of each kind.
SHOWN = 100
#: What an act is called: before, and in the past.
WORDS = {
    TaskAct.CLAIM: ("Claim", "claimed"),
    TaskAct.ASSIGN: ("Assign", "assigned"),
    TaskAct.SET_DUE: ("Set the due date of", "given the due date"),
    TaskAct.PUT_OFF: ("Put off", "put off"),
    TaskAct.COMPLETE: ("Complete", "completed"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """What is to be done: *tasks* chosen by hand or, with *query*, by filter; *tried* says what would happen now."""

    act: TaskAct
    query: str
    tasks: list[UserTask]
    tried: DryRun
    patients: dict[str, Subject]
    form: Form | None
    colleagues: list[Colleague]
    errors: dict[str, str]

    @property
    def title(self) -> str:
        """What is done and with how many: "Complete 12 × Resend Invitation"."""
        titles = {task.title for task in self.tasks}
        what = f"{len(self.tasks)} × {titles.pop()}" if len(titles) == 1 else f"{len(self.tasks)} tasks"
        return f"{WORDS[self.act][0]} {what}"


@blueprint.post("")
@auth.policy(Role.STAFF)
def choose() -> str | tuple[str, int] | Response:
    """What would happen with the tasks ticked, or with all that match; nothing is done yet."""
    act = _act(request.form.get("act", ""))
    query = request.form.get("query", "") if request.form.get("all") else ""
    tasks = _tasks(request.form.getlist("task"), query)
    if not tasks:
        auth.say_failed("None of these tasks is open any more. Choose others.")
        return redirect(url_for("inbox.show"), 303)
    return _page(act, query, tasks, BulkAct(act=TaskAct.CLAIM if act is TaskAct.COMPLETE else act))


@blueprint.post("/run")
@auth.policy(Role.STAFF)
def run() -> str | tuple[str, int] | Response:
    """Start it; if it fits no task as it was filled in, show it again with what is missing."""
    act, query = _act(request.form.get("bulk.act", "")), request.form.get("bulk.query", "")
    tasks = _tasks(request.form.getlist("bulk.task"), query)
    runs, actor = site().engine.task_runs, auth.actor()
    bulk = BulkAct(act=act)
    try:
        bulk = _filled(act)
        _ask_about_absence(bulk, tasks)
        tried = runs.dry_run(tasks, bulk, actor=actor)
        if act is TaskAct.COMPLETE and tasks and not tried.fit:
            form = runs.form(tasks[0])
            if form is not None:
                form.validate(dict(bulk.values), today=site().today())
        started = runs.ask(tasks, bulk, actor=actor)
    except usher_engine.InvalidSubmission as wrong:
        if not tasks:
            raise
        return _page(act, query, tasks, bulk, wrong.fields or {"": wrong.message}), 422
    if bulk.day and (off := off_words(bulk.day)):
        auth.say(f"{people_day(bulk.day, site().today())} was chosen.{off}")
    return redirect(url_for("bulk.show", batch=started.id), 303)


@blueprint.get("/<batch>")
@auth.policy(Role.STAFF)
def show(batch: str) -> str:
    """The progress of a run, and what became of each task."""
    runs = site().engine.task_runs
    asked = runs.find(batch, actor=auth.actor())
    counts = runs.counts(asked.id)
    after = whole_number(request.args.get("after", "0")) or 0
    part = request.args.get("part", "")
    listed = {
        outcome: runs.listed(asked.id, outcome, after=after if part == outcome else 0, limit=SHOWN)
        for outcome in TaskOutcome
    }
    tasks = [task for found_tasks in listed.values() for task in found_tasks]
    return render_template(
        "bulk_run.html",
        run=asked,
        act=TaskAct(asked.details["bulk"]["act"]),
        words=WORDS,
        note=asked.details["bulk"]["note"],
        counts=counts,
        listed=listed,
        outcome=TaskOutcome,
        patients=subjects(task.business_key for task in tasks),
        more={name: found[-1].number for name, found in listed.items() if _has_more(found, counts, name)},
    )


@blueprint.get("/<batch>/progress")
@auth.policy(Role.STAFF)
def progress(batch: str) -> dict[str, Any]:
    found = site().engine.task_runs.find(batch, actor=auth.actor())
    return {"done": found.done, "total": found.total, "open": found.status == "open"}


@blueprint.post("/<batch>/stop")
@auth.policy(Role.STAFF)
def stop(batch: str) -> Response:
    runs = site().engine.task_runs
    left = runs.stop(batch, actor=auth.actor())
    auth.say(f"Stopped after {left.done} of {left.total}. The others are as they were.")
    return redirect(url_for("bulk.show", batch=batch), 303)


def _page(act: TaskAct, query: str, tasks: list[UserTask], bulk: BulkAct, errors: dict[str, str] | None = None) -> str:
    runs = site().engine.task_runs
    chosen = Chosen(
        act=act,
        query=query,
        tasks=tasks,
        tried=runs.dry_run(tasks, bulk, actor=auth.actor()),
        patients=subjects(task.business_key for task in tasks),
        form=runs.form(tasks[0]) if act is TaskAct.COMPLETE else None,
        colleagues=colleagues(replace(tasks[0], assignee="")) if act is TaskAct.ASSIGN else [],
        errors=errors or {},
    )
    kinds = {(task.process, task.element) for task in tasks}
    return render_template(
        "bulk.html",
        chosen=chosen,
        several=act is TaskAct.COMPLETE and len(kinds) > 1,
        act=TaskAct,
        most=MOST_TASKS,
        typed=request.form,
        today=site().today().isoformat(),
    )


def _act(text: str) -> TaskAct:
    if text not in set(TaskAct):
        raise usher_engine.InvalidSubmission("Choose what to do with the tasks.")
    return TaskAct(text)


def _tasks(ids: list[str], query: str) -> list[UserTask]:
    """The tasks ticked, or those that match *query* at this moment."""
    runs, actor = site().engine.task_runs, auth.actor()
    if not query:
        return runs.choose([task for task in ids if task.count(":") == 2], actor=actor)
    asked = parse_list(MultiDict(parse_qsl(query)))
    wanted = with_text(filter_of(actor, replace(asked, text="")), asked.text, [])
    return runs.choose_all(wanted, asked.sort, actor=actor) if wanted else []


def _filled(act: TaskAct) -> BulkAct:
    """What was filled in; raises `InvalidSubmission`."""
    form = request.form
    values = {key: value for key, value in form.items() if not key.startswith("bulk.") and key != "csrf_token"}
    return BulkAct(
        act=act,
        to=colleague(form.get("bulk.to", "")) if act is TaskAct.ASSIGN else None,
        day=chosen_day("bulk.", "day") if act in (TaskAct.SET_DUE, TaskAct.PUT_OFF) else None,
        values=values if act is TaskAct.COMPLETE else {},
        note=form.get("bulk.note", ""),
    )


def _ask_about_absence(bulk: BulkAct, tasks: list[UserTask]) -> None:
    """Raise `InvalidSubmission` if the tasks would go to somebody who is away, unless that was said already."""
    if bulk.to is None or request.form.get("bulk.away") == bulk.to.name:
        return
    words = away_words(absences_of(bulk.to.name, [task.groups for task in tasks]))
    if words:
        reason = f"{bulk.to.name} is {words}. Choose somebody else, or press the button again."
        raise usher_engine.InvalidSubmission(reason, fields={"to": reason})


def _has_more(found: Any, counts: dict[TaskOutcome, int], outcome: TaskOutcome) -> bool:
    return len(found) == SHOWN and counts.get(outcome, 0) > SHOWN
