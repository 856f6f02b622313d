"""What staff arrange about an open task: give it to a colleague, set its due date, put it off. For the inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import Actor, UserTask
from usher_engine.accounts import Role, StandIn
from usher_engine.cases import may_see_task
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from ..words.person_names import person
from ..words.presentation import joined, people_day
from ..words.substitute_choice import away_words, substitutes
from .list_query import parse_list
from .task_list import address

blueprint = Blueprint("desk", __name__, url_prefix="/inbox")


@dataclass(frozen=True, kw_only=True, slots=True)
class Colleague:
    """Somebody who could do a task; *words* name them, and say who stands in while they are away."""

    name: str
    words: str


def colleagues(task: UserTask) -> list[Colleague]:
    """The staff who could do *task*, by name; who has it already is left out."""
    found = [one.name for one in site().staff.at_work() if may_see_task(auth.acting(one), task)]
    away = {name: away_words(site().staff.stand_ins(name, task.groups)) for name in found}
    return [
        Colleague(name=name, words=f"{name} ({away[name]})" if away[name] else name)
        for name in found
        if name != task.assignee
    ]


def absences_of(name: str, groups: Iterable[tuple[str, ...]]) -> list[StandIn]:
    """Who stands in today for the member of staff *name*, with tasks of any of these candidate groups."""
    now = [one for one in substitutes().absences() if one.person == name]
    return [one for one in now if any(one.covers(of_task) for of_task in groups)]


def colleague(name: str) -> Actor:
    """The member of staff called *name*; raises `InvalidSubmission` if there is none at work."""
    try:
        account = site().accounts.user(name)
    except usher_engine.NotFound:
        account = None
    if account is None or account.disabled or account.role is not Role.STAFF:
        reason = f"No member of staff is called “{name}”. Choose one of the list."
        raise usher_engine.InvalidSubmission(reason, fields={"to": reason})
    return auth.acting(account)


def day_from(text: str, field: str) -> date | None:
    """The day in a field; None if it is empty. Raises `InvalidSubmission`."""
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        reason = f"“{text[:40]}” is no day. Choose one, like 2026-12-24."
        raise usher_engine.InvalidSubmission(reason, fields={field: reason}) from None


def chosen_day(prefix: str, field: str) -> date | None:
    """The day that was typed, or the next working day where its button was pressed; None for neither."""
    if request.form.get(f"{prefix}next"):
        calendar = site().engine.working_calendar.calendar()
        return calendar.working_day_after(site().today())
    return day_from(request.form.get(f"{prefix}{field}", ""), field)


def off_words(day: date) -> str:
    """A sentence, after a space, where the practice does not work on *day*; it stays as it was chosen."""
    why = site().engine.working_calendar.working_days().why_off(day)
    return f" The practice does not work on that day ({why}); nothing is moved." if why else ""


@blueprint.post("/<task_id>/assign")
@auth.policy(Role.STAFF)
def assign(task_id: str) -> str | Response:
    """Give the task to a colleague; to one who is away only after saying who stands in."""
    name = request.form.get("to", "")
    if name != request.form.get("away"):
        asked = _question_about_absence(task_id, name)
        if asked is not None:
            return asked

    def act() -> str:
        to = colleague(name)
        site().engine.desk.assign(task_id, to, actor=auth.actor(), note=request.form.get("note", ""))
        return f"{to.name} has the task now." if to.name != auth.actor().name else "The task is yours now."

    return _arranged(task_id, act)


def _question_about_absence(task_id: str, name: str) -> str | None:
    """The page that asks who gets the task, if *name* is away; None if there is nothing to ask."""
    if not any(one.person == name for one in substitutes().absences()):
        return None
    try:
        task = site().engine.inbox.task(task_id, auth.actor())
    except usher_engine.Conflict:
        return None  # the act says what has become of it
    away = absences_of(name, [task.groups])
    if not away:
        return None
    able = {one.name for one in colleagues(task)}
    return render_template(
        "assign_away.html",
        task=task,
        to=name,
        until=people_day(max(one.last for one in away), site().today()),
        names=joined([person(one.substitute) for one in away]),
        single=len(away) == 1,
        offered=[one.substitute for one in away if one.substitute in able],
        note=request.form.get("note", ""),
    )


@blueprint.post("/<task_id>/due")
@auth.policy(Role.STAFF)
def set_due(task_id: str) -> Response:
    def act() -> str:
        day = chosen_day("", "day")
        site().engine.desk.set_due(task_id, day, actor=auth.actor(), note=request.form.get("note", ""))
        if day is None:
            return "It has no due date any more."
        return f"It is due on {people_day(day, site().today())}.{off_words(day)}"

    return _arranged(task_id, act)


@blueprint.post("/<task_id>/later")
@auth.policy(Role.STAFF)
def put_off(task_id: str) -> Response:
    def act() -> str:
        until = chosen_day("", "until")
        site().engine.desk.put_off(task_id, until, actor=auth.actor(), note=request.form.get("note", ""))
        if until is None:
            return "The task is in the inbox again."
        day = people_day(until, site().today())
        return f"The task comes back on {day}; until then it is under Later.{off_words(until)}"

    return _arranged(task_id, act)


def _arranged(task_id: str, act: Callable[[], str]) -> Response:
    """Back to the task with what was done, or why not; to the list if the task has left it."""
    try:
        auth.say(act())
    except usher_engine.InvalidSubmission as wrong:
        auth.say_failed(next(iter(wrong.fields.values()), wrong.message))
    except (usher_engine.Conflict, usher_engine.NotAllowed) as refused:
        auth.say_failed(refused.message)
        if isinstance(refused, usher_engine.Conflict) and refused.winner:
            return redirect(address(parse_list(request.args)), 303)
    return redirect(f"{url_for('inbox.task', task_id=task_id)}#task", 303)
