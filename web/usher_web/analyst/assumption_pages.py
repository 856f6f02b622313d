"""Assumptions of a backtest: answer a question once for all cases, or take the answer back. Each computes a new run."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import InvalidSubmission, NotFound
from usher_engine.accounts import Role
from usher_engine.cases import Batch, BatchKind
from werkzeug.wrappers import Response as AnyResponse

from .. import auth
from ..site import site
from .assumption_form import assumption_of, fields_of
from .backtest_view import Asked, asked
from .batch_pages import names_with, process_url, run_of
from .workbench import has_draft, process_tabs

blueprint = Blueprint("assumptions", __name__, url_prefix="/processes/<process>/backtest/<batch>/assume")

ASKING = (Role.ANALYST, Role.ADMIN)


@blueprint.get("/<element>")
@auth.policy(*ASKING)
def show(process: str, batch: str, element: str) -> str:
    run = run_of(process, batch, BatchKind.BACKTEST)
    return _page(process, run, _question(run, element))


@blueprint.post("/<element>")
@auth.policy(*ASKING)
def ask(process: str, batch: str, element: str) -> AnyResponse | tuple[str, int]:
    run = run_of(process, batch, BatchKind.BACKTEST)
    found = _question(run, element)
    kept = [one for one in run.details.get("assume", []) if one["element"] != element]
    try:
        if request.form.get("act.back") is None:
            package = site().engine.versions.diagram_with(run.package).package
            kept.append(assumption_of(found.question, request.form, package, site().engine.services))
        again = site().engine.batches.ask_again(run.id, kept, actor=auth.actor())
    except InvalidSubmission as wrong:
        return _page(process, run, found, wrong), 422
    return redirect(url_for("backtests.run", process=process, batch=again.id), 303)


def _question(run: Batch, element: str) -> Asked:
    """What the run asks at *element*; raises `NotFound`."""
    names = names_with(site().engine.versions.diagram_with(run.package))
    found = next((one for one in asked(run, names) if one.question.element == element), None)
    if found is None:
        raise NotFound("This run asks nothing there.")
    return found


def _page(process: str, run: Batch, found: Asked, wrong: InvalidSubmission | None = None) -> str:
    diagram = site().engine.versions.diagram_with(run.package)
    answer: Any = (found.assumed or {}).get("answer")
    return render_template(
        "backtest_assume.html",
        process=process,
        tabs=process_tabs(process, "backtests.show", drafted=has_draft(process)),
        process_url=process_url,
        name=diagram.package.name,
        element=names_with(diagram).get(found.question.element, found.question.element),
        run=run,
        found=found,
        fields=fields_of(found.question, diagram.package, site().engine.services),
        values=request.form if wrong else (answer if isinstance(answer, dict) else {"answer": answer}),
        wrong=wrong,
    )
