"""The inbox of staff: the list of open tasks on the left, the open task on the right, and its actions."""

from __future__ import annotations

import hashlib
from typing import Any

import usher_engine
from flask import Blueprint, Response, has_request_context, jsonify, redirect, render_template, request, url_for
from usher_engine import Instance, UserTask
from usher_engine.accounts import Role
from usher_engine.cases import readable_steps
from usher_engine.core import whole_number
from werkzeug.wrappers import Response as AnyResponse

from .. import audit_logging, auth, strict_json
from ..casework.patient_labels import subject
from ..casework.visibility import may_work_on
from ..site import site
from ..words.case_narrative import lines_of
from ..words.element_names import names_of
from ..words.presentation import case_no
from .list_query import COLUMN_WORDS, MANY, ONE, ListQuery, parse_list
from .next_task import claim_next
from .open_task import open_task, submitted
from .task_list import address, headline, row_of, what_to_do, worklist

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")

Page = str | tuple[str, int]

#: Pages of the inbox whose addresses do not carry the list they were opened from.
WITHOUT_LIST = ("inbox.show", "inbox.rows")

#: Id of the field for the reason of a cancellation.
CANCEL_REASON = "cancel-reason"


@blueprint.app_url_defaults
def _keep_list(endpoint: str, values: dict[str, Any]) -> None:
    """Addresses of tasks carry the list they were opened from, so that its filters, order and page stay."""
    carries = endpoint.startswith(("inbox.", "desk.")) and endpoint not in WITHOUT_LIST
    if carries and has_request_context() and request.blueprint in ("inbox", "desk"):
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
        return _answer_to_loser(task_id, lost)
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
    """Complete the task. Typed text survives: a refused form comes back as sent, a lost task shows the text."""
    typed = submitted(request.form)
    try:
        before = site().engine.inbox.task(task_id, auth.actor())
        after = site().engine.complete(task_id, typed, actor=auth.actor(), revision=_revision())
    except usher_engine.InvalidSubmission as wrong:
        found = site().engine.inbox.task(task_id, auth.actor())
        return _page(found, typed=typed, errors=wrong.fields), 422
    except (usher_engine.Conflict, usher_engine.NotAllowed) as lost:
        return _answer_to_loser(task_id, lost, typed)
    return _onward(before, after, f"{before.title} is done.")


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
        return _answer_to_loser(task_id, lost, {"reason": reason})
    return _onward(before, after, f"{before.title} was cancelled.")


@blueprint.post("/<task_id>/draft")
@auth.policy(Role.STAFF)
def draft(task_id: str) -> Response:
    """Save the text typed so far (``{"values": {key: text}}``), to continue on any computer."""
    values = strict_json.body().get("values")
    if not isinstance(values, dict):
        reason = "Send the fields as an object named “values”."
        raise usher_engine.InvalidSubmission(reason, fields={"values": reason})
    saved = site().engine.cases.save_draft(task_id, submitted(values), actor=auth.actor())
    return jsonify({"saved": f"{site().settings.calendar.local(saved):%H:%M}"})


def _page(task: UserTask | None, **how: Any) -> str:
    """The list next to the open *task*, *how* as `open_task` takes it; the list first reads all patients at once."""
    listed = worklist(auth.actor(), _query(), task)
    opened = open_task(task, auth.actor(), **how) if task else None
    current = task.id if task else ""
    return render_template("inbox.html", list=listed, open=opened, current=current, column_words=COLUMN_WORDS)


def _answer_to_loser(task_id: str, lost: usher_engine.EngineError, typed: dict[str, Any] | None = None) -> Page:
    """
    Answer after another person was faster. If only the case moved on, show the task again with the typed text.

    Otherwise show who acted and when, and keep the typed text on the page.
    """
    try:
        still = site().engine.inbox.task(task_id, auth.actor())
    except usher_engine.Conflict as gone:
        return _page_of_lost_task(task_id, gone, typed), 409
    if still.assignee in ("", auth.actor().name):
        return _page(still, typed=typed, moved=True), 409
    return _page_of_lost_task(task_id, lost, typed), 409


def _page_of_lost_task(task_id: str, lost: usher_engine.EngineError, typed: dict[str, Any] | None) -> str:
    instance = task_id.partition(":")[0]
    kept = {key: value for key, value in (typed or {}).items() if value}
    following = worklist(auth.actor(), _query()).first
    return render_template("task_gone.html", lost=lost, kept=kept, instance=instance, following=following)


def _onward(before: UserTask, after: Instance, done: str) -> AnyResponse:
    """Redirect to the next task of the same case, or to the list with a message about what follows automatically."""
    visible = [found for found in after.tasks if may_work_on(auth.actor(), found)]
    if after.incident and any(found.id == before.id for found in after.tasks):
        auth.say_failed(f"It did not work: {after.incident} The task is still open and what you typed is kept.")
        return redirect(url_for("inbox.task", task_id=before.id), 303)
    say = auth.say_failed if after.incident else auth.say
    if after.incident:  # the answer is saved; another branch of the case, or what follows, is stopped
        done = f"{done} The case has stopped: {after.incident}"
    if visible:
        say(done)
        return redirect(url_for("inbox.task", task_id=visible[0].id), 303)
    names = names_of(after.id)
    if after.explanation:
        done = f"{done} {after.explanation}"
    elif after.at and not after.incident:
        done = f"{done} {' and '.join(names.of(element) for element in after.at)} follows automatically."
    if request.form.get("desk.then") == "next":
        following = claim_next(auth.actor(), _query(), before)
        if following is not None:
            say(f"Case {case_no(before.instance)}: {done}")
            return redirect(f"{url_for('inbox.task', task_id=following.id)}#task", 303)
        done = f"{done} Nothing more is free in this list."
    say(f"Case {case_no(before.instance)}: {done}")
    return redirect(address(_query().first_page), 303)


def _query() -> ListQuery:
    return parse_list(request.args)


def _revision() -> int | None:
    return whole_number(request.form.get("revision", ""))
