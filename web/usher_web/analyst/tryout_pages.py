"""Try out a draft or a version: a run built step by step, with the real forms and with service answers people type.

The run travels in the page and is played from its start each time (`usher_engine.try_out`): nothing is sent, and
nothing is stored until an analyst saves it as an example of the draft.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import InvalidDefinition, InvalidSubmission, NotFound
from usher_engine.accounts import Role
from usher_engine.core import whole_number
from usher_engine.definitions import Package, translate
from usher_engine.examples import Tried, run_examples, try_out
from werkzeug.wrappers import Response

from .. import auth
from ..casework.diagram_files import bpmn_response, drawing_views
from ..site import site
from ..staff.field_names import submitted
from .finding_words import labels_of, shown_findings
from .tryout_form import Choice, choices, example_file, new_run, process_name, sent_run, with_step, without_last
from .workbench import process_tabs

blueprint = Blueprint("tryout", __name__, url_prefix="/processes")

DRAFT = "draft"


@blueprint.get("/<process>/try")
@auth.policy(Role.ANALYST)
def show(process: str) -> str:
    """Begin a run: from one of the examples, listed with their coverage, or from typed inputs."""
    source, package = _package(process, request.args.get("source", ""))
    return _begin(process, source, package)


@blueprint.post("/<process>/try")
@auth.policy(Role.ANALYST)
def step(process: str) -> str | tuple[str, int]:
    """Show the run with one more step done, or the last one undone."""
    source, package = _package(process, request.form.get("try.source", ""))
    _refuse_broken(process, package)
    try:
        run, before = _next_run(package)
    except InvalidSubmission as wrong:
        return _page_with_error(process, source, package, wrong), 422
    tried = _try(package, run)
    if not tried.problem or before is None:
        return _page(process, source, package, run, tried)
    # A refused step is not part of the run; the typed text stays in the form.
    problem = InvalidSubmission(tried.problem, fields=tried.fields)
    return _page_with_error(process, source, package, problem), 422


def _page_with_error(process: str, source: str, package: Package, wrong: InvalidSubmission) -> str:
    """The page that sent the step, with the reason for the refusal."""
    try:
        run = _sent_run()
    except InvalidSubmission:
        return _begin(process, source, package, wrong)
    return _page(process, source, package, run, _try(package, run), wrong)


@blueprint.post("/<process>/try/save")
@auth.policy(Role.ANALYST)
def save(process: str) -> Response:
    """Save the run as an example of the draft; begin a draft if there is none."""
    source, package = _package(process, request.form.get("try.source", ""))
    run = _sent_run()
    tried = _try(package, run)
    if tried.problem:
        raise InvalidSubmission(tried.problem)
    engine = site().engine
    name = request.form.get("name", "").strip()
    try:
        files = engine.drafts.package(process).files
    except NotFound:
        number = None if source == DRAFT else int(source)
        engine.drafts.start(process, number=number, actor=auth.actor())
        files = package.files
    path, content = example_file(name, run, tried, files)
    engine.drafts.save_file(process, path, content, etag="", actor=auth.actor())
    auth.say(f"Saved as {path} in the draft of {process}.")
    return redirect(url_for("tryout.show", process=process, source=DRAFT), 303)


@blueprint.get("/<process>/try/<source>/diagram.bpmn")
@auth.policy(Role.ANALYST)
def diagram(process: str, source: str) -> Response:
    return bpmn_response(_as_run(_package(process, source)[1]), process)


def _drawings(process: str, source: str, package: Package) -> list[dict[str, Any]]:
    drawings = _as_run(package).drawings_of(process)
    return drawing_views(drawings, "tryout.diagram", process=process, source=source)


def _as_run(package: Package) -> Package:
    """The package as it is run, whose ids the way has: two files of a draft may use the same ones."""
    return translate(package)[0]


def _try(package: Package, run: Mapping[str, Any]) -> Tried:
    """*run* as far as it goes, in the practice's time zone where it names none."""
    return try_out(package, site().engine.services, run, site().settings.calendar)


def _package(process: str, source: str) -> tuple[str, Package]:
    """The draft or the version named by *source*; by default the draft, or without one the version in force."""
    engine = site().engine
    number = whole_number(source)
    if number is not None:
        return source, engine.versions.package(process, number)
    if source not in ("", DRAFT):
        raise NotFound(f"There is no version “{source[:40]}”.")
    try:
        return DRAFT, engine.drafts.package(process)
    except NotFound:
        if source == DRAFT:
            raise
        newest = engine.versions.all(process)
        if not newest:
            raise
        return str(newest[0].number), engine.versions.package(process, newest[0].number)


def _errors(process: str, package: Package) -> list[tuple[str, str]]:
    found = site().engine.deployments.check_draft(process, package)
    shown = shown_findings((finding for finding in found if finding.severity == "error"), package)
    return [(one["label"] or one["file"], one["message"]) for one in shown]


def _refuse_broken(process: str, package: Package) -> None:
    errors = _errors(process, package)
    if errors:
        raise InvalidDefinition(problems=errors)


def _sent_run() -> dict[str, Any]:
    return sent_run(request.form.get("try.run", ""))


def _next_run(package: Package) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The run after the requested step, and before it; None if it has just begun."""
    sent = request.form
    if sent.get("try.act") == "begin":
        return new_run(package, sent.get("example", ""), sent.get("start", ""), sent.get("services", "")), None
    run = _sent_run()
    if sent.get("try.act") == "back":
        return without_last(run), None
    fields = {key: value for key, value in submitted(sent).items() if "." not in key}
    return with_step(run, sent, fields), run


def _begin(process: str, source: str, package: Package, wrong: InvalidSubmission | None = None) -> str:
    errors = _errors(process, package)
    report = None if errors else run_examples(package, site().engine.services, site().settings.calendar)
    way: Mapping[str, Any] | None = None
    if report and report.outcomes:
        visits = {e: sum(e in o.path for o in report.outcomes) for o in report.outcomes for e in o.path}
        flows = {f: sum(f in o.flows for o in report.outcomes) for o in report.outcomes for f in o.flows}
        way = {"visited": [{"element": e, "visits": n} for e, n in visits.items()], "flows": flows, "at": []}
    found: list[Choice] = choices(package)
    return render_template(
        "tryout.html",
        process=process, source=source, draft=source == DRAFT, name=process_name(package, process), errors=errors,
        report=report, way=way, tabs=process_tabs(process, "tryout.show", drafted=source == DRAFT),
        missed=labels_of(package, report.missed if report else ()), choices=found, wrong=wrong, typed=request.form,
        drawings=_drawings(process, source, package),
    )  # fmt: skip


def _page(
    process: str,
    source: str,
    package: Package,
    run: Mapping[str, Any],
    tried: Tried,
    wrong: InvalidSubmission | None = None,
) -> str:
    way = {
        "visited": [{"element": element, "visits": count} for element, count in tried.visits.items()],
        "flows": dict(tried.flows),
        "at": list(tried.at),
    }
    asked = tried.service.operator if tried.service else ""
    suggested = next((c.services[asked][0] for c in choices(package) if c.services.get(asked)), None)
    sample = tried.service.sample if tried.service else None
    return render_template(
        "tryout_run.html", tabs=process_tabs(process, "tryout.show", drafted=source == DRAFT),
        process=process, source=source, draft=source == DRAFT, name=process_name(package, process), run=run,
        tried=tried, way=way, drawings=_drawings(process, source, package), wrong=wrong,
        typed=request.form if wrong else {}, suggested=suggested, sample=sample,
        steps=len(run.get("do", [])) + sum(map(len, run.get("services", {}).values())) if run.get("asks") else
        len(run.get("do", [])),
    )  # fmt: skip
