"""From the draft to the version in force: what is known of it, the note, the second analyst, and the rollback."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.authoring import Draft, DraftTrial, PointKind, Version
from usher_engine.cases import Batch, BatchKind
from usher_engine.core import whole_number
from usher_engine.definitions import Package
from usher_engine.differences import Comparison, compare, read_diagrams
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from . import deploy_view, workbench
from .backtest_view import sentence as backtest_sentence
from .batch_pages import names_with
from .diff_view import sentence as change_sentence
from .finding_words import shown_findings
from .migration_pages import try_all

blueprint = Blueprint("deployments", __name__, url_prefix="/processes/<process>")

MAX_NOTE = 500
#: Versions whose running cases are listed, newest first.
VERSIONS = 3

Page = Response | tuple[str, int]


@blueprint.get("/deploy")
@auth.policy(Role.ANALYST)
def show(process: str) -> str:
    return _page(process)


@blueprint.post("/deploy")
@auth.policy(Role.ANALYST)
def deploy(process: str) -> Page:
    """
    Deploy what was reviewed, ask for a second analyst, or sign off what a colleague asked for.

    With ``move=7`` a trial follows at once: which running cases of v7 could be moved to the new version.
    """
    engine, actor = site().engine, auth.actor()
    etag, note = request.form.get("etag", ""), request.form.get("note", "")[:MAX_NOTE]
    act = request.form.get("act", "")
    try:
        if act == "note":
            engine.deployments.keep_note(process, note, actor=actor)
            auth.say("The note is kept. Nothing was deployed.")
            return redirect(url_for(".show", process=process), 303)
        if act == "ask":
            engine.deployments.ask_sign_off(process, etag=etag, note=note, actor=actor)
            auth.say("Asked. Another analyst finds it under Processes and signs it off.")
            return redirect(url_for(".show", process=process), 303)
        version = engine.deployments.deploy_draft(process, etag=etag, note=note, actor=actor)
    except (usher_engine.Conflict, usher_engine.InvalidDefinition, usher_engine.InvalidSubmission) as refused:
        return _refused(process, refused, etag)
    auth.say(f"{version.name} v{version.number} is in force. New cases start on it; running cases stay on theirs.")
    source = whole_number(request.form.get("move", ""))
    if source in engine.migrations.live_versions(process):
        tried = try_all(process, source, version.number)
        return redirect(url_for("migrations.run", process=process, batch=tried.id), 303)
    return redirect(url_for("processes.process", process=process), 303)


@blueprint.post("/deploy/send-back")
@auth.policy(Role.ANALYST)
def send_back(process: str) -> Page:
    """Refuse the sign-off that a colleague asked for, with a reason."""
    etag, reason = request.form.get("etag", ""), request.form.get("reason", "")[:MAX_NOTE]
    try:
        site().engine.deployments.send_back(process, etag=etag, reason=reason, actor=auth.actor())
    except (usher_engine.Conflict, usher_engine.InvalidSubmission) as refused:
        return _refused(process, refused, etag)
    auth.say("Sent back. Nothing was deployed; your reason stands on this page.")
    return redirect(url_for(".show", process=process), 303)


@blueprint.post("/deploy/accept")
@auth.policy(Role.ANALYST)
def accept(process: str) -> Page:
    """Rewrite the chosen examples to the way they take now."""
    etag, files = request.form.get("etag", ""), request.form.getlist("file")
    try:
        site().engine.deployments.accept_examples(process, files, etag=etag, actor=auth.actor())
    except (usher_engine.Conflict, usher_engine.InvalidDefinition, usher_engine.InvalidSubmission) as refused:
        return _refused(process, refused, etag)
    auth.say(f"{len(files)} example{'' if len(files) == 1 else 's'} rewritten to the way taken now.")
    return redirect(url_for(".show", process=process, _anchor="examples"), 303)


@blueprint.post("/roll-back")
@auth.policy(Role.ANALYST)
def roll_back(process: str) -> Response:
    """Deploy the content of an older version as the next version."""
    number, seen = (whole_number(request.form.get(name, "")) or 0 for name in ("number", "seen"))
    note = request.form.get("note", "")[:MAX_NOTE]
    version = site().engine.deployments.roll_back(process, number, seen=seen, note=note, actor=auth.actor())
    auth.say(f"v{version.number} is in force, with the content of v{number}.")
    return redirect(url_for("processes.process", process=process), 303)


def _refused(process: str, refused: usher_engine.EngineError, etag: str) -> tuple[str, int]:
    """The page again, with why nothing was done; what was typed stays."""
    match refused:
        case usher_engine.Conflict():
            return _page(process, meanwhile=_meanwhile(process, refused.message, etag)), 409
        case usher_engine.InvalidSubmission():
            return _page(process, errors=refused.fields), 422
        case _:
            return _page(process, refused=refused.message), 422


def _meanwhile(process: str, message: str, etag: str) -> dict[str, Any]:
    """What changed in the draft since the content *etag* was looked at, as far as that is kept."""
    seen, now = site().engine.draft_history.package_seen(process, etag), site().engine.drafts.package(process)
    comparison = compare(seen, now) if seen else Comparison(changes=())
    lines = deploy_view.changes_of(comparison, now.diagrams())
    return {"message": message, "sentence": change_sentence(comparison) if seen else "", "changes": lines}


def _page(
    process: str,
    *,
    errors: dict[str, str] | None = None,
    refused: str = "",
    meanwhile: dict[str, Any] | None = None,
) -> str:
    engine = site().engine
    draft, package = engine.drafts.find(process), engine.drafts.package(process)
    versions = engine.versions.all(process)
    newest = next(iter(versions), None)
    in_force = engine.versions.package(process) if newest else None
    note, asked = engine.deployments.note(process), engine.deployments.sign_off_asked(process)
    known = _known(draft, package, versions, in_force)
    return render_template(
        "deploy.html",
        draft=draft,
        process=process,
        name=newest.name if newest else process,
        tabs=workbench.tabs(draft, "deployments.show"),
        aside=engine.drafts.set_aside(process),
        newest=newest,
        following=f"v{newest.number + 1 if newest else 1}",
        asked=asked,
        returned=note.returned if note and not asked else None,
        four_eyes=engine.deployments.four_eyes,
        compare=workbench.compared(draft, newest.number) if newest else "",
        aspects=deploy_view.aspects_in_words,
        listed=deploy_view.LISTED,
        errors=errors or {},
        refused=refused,
        meanwhile=meanwhile,
        note=request.form.get("note") or (asked.note if asked else note.note if note else ""),
        reason=request.form.get("reason", ""),
        **known,
    )


def _known(draft: Draft, package: Package, versions: list[Version], in_force: Package | None) -> dict[str, Any]:
    """Everything that is known of exactly this content."""
    engine, process, newest = site().engine, draft.process, next(iter(versions), None)
    live = engine.migrations.live_versions(process) if newest else {}
    findings = engine.deployments.check_draft(process, package)
    wrong = [finding for finding in findings if finding.severity == "error"]
    trial = None if wrong else engine.deployments.trials.of(package)
    names = {**_names_in(in_force), **names_with(trial.diagram)} if trial else {}
    failing = deploy_view.failing(trial, names) if trial else []
    comparison = compare(in_force or Package({}), package)
    same = newest is not None and newest.hash == draft.etag
    strong, rest = deploy_view.lede(
        following=f"v{newest.number + 1 if newest else 1}", errors=len(wrong), failing=len(failing), same=same
    )
    return {
        "strong": strong,
        "rest": rest,
        "same": same,
        "findings": shown_findings(findings, package),
        "wrong": wrong,
        "trial": trial,
        "failing": failing,
        "rewritten": deploy_view.rewritten(trial, in_force, names) if trial else [],
        "acceptance": _acceptance(draft),
        "coverage": deploy_view.coverage(trial, names) if trial else None,
        "changes": deploy_view.changes_of(comparison, package.diagrams()),
        "moved": deploy_view.only_moved(comparison),
        "backtest": _backtest(draft, package, {version.hash for version in versions}) if newest else None,
        "live": live,
        "standing": _standing(process, list(live)[:VERSIONS], trial) if trial else [],
    }


def _acceptance(draft: Draft) -> int | None:
    """The number of the state before examples were rewritten, if that was the last change of the draft."""
    match site().engine.draft_history.points(draft.process, limit=2):
        case [now, before] if now.etag == draft.etag and before.kind is PointKind.ACCEPTANCE:
            return before.number
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class LastBacktest:
    """The last backtest of a draft; *changed* says what changed since, empty where it is of this very content."""

    run: Batch
    strong: str
    rest: str
    differ: int
    changed: str


def _backtest(draft: Draft, package: Package, deployed: set[str]) -> LastBacktest | None:
    """The last backtest of this content, else the last one of an older draft; versions do not count."""
    engine = site().engine
    runs = engine.batches.recent(draft.process, BatchKind.BACKTEST)
    run = next((run for run in runs if run.package == draft.etag), None)
    run = run or next((run for run in runs if run.package not in deployed), None)
    if run is None:
        return None
    tried = engine.versions.diagram_with(run.package)
    strong, rest = backtest_sentence(run)
    changed = "" if run.package == draft.etag else change_sentence(compare(tried.package, package))
    kinds = run.tally.get("kinds", {})
    return LastBacktest(run=run, strong=strong, rest=rest, differ=run.done - kinds.get("same", 0), changed=changed)


def _standing(process: str, live: list[int], trial: DraftTrial) -> list[deploy_view.Standing]:
    engine, found = site().engine, []
    for version in live:
        places = engine.migrations.places_in(process, version, trial.diagram)
        names = names_with(trial.diagram, engine.versions.diagram(process, version))
        found += deploy_view.standing(version, engine.migrations.waiting_by_element(process, version), places, names)
    return found


def _names_in(package: Package | None) -> dict[str, str]:
    """The names of the elements of *package* by id: of those, too, that the draft has no more."""
    drawn = read_diagrams(package) if package else {}
    return {key: one.name for elements in drawn.values() for key, one in elements.items() if one.name}
