"""The inbox of staff: the list of open tasks on the left, the open task on the right, and its actions."""

from __future__ import annotations

import hashlib
from typing import Any

import usher_engine
from flask import Blueprint, Response, redirect, render_template, request, url_for
from usher_engine import UserTask
from usher_engine.accounts import Role
from usher_engine.core import whole_number
from werkzeug.wrappers import Response as AnyResponse

from .. import auth
from ..site import site
from .closed_task_view import closed_page, page_of_closed
from .field_names import submitted
from .onward import Onward, onward
from .open_task import open_task
from .task_list import View, worklist

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")

Page = str | tuple[str, int]

#: Id of the field for the reason of a cancellation.
CANCEL_REASON = "cancel-reason"


@blueprint.get("")
@auth.policy(Role.STAFF)
def show() -> Page:
    return _page(None)


@blueprint.get("/rows")
@auth.policy(Role.STAFF)
def rows() -> AnyResponse:
    """The list alone, polled every few seconds; 304 if nothing has changed."""
    listed = worklist(auth.actor(), _view(), request.args.get("after"))
    html = render_template("inbox_rows.html", list=listed, current=request.args.get("task", ""))
    response = Response(html)
    response.set_etag(hashlib.sha256(html.encode()).hexdigest()[:32])
    return response.make_conditional(request)


@blueprint.get("/<task_id>")
@auth.policy(Role.STAFF)
def task(task_id: str) -> Page:
    try:
        found = site().engine.inbox.task(task_id, auth.actor())
    except usher_engine.Conflict as lost:
        return _lost_task(task_id, lost)
    return _page(found)


@blueprint.post("/<task_id>/claim")
@auth.policy(Role.STAFF)
def claim(task_id: str) -> Page | AnyResponse:
    try:
        site().engine.cases.claim(task_id, actor=auth.actor())
    except (usher_engine.Conflict, usher_engine.NotAllowed) as lost:
        return _answer_to_loser(task_id, lost)
    return redirect(f"{url_for('inbox.task', task_id=task_id, view=_view())}#task", 303)


@blueprint.post("/<task_id>/release")
@auth.policy(Role.STAFF)
def release(task_id: str) -> Page | AnyResponse:
    try:
        site().engine.cases.release(task_id, actor=auth.actor())
    except (usher_engine.Conflict, usher_engine.NotAllowed) as lost:
        return _answer_to_loser(task_id, lost)
    auth.say("The task is free for others again.")
    return redirect(url_for("inbox.task", task_id=task_id, view=_view()), 303)


@blueprint.post("/<task_id>/complete")
@auth.policy(Role.STAFF)
def complete(task_id: str) -> Page | AnyResponse:
    """Complete the task. Typed text survives: a refused form comes back as sent, a lost task keeps it as a draft."""
    typed = submitted(request.form)
    try:
        before = site().engine.inbox.task(task_id, auth.actor())
        after = site().engine.complete(task_id, typed, actor=auth.actor(), revision=_revision())
    except usher_engine.InvalidSubmission as wrong:
        found = site().engine.inbox.task(task_id, auth.actor())
        return _page(found, typed=typed, revision=_revision(), errors=wrong.fields), 422
    except (usher_engine.Conflict, usher_engine.NotAllowed) as lost:
        return _answer_to_loser(task_id, lost, typed)
    return _leave(onward(before, after, f"{before.title} is done.", actor=auth.actor(), view=_view()))


@blueprint.post("/<task_id>/cancel")
@auth.policy(Role.STAFF)
def cancel(task_id: str) -> Page | AnyResponse:
    reason = request.form.get("reason", "")
    try:
        before = site().engine.inbox.task(task_id, auth.actor())
        after = site().engine.cases.cancel_task(task_id, reason, actor=auth.actor(), revision=_revision())
    except usher_engine.InvalidSubmission as wrong:
        found = site().engine.inbox.task(task_id, auth.actor())
        # Not named “reason”: a field of the task's own form may have that name.
        errors = {CANCEL_REASON: wrong.fields.get("reason", wrong.message)}
        return _page(found, errors=errors), 422
    except (usher_engine.Conflict, usher_engine.NotAllowed) as lost:
        return _answer_to_loser(task_id, lost)
    return _leave(onward(before, after, f"{before.title} was cancelled.", actor=auth.actor(), view=_view()))


def _page(task: UserTask | None, **how: Any) -> str:
    """The list next to the open *task*, *how* as `open_task` takes it; the list first reads all patients at once."""
    listed = worklist(auth.actor(), _view(), request.args.get("after"))
    opened = open_task(task, auth.actor(), **how) if task else None
    current = task.id if task else ""
    return render_template("inbox.html", list=listed, open=opened, current=current, view=_view())


def _answer_to_loser(task_id: str, lost: usher_engine.EngineError, typed: dict[str, Any] | None = None) -> Page:
    """
    Answer after another person was faster. If only the case moved on, show the task again with the typed text.

    Otherwise show who acted and when, beside what was typed. That is kept as a draft first.
    """
    try:
        still = site().engine.inbox.task(task_id, auth.actor())
    except usher_engine.Conflict as gone:
        return _lost_task(task_id, gone, typed)
    if still.assignee in ("", auth.actor().name):
        if typed:
            site().engine.task_drafts.save(task_id, typed, actor=auth.actor(), revision=_revision())
        return _page(still, typed=typed, revision=_revision(), moved=True), 409
    return _lost_task(task_id, lost, typed)


def _lost_task(task_id: str, lost: usher_engine.EngineError, typed: dict[str, Any] | None = None) -> Page:
    actor = auth.actor()
    if typed and not _is_own_answer(task_id, typed):
        site().engine.task_drafts.save(task_id, typed, actor=actor, revision=_revision())
    shown = closed_page(task_id, actor, lost)
    return page_of_closed(shown, _view()), 200 if shown.own and request.method == "GET" else 409


def _is_own_answer(task_id: str, typed: dict[str, Any]) -> bool:
    """Whether *typed* is what the person has sent already: a second click is no second text."""
    try:
        closed = site().engine.task_drafts.closed(task_id, auth.actor())
    except usher_engine.NotFound:
        return False
    sent = {key: str(value or "").strip() for key, value in typed.items()}
    return closed.by == auth.actor().name and all(str(closed.answer.get(key) or "") == sent[key] for key in sent)


def _leave(where: Onward) -> AnyResponse:
    (auth.say_failed if where.failed else auth.say)(where.words)
    return redirect(where.address, 303)


def _view() -> View:
    asked = request.args.get("view", "")
    return View(asked) if asked in set(View) else View.ALL


def _revision() -> int | None:
    return whole_number(request.form.get("revision", ""))
