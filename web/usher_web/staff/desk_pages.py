"""What staff arrange about an open task: give it to a colleague, set its due date, put it off. For the inbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import usher_engine
from flask import Blueprint, redirect, request, url_for
from usher_engine import Actor, UserTask
from usher_engine.accounts import Account, Role
from usher_engine.cases import may_see_task
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from ..words.presentation import people_day
from .list_query import parse_list
from .task_list import address

blueprint = Blueprint("desk", __name__, url_prefix="/inbox")


def colleagues(task: UserTask) -> list[Account]:
    """The staff who could do *task*, by name; who has it already is left out."""
    found = site().staff.at_work()
    return [one for one in found if one.name != task.assignee and may_see_task(auth.acting(one), task)]


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
def assign(task_id: str) -> Response:
    def act() -> str:
        to = colleague(request.form.get("to", ""))
        site().engine.desk.assign(task_id, to, actor=auth.actor(), note=request.form.get("note", ""))
        return f"{to.name} has the task now." if to.name != auth.actor().name else "The task is yours now."

    return _arranged(task_id, act)


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
