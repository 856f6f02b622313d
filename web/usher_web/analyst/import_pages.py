"""A draft from another product: what Usher translated, what is left to do, and remedies in one step each."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.authoring import Draft, ImportState, LeftKind, PointKind
from usher_engine.definitions import Finding, Remedy
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from . import workbench
from .finding_words import shown_findings

blueprint = Blueprint("imports", __name__, url_prefix="/processes/<process>/import")

#: What the button of each remedy says.
WORDS = {
    Remedy.EXECUTABLE: "Mark the process as executable",
    Remedy.DEFAULT: "Make the flow without a condition the default",
    Remedy.END: "Draw an end event behind it",
    Remedy.NOTE: "Keep it as documentation only",
}
#: The heading of each kind of thing that is left.
HEADINGS = {
    LeftKind.NOT_CONNECTED: "Not connected",
    LeftKind.MISSING: "Missing",
    LeftKind.TO_DECIDE: "To decide",
}


@blueprint.get("")
@auth.policy(Role.ANALYST)
def show(process: str) -> str:
    engine = site().engine
    state = engine.import_desk.state(process)
    versions = engine.versions.all(process)
    return render_template(
        "import.html",
        draft=state.draft,
        process=process,
        name=versions[0].name if versions else process,
        tabs=workbench.tabs(state.draft, "imports.show"),
        aside=engine.drafts.set_aside(process),
        translated=state.translated,
        left=[(HEADINGS[kind], [one for one in state.left if one.kind is kind]) for kind in LeftKind],
        shown=_shown(state),
        count=len(state.left),
        safe=sum(one.safe for one in state.left),
        words=WORDS,
        undo=_last_step(state.draft),
    )


def _shown(state: ImportState) -> dict[Finding, dict[str, Any]]:
    """Each finding as the other pages show it: elements by their labels."""
    findings = [*state.translated, *(one.finding for one in state.left)]
    return dict(zip(findings, shown_findings(findings, state.package), strict=True))


@blueprint.post("")
@auth.policy(Role.ANALYST)
def take(process: str) -> Response:
    """Take over the translation, with it one remedy (``remedy``, ``file``, ``element``) or all safe ones (``safe``)."""
    form, desk, actor = request.form, site().engine.import_desk, auth.actor()
    etag = form.get("etag", "")
    if form.get("safe"):
        desk.take_safe(process, etag=etag, actor=actor)
    elif form.get("remedy"):
        if form["remedy"] not in set(Remedy):
            raise BadRequest("There is no such remedy.")
        chosen = (form.get("file", ""), form.get("element", ""), Remedy(form["remedy"]))
        desk.take(process, [chosen], etag=etag, actor=actor)
    else:
        desk.take_over(process, etag=etag, actor=actor)
    auth.say("Done, in the draft. The state before is kept.")
    return redirect(url_for(".show", process=process), 303)


def _last_step(draft: Draft) -> int | None:
    """The number of the state before the last remedy, if that was the last change of the draft."""
    match site().engine.draft_history.points(draft.process, limit=2):
        case [now, before] if now.etag == draft.etag and before.kind is PointKind.TRANSLATION:
            return before.number
    return None
