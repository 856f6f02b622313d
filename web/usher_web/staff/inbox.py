"""The inbox of staff: the list of open tasks on the left, the open task on the right, and its actions."""

from __future__ import annotations

import hashlib
from typing import Any

import usher_engine
from flask import Blueprint, Response, has_request_context, redirect, render_template, request, url_for
from usher_engine import Instance, UserTask
from usher_engine.accounts import Role
from usher_engine.cases import is_held_by_another, readable_steps
from usher_engine.core import whole_number
from werkzeug.wrappers import Response as AnyResponse

from .. import audit_logging, auth
from ..casework.act_following import follow
from ..casework.patient_labels import subject
from ..site import site
from ..words.case_narrative import lines_of
from ..words.element_names import names_of
from . import second_thoughts
from .closed_task_view import closed_page, page_of_closed
from .field_names import THEN, submitted
from .list_query import COLUMN_WORDS, MANY, ONE, ListQuery, parse_list
from .look_alike_question import record_in_case
from .onward import onward
from .open_task import open_task
from .task_list import headline, row_of, what_to_do, worklist

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")

Page = str | tuple[str, int]

#: Pages of the inbox whose addresses do not carry the list they were opened from.
WITHOUT_LIST = ("inbox.show", "inbox.rows")
#: Blueprints whose pages lead from and to the list.
OF_LIST = ("inbox", "desk", "task_drafts")

#: Id of the field for the reason of a cancellation.
CANCEL_REASON = "cancel-reason"


@blueprint.app_url_defaults
def _keep_list(endpoint: str, values: dict[str, Any]) -> None:
    """Addresses of tasks carry the list they were opened from, so that its filters, order and page stay."""
    carries = endpoint.partition(".")[0] in OF_LIST and endpoint not in WITHOUT_LIST
    if carries and has_request_context() and request.blueprint in OF_LIST:
        for name in (*ONE, "after", "before"):
            if found := request.args.get(name):
                values[name] = found
        values |= {name: several for name in MANY if (several := request.args.getlist(name))}


@blueprint.get("")
@auth.policy(Role.STAFF)
def show() -> Page:
    return _page(None)


@blueprint.get("/rows")
@auth.policy(Role.STAFF)
def rows() -> AnyResponse:
    """The list alone, fetched when something has changed; 304 if nothing has."""
    listed = worklist(auth.actor(), _query())
    html = render_template(
        "inbox_rows.html", list=listed, current=request.args.get("task", ""), column_words=COLUMN_WORDS
    )
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


@blueprint.get("/<task_id>/preview")
@auth.policy(Role.STAFF)
def preview(task_id: str) -> Page:
    """What the task is about, for the pane beside the list; nothing is opened or claimed."""
    try:
        found = site().engine.inbox.task(task_id, auth.actor())
    except usher_engine.Conflict as gone:
        return render_template("inbox_gone.html", lost=gone), 409
    audit_logging.record_view("TaskViewed", found.id, business_key=found.business_key)
    steps, names = readable_steps(site().engine.context, found.instance)[0], names_of(found.instance)
    return render_template(
        "inbox_preview.html",
        row=row_of(found, subject(found.business_key), auth.actor()),
        say=headline(found.message) or found.title,
        then=what_to_do(found.message),
        lines=list(reversed(lines_of(steps, names)))[:5],
    )


@blueprint.post("/<task_id>/claim")
@auth.policy(Role.STAFF)
def claim(task_id: str) -> Page | AnyResponse:
    try:
        site().engine.cases.claim(task_id, actor=auth.actor())
    except (usher_engine.Conflict, usher_engine.NotAllowed) as lost:
        return _answer_to_loser(task_id, lost)
    return redirect(f"{url_for('inbox.task', task_id=task_id)}#task", 303)


@blueprint.post("/<task_id>/release")
@auth.policy(Role.STAFF)
def release(task_id: str) -> Page | AnyResponse:
    try:
        site().engine.desk.free(task_id, actor=auth.actor())
    except (usher_engine.Conflict, usher_engine.NotAllowed) as lost:
        return _answer_to_loser(task_id, lost)
    auth.say("The task is free for others again.")
    return redirect(url_for("inbox.task", task_id=task_id), 303)


@blueprint.post("/<task_id>/complete")
@auth.policy(Role.STAFF)
def complete(task_id: str) -> Page | AnyResponse:
    """Complete the task. Typed text survives: a refused form comes back as sent, a lost task keeps it as a draft."""
    typed = submitted(request.form)
    try:
        before = site().engine.inbox.task(task_id, auth.actor())
        questions = second_thoughts.slips(before, typed)
        if questions:
            return _page(before, typed=typed, errors=questions, taken=second_thoughts.taken(questions, typed)), 422
        asked = second_thoughts.look_alike(before, typed)
        if asked is not None:
            return asked
        after = site().engine.complete(task_id, typed, actor=auth.actor(), revision=_revision())
    except usher_engine.InvalidSubmission as wrong:
        found = site().engine.inbox.task(task_id, auth.actor())
        return _page(found, typed=typed, revision=_revision(), errors=wrong.fields), 422
    except (usher_engine.Conflict, usher_engine.NotAllowed) as lost:
        return _answer_to_loser(task_id, lost, typed)
    record_in_case(after, second_thoughts.seen_look_alikes())
    return _leave(before, after, f"{before.title} is done.")


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
    return _leave(before, after, f"{before.title} was cancelled.")


def _page(task: UserTask | None, **how: Any) -> str:
    """The list next to the open *task*, *how* as `open_task` takes it; the list first reads all patients at once."""
    listed = worklist(auth.actor(), _query(), task)
    opened = open_task(task, auth.actor(), **how) if task else None
    current = task.id if task else ""
    return render_template("inbox.html", list=listed, open=opened, current=current, column_words=COLUMN_WORDS)


def _answer_to_loser(task_id: str, lost: usher_engine.EngineError, typed: dict[str, Any] | None = None) -> Page:
    """
    Answer after another person was faster. If only the case moved on, show the task again with the typed text.

    Otherwise show who acted and when, beside what was typed. That is kept as a draft first.
    """
    try:
        still = site().engine.inbox.task(task_id, auth.actor())
    except usher_engine.Conflict as gone:
        return _lost_task(task_id, gone, typed)
    if not is_held_by_another(auth.actor(), still):
        if typed:
            site().engine.task_drafts.save(task_id, typed, actor=auth.actor(), revision=_revision())
        return _page(still, typed=typed, revision=_revision(), moved=True), 409
    return _lost_task(task_id, lost, typed)


def _lost_task(task_id: str, lost: usher_engine.EngineError, typed: dict[str, Any] | None = None) -> Page:
    actor = auth.actor()
    if typed and not _is_own_answer(task_id, typed):
        site().engine.task_drafts.save(task_id, typed, actor=actor, revision=_revision())
    shown = closed_page(task_id, actor, lost)
    page = page_of_closed(shown, _query())
    return page, 200 if shown.own and request.method == "GET" else 409


def _is_own_answer(task_id: str, typed: dict[str, Any]) -> bool:
    """Whether *typed* is what the person has sent already: a second click is no second text."""
    try:
        closed = site().engine.task_drafts.closed(task_id, auth.actor())
    except usher_engine.NotFound:
        return False
    sent = {key: str(value or "").strip() for key, value in typed.items()}
    return closed.by == auth.actor().name and all(str(closed.answer.get(key) or "") == sent[key] for key in sent)


def _leave(before: UserTask, after: Instance, done: str) -> AnyResponse:
    """Go on to where `onward` says; a line there follows what becomes of the act (`outcomes`)."""
    follow(after, done)
    takes_next = request.form.get(THEN) == "next"
    return redirect(onward(before, after, actor=auth.actor(), query=_query(), takes_next=takes_next), 303)


def _query() -> ListQuery:
    return parse_list(request.args)


def _revision() -> int | None:
    return whole_number(request.form.get("revision", ""))
