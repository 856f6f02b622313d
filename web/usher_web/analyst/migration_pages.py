"""Move running cases to another version: choose them, map elements, try it, do it. Shows no patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import InvalidSubmission
from usher_engine.accounts import Role
from usher_engine.cases import Batch, BatchKind, CaseSelection
from usher_engine.core import whole_number
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from .batch_pages import names_with, process_url, progress_of, run_of
from .workbench import has_draft, process_tabs

blueprint = Blueprint("migrations", __name__, url_prefix="/processes/<process>/migrate")

ASKING = (Role.ANALYST, Role.ADMIN)
READING = (*ASKING, Role.AUDITOR)
KINDS = (BatchKind.TRIAL, BatchKind.MIGRATION)
PAGE = 100
OLD = "map."
#: Elements that wait without a token, and kinds of waits that are not counted.
BESIDE, UNCOUNTED = ("boundary ", "choice "), ("message", "gateway")


@blueprint.get("")
@auth.policy(*READING)
def show(process: str) -> str:
    """The form: which cases, to which version, and which element replaces which."""
    engine = site().engine
    name = engine.versions.package(process).name
    versions = engine.versions.all(process)
    live = engine.migrations.live_versions(process)
    left_behind = (number for number in live if number != versions[0].number)
    source = whole_number(request.args.get("from", "")) or next(left_behind, versions[0].number)
    target = whole_number(request.args.get("to", "")) or versions[0].number
    before, after = engine.versions.diagram(process, source), engine.versions.diagram(process, target)
    standing = engine.migrations.waiting_by_element(process, source)
    rows = _rows(process, source, target, set(standing))
    return render_template(
        "migrations.html",
        process=process,
        tabs=process_tabs(process, "migrations.show", drafted=has_draft(process)),
        process_url=process_url,
        name=name,
        versions=versions,
        live=live,
        source=source,
        target=target,
        standing=standing,
        at=request.args.get("at", ""),
        of=request.args.get("of", ""),
        rows=[row for row in rows if row.shown],
        others=[row for row in rows if not row.shown],
        names=names_with(before, after),
        after=names_with(after),
        runs=engine.batches.recent(process, *KINDS),
        may_ask=auth.session().account.role in ASKING,
    )


@blueprint.post("")
@auth.policy(*ASKING)
def ask(process: str) -> Response:
    """Start a trial run; it moves nothing."""
    form = request.form
    target = whole_number(form.get("to", "")) or 0
    known = site().engine.versions.diagram(process, target).elements
    asked = {key.removeprefix(OLD): value for key, value in form.items() if key.startswith(OLD)}
    mapping = {old: new for old, new in asked.items() if new or old in known}  # "": no element, not even of the same id
    chosen = CaseSelection(
        process=process,
        version=whole_number(form.get("from", "")) or 0,
        live=True,
        at=form.get("at", ""),
        cases=_cases_moved_by(process, form.get("of", "")),
    )
    run = site().engine.batches.ask_migration(target, chosen, mapping, reason="", actor=auth.actor(), trial=True)
    return redirect(url_for("migrations.run", process=process, batch=run.id), 303)


def try_all(process: str, source: int, target: int) -> Batch:
    """Try to move every running case of version *source* to *target*, each element to the one proposed for it."""
    engine = site().engine
    mapping = engine.migrations.proposed_mapping(process, source, target)
    chosen = CaseSelection(process=process, version=source, live=True)
    return engine.batches.ask_migration(target, chosen, mapping, reason="", actor=auth.actor(), trial=True)


@blueprint.get("/<batch>")
@auth.policy(*READING)
def run(process: str, batch: str) -> str:
    return _page(process, run_of(process, batch, *KINDS))


@blueprint.post("/<batch>/run")
@auth.policy(*ASKING)
def do(process: str, batch: str) -> Response | tuple[str, int]:
    """Start the run that was tried."""
    tried = run_of(process, batch, BatchKind.TRIAL)
    chosen = CaseSelection.from_json(tried.details["chosen"])
    try:
        started = site().engine.batches.ask_migration(
            tried.details["version"],
            chosen,
            tried.details["mapping"],
            reason=request.form.get("reason", ""),
            actor=auth.actor(),
        )
    except InvalidSubmission as wrong:
        return _page(process, tried, wrong.fields), 422
    return redirect(url_for("migrations.run", process=process, batch=started.id), 303)


@blueprint.get("/<batch>/progress")
@auth.policy(*READING)
def progress(process: str, batch: str) -> dict[str, Any]:
    return progress_of(run_of(process, batch, *KINDS))


@blueprint.post("/<batch>/cancel")
@auth.policy(*ASKING)
def cancel(process: str, batch: str) -> Response:
    site().engine.batches.cancel(run_of(process, batch, *KINDS).id, actor=auth.actor())
    auth.say("The run was stopped; what it did until then stays.")
    return redirect(url_for("migrations.run", process=process, batch=batch), 303)


def _page(process: str, found: Batch, errors: dict[str, str] | None = None) -> str:
    engine = site().engine
    chosen = found.details["chosen"]
    source, target = chosen.get("version", 0), found.details["version"]
    before = engine.versions.diagram(process, source or target)
    after = engine.versions.diagram(process, target)
    outcome = request.args.get("outcome", "")
    listed = engine.batches.cases(
        found.id, outcome=outcome or None, after=request.args.get("after", ""), limit=PAGE + 1
    )
    more = listed[PAGE - 1].instance if len(listed) > PAGE else ""
    return render_template(
        "migration.html",
        process=process,
        tabs=process_tabs(process, "migrations.show", drafted=has_draft(process)),
        process_url=process_url,
        name=after.package.name,
        run=found,
        trial=found.kind is BatchKind.TRIAL,
        source=source,
        target=target,
        reasons=engine.batches.reasons(found.id),
        names=names_with(before, after),
        listed=listed[:PAGE],
        outcome=outcome,
        next_url=url_for(".run", process=process, batch=found.id, outcome=outcome or None, after=more) if more else "",
        errors=errors or {},
        reason=request.form.get("reason", ""),
        may_ask=auth.session().account.role in ASKING,
        may_see_cases=auth.session().account.role is Role.AUDITOR,
    )


@dataclass(frozen=True, slots=True)
class Row:
    """An element cases can wait at: what is proposed in its place, what could take it, and where it is shown."""

    element: str
    goal: str
    alike: list[str]
    #: Its wait ends if nothing takes its place; at any other element the case stays.
    beside: bool
    #: Cases wait there, or may wait: cases that wait for a message are not counted.
    shown: bool


def _rows(process: str, source: int, target: int, standing: set[str]) -> list[Row]:
    engine = site().engine
    proposed = engine.migrations.proposed_mapping(process, source, target)
    kinds_before, kinds_after = (
        engine.migrations.waiting_kinds(process, source),
        engine.migrations.waiting_kinds(process, target),
    )
    rows = [
        Row(
            element=element,
            goal=proposed.get(element, ""),
            alike=[other for other, other_kind in kinds_after.items() if other_kind == kind],
            beside=kind.startswith(BESIDE),
            shown=element in standing or kind.endswith(UNCOUNTED),
        )
        for element, kind in kinds_before.items()
    ]
    return sorted(rows, key=lambda row: (row.element not in standing, bool(row.goal), row.element))


def _cases_moved_by(process: str, batch: str) -> tuple[str, ...]:
    """The cases that an earlier run moved, to move them back."""
    if not batch:
        return ()
    found = run_of(process, batch, BatchKind.MIGRATION)
    cases, after = [], ""
    while page := site().engine.batches.cases(found.id, outcome="moved", after=after, limit=1_000):
        cases += [one.instance for one in page]
        after = page[-1].instance
    return tuple(cases)
