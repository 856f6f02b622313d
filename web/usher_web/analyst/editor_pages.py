"""The workbench's pages: begin a draft, the editors of its files, and the choice between two saves."""

from __future__ import annotations

from typing import Any

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import InvalidSubmission, NotFound
from usher_engine.accounts import Role
from usher_engine.authoring import Draft, SetAside, names_by_place, names_with_shapes
from usher_engine.core import whole_number
from usher_engine.definitions import Finding, Package
from usher_engine.enrollment import preview_mail
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from .. import auth
from ..content_policy import FRAMING, MAIL, STYLED, with_policy
from ..site import site
from . import workbench
from .element_conflict import conflicts_between, merged_with, picks_of
from .finding_words import shown_findings
from .mail_page import framed_html, mail_page, new_language
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
    auth.say(f"The draft of {process} was discarded. It is kept; bring it back below.")
    return redirect(url_for(".edit", process=process), 303)


@blueprint.get("/processes/<process>/edit")
@auth.policy(Role.ANALYST)
def edit(process: str) -> Response | str:
    """The editor of the draft's diagram, or the page that begins a draft."""
    draft = _draft(process)
    if draft is None:
        versions = site().engine.versions.all(process)
        last = next(iter(site().engine.draft_history.points(process, limit=1)), None)
        if not versions and last is None:
            raise NotFound(f"There is no process “{process}”. Begin a new one.")
        name = versions[0].name if versions else process
        return render_template("draft_none.html", process=process, name=name, versions=versions, last=last)
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
    checked = site().engine.deployments.lint(draft.process, package)
    mail = mail_page(package, path, checked.findings) if kind == "mail" else None
    names, places = names_with_shapes(package, checked.names), names_by_place(checked.names)
    known = {"names": mail.names} if mail else {"names": names, "places": places}
    page = render_template(
        "edit_mail.html" if mail else PAGES.get(kind, "edit_text.html"),
        kind=kind,
        text=text,
        mail=mail,
        facts={**workbench.facts(draft, package, path), **known},
        findings=shown_findings(checked.findings, package),
        file_list={} if kind == "diagram" else workbench.file_list(package, path, checked.findings),
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
    """Add a file: empty, uploaded, or a mail of the draft (``begin``) in another ``language``."""
    path, begin = "", request.form.get("begin", "")
    try:
        if begin:
            package = site().engine.drafts.package(process)
            path, content = new_language(package, begin, request.form.get("language", ""))
        else:
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
def remove_file(process: str) -> Response | tuple[str, int]:
    """Remove a file; asks first where something needs it (``sure=yes`` answers)."""
    etag, path = request.form.get("etag", ""), request.form.get("path", "")
    missed = [] if request.form.get("sure") else _findings_without(process, path)
    if missed:
        return _files(process, {}, {"path": path, "etag": etag, "missed": missed}), 422
    site().engine.drafts.remove_file(process, path, etag=etag, actor=auth.actor())
    auth.say(f"{path} was removed. The page History brings it back.")
    return redirect(url_for(".files", process=process), 303)


def _findings_without(process: str, path: str) -> list[Finding]:
    """What the gate finds in the draft without this file, and does not find with it."""
    check, package = site().engine.deployments.check_draft, site().engine.drafts.package(process)
    found = set(check(process, package))
    rest = Package({other: content for other, content in package.files.items() if other != path})
    return [finding for finding in check(process, rest) if finding not in found]


def _files(process: str, errors: dict[str, str], removing: dict[str, Any] | None = None) -> str:
    draft = site().engine.drafts.find(process)
    kinds = {found.path: workbench.kind(found.path) for found in draft.files}
    ordered = sorted(draft.files, key=lambda found: (workbench.ORDER.index(kinds[found.path]), found.path))
    return render_template(
        "draft_files.html",
        files=ordered,
        kinds=kinds,
        errors=errors,
        removing=removing,
        **_shared(draft, "", "modeler.files"),
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
    base = site().engine.draft_history.file_once(process, kept.seen) if found else None
    merged = merged_with(base, theirs, content, kept.path)
    by_element = base is not None and merged is not None and request.args.get("by") != "line"
    return render_template(
        "draft_late.html",
        kept=kept,
        there=found,
        by_element=by_element,
        mergeable=merged is not None,
        conflicts=conflicts_between(base, theirs, content, kept.path, merged.conflicts)
        if base is not None and merged is not None and by_element
        else [],
        hunks=[] if by_element else list(hunks(theirs, content)),
        **_shared(draft, kept.path, "modeler.files"),
    )


@blueprint.post("/processes/<process>/late/<key>")
@auth.policy(Role.ANALYST)
def choose(process: str, key: str) -> Response:
    """Save mine, theirs, or some of each; the text set aside is deleted once the choice is saved."""
    engine, actor = site().engine, auth.actor()
    kept, content = engine.drafts.set_aside_content(process, key)
    choice, etag = request.form.get("choice", ""), request.form.get("etag", "")
    if choice not in ("mine", "theirs", "some", "elements"):
        raise BadRequest("Choose one of the texts, or some of each.")
    if choice == "some":
        theirs = engine.drafts.package(process).files.get(kept.path, b"")
        content = merged_text(theirs, content, {name: value for name, value in request.form.items() if name[0] == "h"})
    if choice == "elements":
        content = _chosen_elements(process, kept, content)
    if choice != "theirs":
        engine.drafts.save_file(process, kept.path, content, etag=etag, actor=actor)
    engine.drafts.forget_aside(process, key, actor=actor)
    auth.say(f"{kept.path}: {'the saved text stays' if choice == 'theirs' else 'your choice is saved'}.")
    return redirect(url_for(".file", process=process, path=kept.path), 303)


def _chosen_elements(process: str, kept: SetAside, content: bytes) -> bytes:
    """Both changes, with the elements that both changed as they were chosen."""
    theirs = site().engine.drafts.package(process).files.get(kept.path, b"")
    base = site().engine.draft_history.file_once(process, kept.seen)
    merged = merged_with(base, theirs, content, kept.path, picks_of(request.form))
    if merged is None or merged.content is None:
        left = ", ".join(merged.conflicts[:8]) if merged else kept.path
        raise InvalidSubmission(f"This choice does not fit together: {left}. Take all of one side, or go by line.")
    return merged.content


# mails


@blueprint.post("/drafts/preview")
@auth.policy(Role.ANALYST)
def preview() -> Response:
    """
    Render a mail, with the text as typed, as a synthetic patient would get it; shown in a frame without scripts.

    ``part`` is html or text, of a mail in Markdown; a file of an older mail holds one part only. ``shade=dark`` shows
    the HTML part as a mail program with a dark ground does.
    """
    path, text = request.form.get("path", ""), request.form.get("text", "")
    settings = site().settings
    try:
        mail = preview_mail(path, text, settings=settings, now=site().now())
    except usher_engine.EngineError as error:
        return with_policy(render_template("mail_preview.html", problem=error.message, shown=""), MAIL)
    if mail.html and request.form.get("part") != "text":
        return with_policy(framed_html(mail, dark=request.form.get("shade") == "dark"), MAIL)
    shown = f"Subject: {mail.subject}\n\n{mail.text}" if mail.subject else mail.text
    return with_policy(render_template("mail_preview.html", problem="", shown=shown), MAIL)


def _draft(process: str) -> Draft | None:
    try:
        return site().engine.drafts.find(process)
    except NotFound:
        return None
