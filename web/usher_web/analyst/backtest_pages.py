"""Backtest: recorded cases on the draft or another version. Start a run, watch it, read its result; no patients."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from usher_engine import InvalidDefinition, NotFound
from usher_engine.accounts import Role
from usher_engine.cases import Batch, BatchKind, CaseSelection, stored_time
from usher_engine.core import whole_number
from usher_engine.definitions import Package
from usher_engine.exports import csv_row
from werkzeug.wrappers import Response as AnyResponse

from .. import auth
from ..casework.diagram_files import bpmn_response, drawing_views
from ..site import site
from ..words.date_range import begin_of, check_way, day_of, end_of
from .assumption_form import fields_of, in_words
from .backtest_view import Asked, asked, case_words, focus, parts, segments, sentence, way_of_case, ways, ways_of
from .batch_pages import names_with, process_url, progress_of, run_of
from .workbench import has_draft, process_tabs

blueprint = Blueprint("backtests", __name__, url_prefix="/processes/<process>/backtest")

ASKING = (Role.ANALYST, Role.ADMIN)
READING = (*ASKING, Role.AUDITOR)
STATUSES = ("waiting", "finished", "incident", "cancelled")
SIDES = ("recorded", "draft")
PAGE = 100
DRAFT = "draft"
COLUMNS = (
    *("case", "result", "element", "instead_of", "recorded_end", "draft_end"),
    *("change", "known_from_the_record_of", "assumed_at"),
)


@blueprint.get("")
@auth.policy(*READING)
def show(process: str) -> str:
    return _page(process)


@blueprint.post("")
@auth.policy(*ASKING)
def ask(process: str) -> AnyResponse | tuple[str, int]:
    errors: dict[str, str] = {}
    chosen = _parse_selection(process, errors)
    if errors:
        return _page(process, problems=list(errors.items())), 422
    package, label = _candidate(process, request.form.get("on", ""))
    try:
        run = site().engine.batches.ask_backtest(package, chosen, label=label, actor=auth.actor())
    except InvalidDefinition as error:
        return _page(process, problems=error.problems), 422
    return redirect(url_for("backtests.run", process=process, batch=run.id), 303)


@blueprint.get("/<batch>")
@auth.policy(*READING)
def run(process: str, batch: str) -> str:
    found = run_of(process, batch, BatchKind.BACKTEST)
    recorded, draft = (
        site().engine.versions.diagram_with(_recorded_package(found)),
        site().engine.versions.diagram_with(found.package),
    )
    names = names_with(draft, recorded)
    outcome, part, after = (request.args.get(name, "") for name in ("outcome", "part", "after"))
    listed = site().engine.batches.cases(
        found.id, outcome=outcome or None, part=part or None, after=after, limit=PAGE + 1
    )
    more = listed[PAGE - 1].instance if len(listed) > PAGE else ""
    grouped, questions = parts(found, names), asked(found, names)
    return render_template(
        "backtest.html",
        process=process,
        tabs=process_tabs(process, "backtests.show", drafted=has_draft(process)),
        process_url=process_url,
        name=draft.package.name,
        run=found,
        summary=sentence(found),
        parts=grouped,
        part=next((one for one in grouped if one.key and one.key == part), None),
        bar=segments(found),
        questions=[(one, _assumption_words(one, found.package)) for one in questions],
        ways=ways_of(listed[:PAGE]) if part else ways(found),
        focus=focus(listed[0]) if listed else "",
        words={one.instance: case_words(one, names) for one in listed[:PAGE]},
        drawings=_drawings(process, found),
        new=set(draft.elements) - set(recorded.elements),
        names=names,
        listed=listed[:PAGE],
        outcome=outcome,
        next_url=_more_url(process, batch, more),
        may_ask=auth.session().account.role in ASKING,
        may_see_cases=auth.session().account.role is Role.AUDITOR,
    )


@blueprint.get("/<batch>/progress")
@auth.policy(*READING)
def progress(process: str, batch: str) -> dict[str, Any]:
    return progress_of(run_of(process, batch, BatchKind.BACKTEST))


@blueprint.post("/<batch>/cancel")
@auth.policy(*ASKING)
def cancel(process: str, batch: str) -> AnyResponse:
    site().engine.batches.cancel(run_of(process, batch, BatchKind.BACKTEST).id, actor=auth.actor())
    auth.say("The run was stopped; what it found so far is below.")
    return redirect(url_for("backtests.run", process=process, batch=batch), 303)


@blueprint.get("/<batch>/cases/<instance_id>")
@auth.policy(*READING)
def case(process: str, batch: str, instance_id: str) -> str:
    """The recorded and the new way of one case."""
    found = run_of(process, batch, BatchKind.BACKTEST)
    recorded, draft = (
        site().engine.versions.diagram_with(_recorded_package(found)),
        site().engine.versions.diagram_with(found.package),
    )
    one = site().engine.batches.case(found.id, instance_id)
    return render_template(
        "backtest_case.html",
        process=process,
        tabs=process_tabs(process, "backtests.show", drafted=has_draft(process)),
        process_url=process_url,
        name=draft.package.name,
        run=found,
        one=one,
        known=[(answer["element"], datetime.fromisoformat(answer["since"])) for answer in one.details.get("known", [])],
        names=names_with(draft, recorded),
        ways={side: way_of_case(one, side) for side in SIDES},
        focus=focus(one),
        drawings=_drawings(process, found),
        may_see_cases=auth.session().account.role is Role.AUDITOR,
    )


@blueprint.get("/<batch>/<side>.bpmn")
@auth.policy(*READING)
def diagram(process: str, batch: str, side: str) -> AnyResponse:
    found = run_of(process, batch, BatchKind.BACKTEST)
    if side not in SIDES:
        raise NotFound("A run has two diagrams: recorded and draft.")
    return bpmn_response(_package_of(found, side))


@blueprint.get("/<batch>/cases.csv")
@auth.policy(*READING)
def export(process: str, batch: str) -> Response:
    """The list as a file; numbers and elements only."""
    found = run_of(process, batch, BatchKind.BACKTEST)
    lines = [csv_row(COLUMNS)]
    after = ""
    while page := site().engine.batches.cases(found.id, after=after, limit=1_000):
        for one in page:
            details = one.details
            ends = (details["recorded"]["end"], details["draft"]["end"])
            known = " ".join(answer["since"] for answer in details.get("known", []))
            assumed = " ".join(question["element"] for question in details.get("assumed", []))
            found_by = (details.get("cause", ""), known, assumed)
            cells = (one.instance, one.outcome, one.element, details["recorded_element"], *ends, *found_by)
            lines.append(csv_row(cells))
        after = page[-1].instance
    site().engine.audit.record("Exported", {"run": found.id}, actor=auth.actor(), subject=process)
    response = Response(b"".join(lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="backtest-{found.id}.csv"'
    return response


def _page(process: str, problems: list[tuple[str, str]] | None = None) -> str:
    engine = site().engine
    in_force, draft = engine.versions.package(process), _draft_of(process)
    return render_template(
        "backtests.html",
        process=process,
        process_url=process_url,
        name=in_force.name,
        versions=engine.versions.all(process),
        draft=draft,
        tabs=process_tabs(process, "backtests.show", drafted=draft is not None),
        statuses=STATUSES,
        ends=_ends(process, names_with(engine.versions.diagram_with(in_force.hash))),
        runs=engine.batches.recent(process, BatchKind.BACKTEST),
        sent=request.form,
        problems=problems or [],
        may_ask=auth.session().account.role in ASKING,
    )


def _draft_of(process: str) -> Any:
    try:
        return site().engine.drafts.find(process)
    except NotFound:
        return None


def _candidate(process: str, on: str) -> tuple[Package, str]:
    """The package to run on, and its label."""
    if on == DRAFT:
        return site().engine.drafts.package(process), "the draft"
    number = whole_number(on)
    if number is not None:
        return site().engine.versions.package(process, number), f"version {number}"
    return site().engine.versions.package(process), "the version in force"


def _parse_selection(process: str, errors: dict[str, str]) -> CaseSelection:
    """The selected cases; unreadable input is reported in *errors*."""
    form = request.form
    since, until = (day_of(form.get(name, ""), name, errors) for name in ("since", "until"))
    check_way(since, until, "until", errors)
    return CaseSelection(
        process=process,
        since=stored_time(begin_of(since)) if since else "",
        until=stored_time(end_of(until)) if until else "",
        status=form.get("status", "") if form.get("status") in STATUSES else "",
        outcome=form.get("outcome", ""),
        limit=whole_number(form.get("limit", "").strip()) or 0,
    )


def _drawings(process: str, run: Batch) -> dict[str, list[dict[str, Any]]]:
    """The diagrams of each side."""
    where = {"process": process, "batch": run.id}
    return {
        side: drawing_views(_package_of(run, side).drawings, "backtests.diagram", side=side, **where)
        for side in SIDES
    }


def _package_of(run: Batch, side: str) -> Package:
    definition = run.package if side == DRAFT else _recorded_package(run)
    return site().engine.versions.diagram_with(definition).package


def _more_url(process: str, batch: str, after: str) -> str:
    """The next page of the same list; "" where there is none."""
    if not after:
        return ""
    outcome, part = request.args.get("outcome") or None, request.args.get("part") or None
    return url_for(".run", process=process, batch=batch, outcome=outcome, part=part, after=after)


def _assumption_words(one: Asked, package: str) -> str:
    """What is assumed for a question, in words; "" where nothing is."""
    if one.assumed is None:
        return ""
    found = site().engine.versions.diagram_with(package).package
    return in_words(one.assumed, fields_of(one.question, found, site().engine.services))


def _ends(process: str, names: dict[str, str]) -> list[tuple[str, str]]:
    """The ends that cases of the process have reached, with their names."""
    reached = {outcome for of, outcome in site().engine.search.facets().outcomes if of == process}
    return sorted(((end, names.get(end, end)) for end in reached), key=lambda one: one[1])


def _recorded_package(run: Batch) -> str:
    """The package that most of the cases ran on."""
    return str(run.details.get("recorded") or run.package)
