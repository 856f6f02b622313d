"""What staff type and have not sent: saved while they type, chosen field by field after a conflict, let go."""

from __future__ import annotations

from typing import Any

import usher_engine
from flask import Blueprint, Response, jsonify, redirect, request, url_for
from usher_engine import UserTask
from usher_engine.accounts import Role
from usher_engine.cases import TaskDraft, is_held_by_another
from usher_engine.core import whole_number
from usher_engine.enrollment import FIELDS, in_sentence
from werkzeug.wrappers import Response as AnyResponse

from .. import auth, strict_json
from ..casework.draft_answers import draft_basis, draft_standing
from ..site import site
from ..words.presentation import joined
from .closed_task_view import closed_page, page_of_closed
from .field_names import field_name, submitted
from .list_query import parse_list
from .onward import next_task
from .open_task import draft_of, filled_form, form_of

Page = str | tuple[str, int]

blueprint = Blueprint("task_drafts", __name__, url_prefix="/inbox")


@blueprint.get("/<task_id>/draft")
@auth.policy(Role.STAFF)
def show(task_id: str) -> Response:
    """How the task stands and when its draft was saved, for a page that was without network for a while."""
    engine, actor = site().engine, auth.actor()
    try:
        task = engine.inbox.task(task_id, actor)
    except usher_engine.Conflict:
        draft, by = engine.task_drafts.find(task_id, actor), engine.task_drafts.closed(task_id, actor).by
        return jsonify(_standing(None, by, draft))
    return jsonify(_standing(task, task.assignee, task.draft))


@blueprint.post("/<task_id>/draft")
@auth.policy(Role.STAFF)
def save(task_id: str) -> Response:
    """
    Save the text typed so far (``{"values": {key: text}, "revision": 3}``), to continue on any computer.

    ``stamp`` and ``unanswered`` are what the page knows of the draft before, see `draft_basis`. The answer says when
    (``saved``, on the practice's clock), the ``stamp`` of the draft that is stored, how the task stands (``state``:
    open, taken or closed; stale, if a draft that the page did not know is kept instead of this), and the newest
    ``revision`` of its case.
    """
    sent = strict_json.body()
    values, revision = sent.get("values"), sent.get("revision")
    if not isinstance(values, dict):
        reason = "Send the fields as an object named “values”."
        raise usher_engine.InvalidSubmission(reason, fields={"values": reason})
    seen = whole_number(str(revision)) if isinstance(revision, (int, str)) else None
    typed, actor, basis = submitted(values), auth.actor(), draft_basis(sent, submitted)
    saved = site().engine.task_drafts.save(task_id, typed, actor=actor, revision=seen, basis=basis)
    state, by = "stale" if saved.is_stale else _state(saved.task), saved.task.assignee if saved.task else ""
    return jsonify(draft_standing(saved.at, saved.stamp, state, by, saved.task))


@blueprint.post("/<task_id>/draft/choose")
@auth.policy(Role.STAFF)
def choose(task_id: str) -> AnyResponse:
    """Settle a conflict: of each disputed field keep one's own text, or take the record's (``theirs``)."""
    engine, actor = site().engine, auth.actor()
    task = engine.inbox.task(task_id, actor)
    draft = draft_of(task, actor)
    if draft is not None:
        filled = filled_form(task, form_of(task), draft.typed, draft.revision)
        theirs = [one.key for one in filled.disputed if request.form.get(field_name(one.key)) == "theirs"]
        kept = {**filled.values, **{key: task.initial.get(key, "") for key in theirs}}
        engine.task_drafts.save(task_id, kept, actor=actor, revision=task.revision)
    return redirect(f"{url_for('inbox.task', task_id=task_id)}#task", 303)


@blueprint.post("/<task_id>/draft/correct")
@auth.policy(Role.STAFF)
def correct(task_id: str) -> Page | AnyResponse:
    """Somebody was faster: put one's own text into the record where it was chosen (``mine``), and let the rest go."""
    engine, actor = site().engine, auth.actor()
    draft = engine.task_drafts.find(task_id, actor)
    typed = draft.typed if draft else {}
    chosen = {key: str(typed[key]) for key in typed if request.form.get(field_name(key)) == "mine"}
    try:
        changed = site().enrollment.answer_corrections.correct(task_id, chosen, actor=actor) if chosen else ()
    except usher_engine.InvalidSubmission as wrong:
        lost = usher_engine.Conflict("Your text was not put into the record yet.")
        return page_of_closed(closed_page(task_id, actor, lost, wrong.fields), parse_list(request.args)), 422
    names = [in_sentence(FIELDS[key].title) for key in changed]
    auth.say(f"The record was corrected: {joined(names)}." if changed else "The record stays as it is.")
    return let_go(task_id)


@blueprint.post("/<task_id>/draft/let-go")
@auth.policy(Role.STAFF)
def let_go(task_id: str) -> AnyResponse:
    """Delete one's own text: start again from the record, or go on to the next task if this one is lost."""
    site().engine.task_drafts.let_go(task_id, actor=auth.actor())
    try:
        still = site().engine.inbox.task(task_id, auth.actor())
    except usher_engine.Conflict:
        still = None
    if still is not None and not is_held_by_another(auth.actor(), still):
        return redirect(f"{url_for('inbox.task', task_id=task_id)}#task", 303)
    following = next_task(auth.actor(), parse_list(request.args), besides=task_id)
    return redirect(url_for("inbox.task", task_id=following.id) if following else url_for("inbox.show"), 303)


def _standing(task: UserTask | None, by: str, draft: TaskDraft | None) -> dict[str, Any]:
    saved, stamp = (draft.at, draft.stamp) if draft else (None, "")
    return draft_standing(saved, stamp, _state(task), by, task)


def _state(task: UserTask | None) -> str:
    return "closed" if task is None else "taken" if is_held_by_another(auth.actor(), task) else "open"
