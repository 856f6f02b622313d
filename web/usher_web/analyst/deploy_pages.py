"""From the draft to the version in force: the review, the note, the second analyst, and the rollback."""

from __future__ import annotations

from collections.abc import Mapping

import usher_engine
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.authoring import Draft, Version
from usher_engine.core import whole_number
from usher_engine.definitions import Package
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from . import workbench
from .finding_words import shown_findings

blueprint = Blueprint("deployments", __name__, url_prefix="/processes/<process>")

MAX_NOTE = 500


@blueprint.get("/deploy")
@auth.policy(Role.ANALYST)
def show(process: str) -> str:
    return _page(process, {}, "")


@blueprint.post("/deploy")
@auth.policy(Role.ANALYST)
def deploy(process: str) -> Response | tuple[str, int]:
    """Deploy what was reviewed, ask for a second analyst, or sign off what a colleague asked for."""
    engine, actor = site().engine, auth.actor()
    etag, note = request.form.get("etag", ""), request.form.get("note", "")[:MAX_NOTE]
    try:
        if request.form.get("act") == "ask":
            engine.deployments.ask_sign_off(process, etag=etag, note=note, actor=actor)
            auth.say("Asked. Another analyst finds it under Processes and signs it off.")
            return redirect(url_for(".show", process=process), 303)
        version = engine.deployments.deploy_draft(process, etag=etag, note=note, actor=actor)
    except usher_engine.InvalidSubmission as error:
        return _page(process, error.fields, note), 422
    auth.say(f"{version.name} v{version.number} is in force. New cases start on it; running cases stay on theirs.")
    return redirect(url_for("processes.process", process=process), 303)


@blueprint.post("/roll-back")
@auth.policy(Role.ANALYST)
def roll_back(process: str) -> Response:
    """Deploy the content of an older version as the next version."""
    number, seen = (whole_number(request.form.get(name, "")) or 0 for name in ("number", "seen"))
    note = request.form.get("note", "")[:MAX_NOTE]
    version = site().engine.deployments.roll_back(process, number, seen=seen, note=note, actor=auth.actor())
    auth.say(f"v{version.number} is in force, with the content of v{number}.")
    return redirect(url_for("processes.process", process=process), 303)


def _page(process: str, errors: dict[str, str], note: str) -> str:
    engine = site().engine
    draft, package = engine.drafts.find(process), engine.drafts.package(process)
    findings = engine.deployments.check_draft(process, package)
    newest = _newest(process)
    return render_template(
        "deploy.html",
        draft=draft,
        process=process,
        name=newest.name if newest else process,
        tabs=workbench.tabs(draft, "deployments.show"),
        aside=engine.drafts.set_aside(process),
        findings=shown_findings(findings, package),
        blocked=any(finding.severity == "error" for finding in findings),
        newest=newest,
        changes=_changes(engine.versions.package(process).files if newest else {}, package),
        asked=engine.deployments.sign_off_asked(process),
        four_eyes=engine.deployments.four_eyes,
        compare=_compare(draft, newest),
        errors=errors,
        note=note,
    )


def _newest(process: str) -> Version | None:
    return next(iter(site().engine.versions.all(process)), None)


def _changes(old: Mapping[str, bytes], package: Package) -> list[tuple[str, str]]:
    """The files that are new, changed or removed since the version in force."""
    found = []
    for path in sorted(old.keys() | package.files.keys()):
        if path not in old:
            found.append(("new", path))
        elif path not in package.files:
            found.append(("removed", path))
        elif old[path] != package.files[path]:
            found.append(("changed", path))
    return found


def _compare(draft: Draft, newest: Version | None) -> str:
    """The address of the comparison between the draft and the version in force, if there is one."""
    if newest is None or "compare.show" not in current_app.view_functions:
        return ""
    return workbench.compared(draft, newest.number)
