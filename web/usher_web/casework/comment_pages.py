"""Comments on a case: add, correct and withdraw one; its draft; whom one may mention. Needs no script."""

from __future__ import annotations

from urllib.parse import quote

import usher_engine
from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.cases import NewFile, comments_of, readable_steps
from werkzeug.http import dump_options_header
from werkzeug.wrappers import Response as AnyResponse

from .. import audit_logging, auth, content_policy, strict_json
from ..site import site
from ..words.person_names import person
from .comment_views import comment_section, mentioned_in
from .draft_answers import draft_basis, draft_standing
from .visibility import visible_case

blueprint = Blueprint("comments", __name__, url_prefix="/cases")

Page = str | tuple[str, int]

#: The most people a list of names offers.
OFFERED = 8


@blueprint.get("/<instance_id>/comments")
@auth.policy(Role.STAFF, Role.AUDITOR)
def show(instance_id: str) -> str:
    """The list alone, for a page that follows changes."""
    case = visible_case(instance_id)
    steps, _ = readable_steps(site().engine.context, case.id)
    section = comment_section(case.id, steps, task=request.args.get("task", ""))
    return render_template("comment_list.html", comments=section)


@blueprint.post("/<instance_id>/comments")
@auth.policy(Role.STAFF, files=True)
def add(instance_id: str) -> Page | AnyResponse:
    """Add a comment with its files; a refused one comes back as typed."""
    text = request.form.get("text", "")
    try:
        mentions = [auth.acting(one) for one in mentioned_in(text)]
        sent = [one for one in request.files.getlist("file") if one.filename]
        files = [NewFile(name=one.filename or "", content=one.read()) for one in sent]
        number = site().engine.comments.add(instance_id, text, actor=auth.actor(), mentions=mentions, files=files)
    except usher_engine.InvalidSubmission as wrong:
        return _again(instance_id, text, wrong)
    auth.say("Your comment was added.")
    return _back(instance_id, number)


@blueprint.post("/<instance_id>/comments/<int:number>/correct")
@auth.policy(Role.STAFF)
def correct(instance_id: str, number: int) -> Page | AnyResponse:
    text = request.form.get("text", "")
    try:
        mentions = [auth.acting(one) for one in mentioned_in(text)]
        site().engine.comments.correct(instance_id, number, text, actor=auth.actor(), mentions=mentions)
    except usher_engine.InvalidSubmission as wrong:
        return _again(instance_id, text, wrong, number)
    auth.say("Your comment was corrected.")
    return _back(instance_id, number)


@blueprint.post("/<instance_id>/comments/<int:number>/withdraw")
@auth.policy(Role.STAFF)
def withdraw(instance_id: str, number: int) -> AnyResponse:
    site().engine.comments.withdraw(instance_id, number, actor=auth.actor())
    auth.say("Your comment was withdrawn.")
    return _back(instance_id, number)


@blueprint.get("/<instance_id>/files/<sha256>")
@auth.policy(Role.STAFF, Role.AUDITOR)
def file(instance_id: str, sha256: str) -> Response:
    """An attached file, to be saved: never shown as a page of ours, nothing in it runs. Each download is recorded."""
    case = visible_case(instance_id)
    steps, _ = readable_steps(site().engine.context, case.id)
    found, content = site().engine.comments.file(comments_of(steps), case.id, sha256, actor=auth.actor())
    audit_logging.record("FileViewed", {"file": found.sha256}, subject=case.id, about=case.business_key)
    response = Response(content, content_type=found.kind)
    response.headers["Content-Disposition"] = _saved_as(found.name)
    response.headers[content_policy.HEADER] = content_policy.FILE
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/<instance_id>/comments/draft")
@auth.policy(Role.STAFF)
def draft(instance_id: str) -> Response:
    """When the reader's draft was saved, in the words of `task_draft_routes`."""
    found = site().engine.comments.draft(visible_case(instance_id).id, auth.actor())
    return jsonify(draft_standing(found.at if found else None, found.stamp if found else ""))


@blueprint.post("/<instance_id>/comments/draft")
@auth.policy(Role.STAFF)
def save_draft(instance_id: str) -> Response:
    """Keep what is typed (``{"values": {"text": …}}``), to continue on any computer, as a task's draft is kept."""
    sent = strict_json.body()
    values = sent.get("values")
    text = values.get("text", "") if isinstance(values, dict) else None
    if not isinstance(text, str):
        reason = "Send the text as {“values”: {“text”: …}}."
        raise usher_engine.InvalidSubmission(reason, fields={"values": reason})
    saved = site().engine.comments.save_draft(instance_id, text, actor=auth.actor(), basis=draft_basis(sent))
    return jsonify(draft_standing(saved.at, saved.stamp, "stale" if saved.is_stale else "open"))


@blueprint.get("/<instance_id>/comments/people")
@auth.policy(Role.STAFF)
def people(instance_id: str) -> Response:
    """Whom a comment may mention: ``[{"name", "shown"}]``, those whose name or display name begins with ``?q=``."""
    case, typed = visible_case(instance_id), request.args.get("q", "").casefold()[:60]
    staff = [auth.acting(one) for one in site().staff.at_work() if one.name != auth.actor().name]
    allowed = site().engine.comments.can_be_mentioned(case.id, staff)
    offered = [{"name": one.name, "shown": person(one.name)} for one in allowed]
    fitting = [one for one in offered if any(w.startswith(typed) for w in _words(one))]
    return jsonify(fitting[:OFFERED])


def _saved_as(name: str) -> str:
    """The header that has a file saved under *name*, for old browsers in ASCII (RFC 6266)."""
    plain = "".join(letter if letter.isascii() else "_" for letter in name)
    return dump_options_header("attachment", {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"})


def _words(offered: dict[str, str]) -> list[str]:
    """What somebody's name may be looked up by: the name of the account, and each word of the display name."""
    return [offered["name"].casefold(), offered["shown"].casefold(), *offered["shown"].casefold().split()]


def _again(instance_id: str, text: str, wrong: usher_engine.InvalidSubmission, number: int = 0) -> tuple[str, int]:
    """The form alone, with what was typed and why it was refused."""
    case = visible_case(instance_id)
    section = comment_section(case.id, (), task=request.form.get("task", ""), typed=text, errors=wrong.fields)
    return render_template("comment_again.html", case=case, comments=section, number=number), 422


def _back(instance_id: str, number: int) -> AnyResponse:
    """To the comment, on the page it was written on."""
    task = request.form.get("task", "")
    page = url_for("inbox.task", task_id=task) if task else url_for("cases.case", instance_id=instance_id)
    return redirect(f"{page}#comment-{number}", 303)
