"""What a draft was: its kept states, how each differs from the draft now, and the way back, whole or by file."""

from __future__ import annotations

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import NotFound
from usher_engine.accounts import Role
from usher_engine.core import whole_number
from usher_engine.differences import change_units, compare
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from . import deploy_view, draft_history_view, workbench
from .diff_view import change_lines, changed_elements, first_drawn, marks, sentence

blueprint = Blueprint("history", __name__, url_prefix="/processes/<process>/history")

MAX_NAME = 200
#: Pages that `go_back` may lead to, by the name a form sends.
NEXT = {"deploy": "deployments.show", "edit": "modeler.edit", "import": "imports.show"}


@blueprint.get("")
@auth.policy(Role.ANALYST)
def show(process: str) -> str:
    """``?state=N`` compares that state with the draft, ``?all=1`` lists every save."""
    return _page(process)


@blueprint.post("")
@auth.policy(Role.ANALYST)
def keep(process: str) -> Response | tuple[str, int]:
    """Keep the draft as it is for good, with a name or without."""
    name, etag = request.form.get("name", ""), request.form.get("etag", "")
    try:
        kept = site().engine.draft_history.keep(process, name, etag=etag, actor=auth.actor())
    except usher_engine.InvalidSubmission as error:
        return _page(process, error.fields), 422
    auth.say(f"Kept{f' as “{kept.name}”' if kept.name else ''}.")
    return redirect(url_for(".show", process=process), 303)


@blueprint.post("/<int:number>/back")
@auth.policy(Role.ANALYST)
def go_back(process: str, number: int) -> Response | tuple[str, int]:
    """Go back to a state, take only files from there (``some=files``), or undo only some changes (``some=changes``)."""
    form, engine = request.form, site().engine
    paths = form.getlist("file") if form.get("some") in ("1", "files") else None
    changes = form.getlist("change") if form.get("some") == "changes" else None
    etag, actor = form.get("etag", ""), auth.actor()
    try:
        engine.draft_history.go_back(process, number, etag=etag, actor=actor, paths=paths, changes=changes)
    except usher_engine.InvalidSubmission as error:
        return _page(process, error.fields, state=number), 422
    auth.say(_said(paths, changes))
    return redirect(url_for(NEXT.get(form.get("next", ""), "history.show"), process=process), 303)


def _said(paths: list[str] | None, changes: list[str] | None) -> str:
    if changes is not None:
        count = f"{len(changes)} change{'' if len(changes) == 1 else 's'}"
        return f"{count} undone. The state before is kept, so this can be taken back."
    if paths is None:
        return "The draft is what it was then. The state before is kept, so this can be undone."
    return f"{len(paths)} file{'' if len(paths) == 1 else 's'} taken. The state before is kept, so this can be undone."


def _page(process: str, errors: dict[str, str] | None = None, state: int | None = None) -> str:
    engine = site().engine
    draft, package = engine.drafts.find(process), engine.drafts.package(process)
    points, versions = engine.draft_history.points(process), engine.versions.all(process)
    chosen = state or whole_number(request.args.get("state", ""))
    if chosen is not None and all(point.number != chosen for point in points):
        raise NotFound("This state of the draft is not kept any more.")
    shown, left_out = draft_history_view.listed(points, selected=chosen, every="all" in request.args)
    page = {
        "draft": draft,
        "process": process,
        "name": versions[0].name if versions else process,
        "tabs": workbench.tabs(draft, "history.show"),
        "aside": engine.drafts.set_aside(process),
        "points": shown,
        "left_out": left_out,
        "chosen": chosen,
        "errors": errors or {},
    }
    if chosen is None:
        return render_template("draft_history.html", **page)
    point, before = engine.draft_history.point(process, chosen)
    comparison = compare(before, package)
    counted = changed_elements(comparison)
    diagrams = sorted(dict.fromkeys([*package.diagrams(), *before.diagrams()]), key=lambda file: -counted[file])
    diagram = next(iter(diagrams), "")
    return render_template(
        "draft_history.html",
        **page,
        point=point,
        title=draft_history_view.title_of(point),
        same=point.etag == draft.etag,
        sentence=sentence(comparison),
        changes=deploy_view.changes_of(comparison, diagrams),
        moved=deploy_view.only_moved(comparison),
        aspects=deploy_view.aspects_in_words,
        changed=draft_history_view.changed_files(comparison),
        units=change_units(before, package),
        marks=marks(comparison, diagram),
        focus=first_drawn(change_lines(comparison, diagrams, diagram)),
        diagram=diagram,
        sides=[
            (f"state-{point.number}", "before", "Then", diagram in before.files),
            ("draft", "after", "Now", diagram in package.files),
        ],
    )
