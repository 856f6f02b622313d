"""The workbench's pages: begin a draft, the editors of its files, and the choice between two saves."""

from __future__ import annotations

from typing import Any

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import NotFound
from usher_engine.accounts import Role
from usher_engine.authoring import Draft
from usher_engine.core import whole_number
from usher_engine.definitions import Package
from usher_engine.enrollment import preview_mail
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from .. import auth
from ..content_policy import FRAMING, MAIL, STYLED, with_policy
from ..site import site
from . import workbench
from .finding_words import shown_findings
from .save_conflict import hunks, merged_text
from .uploads import new_file, new_process, uploaded_package

blueprint = Blueprint("modeler", __name__)

PAGES = {"diagram": "modeler.html", "form": "edit_form.html", "decision": "edit_decision.html"}
#: Editors that write style attributes; the diagram's does not.
STYLING = frozenset({"form", "decision"})


@blueprint.get("/drafts/new")
@auth.policy(Role.ANALYST)
def new() -> str:
    return render_template("draft_new.html", errors={}, values={})


@blueprint.post("/drafts/new")
@auth.policy(Role.ANALYST)
def create() -> Response | tuple[str, int]:
    """A new process: empty, or from a .bpmn file or a package as a zip."""
    values = {name: request.form.get(name, "").strip() for name in ("key", "name")}
    try:
        process, package = new_process(values["key"], values["name"])
        draft = site().engine.drafts.start(process, actor=auth.actor(), package=package)
    except usher_engine.InvalidSubmission as error:
        return render_template("draft_new.html", errors=error.fields, values=values), 422
    return redirect(url_for(".edit", process=draft.process), 303)


@blueprint.post("/processes/<process>/draft")
@auth.policy(Role.ANALYST)
def start(process: str) -> Response:
    """Begin a draft from a version (by default the one in force) or an upload; open the draft if there is one."""
    number = whole_number(request.form.get("number", ""))
    package = uploaded_package()
    if package is None and number is None and _draft(process) is not None:
        return redirect(url_for(".edit", process=process), 303)
    site().engine.drafts.start(process, actor=auth.actor(), number=number, package=package)
    return redirect(url_for(".edit", process=process), 303)


@blueprint.post("/processes/<process>/draft/discard")
@auth.policy(Role.ANALYST)
def discard(process: str) -> Response:
    site().engine.drafts.discard(process, etag=request.form.get("etag", ""), actor=auth.actor())
    auth.say(f"The draft of {process} was discarded.")
    return redirect(url_for("processes.show"), 303)


@blueprint.get("/processes/<process>/edit")
@auth.policy(Role.ANALYST)
def edit(process: str) -> Response | str:
    """The editor of the draft's diagram, or the page that begins a draft."""
    draft = _draft(process)
    if draft is None:
        versions = site().engine.versions.all(process)
        if not versions:
            raise NotFound(f"There is no process “{process}”. Begin a new one.")
        return render_template("draft_none.html", process=process, versions=versions)
    package = site().engine.drafts.package(process)
    path = workbench.main_diagram(package, process)
    if not path:
        return redirect(url_for(".files", process=process), 303)
    return _editor(draft, package, path, "modeler.edit", workbench.kind(path))


@blueprint.get("/processes/<process>/files/<path:path>")
@auth.policy(Role.ANALYST)
def file(process: str, path: str) -> Response:
    """The editor of one file; ``?as=text`` edits its text, to fix what no other editor can open."""
    draft, package = site().engine.drafts.find(process), site().engine.drafts.package(process)
    if path not in package.files:
        raise NotFound(f"The draft has no file {path}.")
    main = path == workbench.main_diagram(package, process)
    kind = "text" if request.args.get("as") == "text" else workbench.kind(path)
    return _editor(draft, package, path, "modeler.edit" if main else "modeler.files", kind)


def _editor(draft: Draft, package: Package, path: str, tab: str, kind: str) -> Response:
    try:
        text = package.text(path)
    except usher_engine.InvalidDefinition as error:  # not UTF-8: none of our editors can show it
        page = render_template("edit_none.html", reason=error.problems[0][1], **_shared(draft, path, tab))
        return with_policy(page, FRAMING)
    page = render_template(
        PAGES.get(kind, "edit_text.html"),
        kind=kind,
        text=text,
        facts=workbench.facts(draft, package, path),
        findings=shown_findings(site().engine.deployments.check_draft(draft.process, package), package),
        **_shared(draft, path, tab),
    )
    return with_policy(page, STYLED if kind in STYLING else FRAMING)


def _shared(draft: Draft, path: str, tab: str) -> dict[str, Any]:
    versions = site().engine.versions.all(draft.process)
    return {
        "draft": draft,
        "path": path,
        "tabs": workbench.tabs(draft, tab),
        "process": draft.process,
        "name": versions[0].name if versions else draft.process,
        "aside": site().engine.drafts.set_aside(draft.process),
    }


# the files of the draft


@blueprint.get("/processes/<process>/files")
@auth.policy(Role.ANALYST)
def files(process: str) -> str:
    return _files(process, {})


@blueprint.post("/processes/<process>/files")
@auth.policy(Role.ANALYST)
def add_file(process: str) -> Response | tuple[str, int]:
    """Add a file, empty or uploaded; its ending decides its kind."""
    path = ""
    try:
        path, content = new_file(request.form.get("path", "").strip())
        site().engine.drafts.save_file(process, path, content, etag="", actor=auth.actor())
    except usher_engine.StaleDraft as late:
        site().engine.drafts.forget_aside(process, late.aside, actor=auth.actor())  # the person still has it
        return _files(process, {"path": f"There is a file {path} already. Choose another name."}), 422
    except (usher_engine.InvalidSubmission, usher_engine.InvalidDefinition) as error:
        return _files(process, {"path": error.message}), 422
    return redirect(url_for(".file", process=process, path=path), 303)


@blueprint.post("/processes/<process>/files/rename")
@auth.policy(Role.ANALYST)
def rename_file(process: str) -> Response | tuple[str, int]:
    path, new_path = request.form.get("path", ""), request.form.get("new", "").strip()
    try:
        site().engine.drafts.rename_file(process, path, new_path, etag=request.form.get("etag", ""), actor=auth.actor())
    except (usher_engine.InvalidSubmission, usher_engine.InvalidDefinition) as error:
        return _files(process, {"new": error.message}), 422
    return redirect(url_for(".files", process=process), 303)


@blueprint.post("/processes/<process>/files/remove")
@auth.policy(Role.ANALYST)
def remove_file(process: str) -> Response:
    etag = request.form.get("etag", "")
    site().engine.drafts.remove_file(process, request.form.get("path", ""), etag=etag, actor=auth.actor())
    return redirect(url_for(".files", process=process), 303)


def _files(process: str, errors: dict[str, str]) -> str:
    draft = site().engine.drafts.find(process)
    kinds = {found.path: workbench.kind(found.path) for found in draft.files}
    ordered = sorted(draft.files, key=lambda found: (workbench.ORDER.index(kinds[found.path]), found.path))
    return render_template(
        "draft_files.html", files=ordered, kinds=kinds, errors=errors, **_shared(draft, "", "modeler.files")
    )


# two saves of one file


@blueprint.get("/processes/<process>/late/<key>")
@auth.policy(Role.ANALYST)
def late(process: str, key: str) -> str:
    """Where the two texts of a file differ after a late save."""
    draft, package = site().engine.drafts.find(process), site().engine.drafts.package(process)
    kept, content = site().engine.drafts.set_aside_content(process, key)
    found = draft.file(kept.path)
    theirs = package.files.get(kept.path, b"")
    return render_template(
        "draft_late.html",
        kept=kept,
        there=found,
        hunks=list(hunks(theirs, content)),
        **_shared(draft, kept.path, "modeler.files"),
    )


@blueprint.post("/processes/<process>/late/<key>")
@auth.policy(Role.ANALYST)
def choose(process: str, key: str) -> Response:
    """Save mine, theirs, or some of each; the text set aside is deleted once the choice is saved."""
    engine, actor = site().engine, auth.actor()
    kept, content = engine.drafts.set_aside_content(process, key)
    choice, etag = request.form.get("choice", ""), request.form.get("etag", "")
    if choice not in ("mine", "theirs", "some"):
        raise BadRequest("Choose one of the texts, or some of each.")
    if choice == "some":
        theirs = engine.drafts.package(process).files.get(kept.path, b"")
        content = merged_text(theirs, content, {name: value for name, value in request.form.items() if name[0] == "h"})
    if choice != "theirs":
        engine.drafts.save_file(process, kept.path, content, etag=etag, actor=actor)
    engine.drafts.forget_aside(process, key, actor=actor)
    auth.say(f"{kept.path}: {'the saved text stays' if choice == 'theirs' else 'your choice is saved'}.")
    return redirect(url_for(".file", process=process, path=kept.path), 303)


# mails


@blueprint.post("/drafts/preview")
@auth.policy(Role.ANALYST)
def preview() -> Response:
    """Render a mail, with the text as typed, as a synthetic patient would get it; shown in a frame without scripts."""
    path, text = request.form.get("path", ""), request.form.get("text", "")
    settings = site().settings
    try:
        shown = preview_mail(text, html=path.endswith(".html"), settings=settings, now=site().now())
    except usher_engine.EngineError as error:
        return with_policy(render_template("mail_preview.html", problem=error.message, shown=""), MAIL)
    if path.endswith(".html"):
        return with_policy(shown, MAIL)
    return with_policy(render_template("mail_preview.html", problem="", shown=shown), MAIL)


def _draft(process: str) -> Draft | None:
    try:
        return site().engine.drafts.find(process)
    except NotFound:
        return None
