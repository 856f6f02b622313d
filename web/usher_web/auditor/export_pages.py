"""Exports of the history: cases in other programs' formats, and the evidence bundle of one case."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

import usher_engine
from flask import Blueprint, Response, render_template, request
from usher_engine.accounts import Role
from usher_engine.exports import FORMATS, Export, Format, Selection, period

from .. import auth
from ..casework.visibility import visible_case
from ..site import site
from .evidence_page import MAX_STEPS, bundle, file_name

blueprint = Blueprint("exports", __name__)

Page = str | tuple[str, int]
REFUSALS = (usher_engine.InvalidSubmission, usher_engine.NotFound, usher_engine.Corrupt, usher_engine.Misconfigured)


@blueprint.get("/exports")
@auth.policy(Role.AUDITOR, Role.ADMIN)
def show() -> str:
    return _page()


@blueprint.post("/exports")
@auth.policy(Role.AUDITOR, Role.ADMIN)
def download() -> Page | Response:
    """Stream the file as it is read; errors in the choice or in the record are shown on the page."""
    try:
        export = _parse_export()
        pieces = export.pieces()
        begun = list(islice(pieces, 2))  # errors in the proof surface with the second line
    except REFUSALS as refused:
        return _page(refused=refused), 422
    return _file(chain(begun, pieces), export.format.media, export.file_name)


@blueprint.post("/cases/<instance_id>/evidence")
@auth.policy(Role.AUDITOR)
def evidence(instance_id: str) -> Response:
    case = visible_case(instance_id)
    if case.revision > MAX_STEPS:
        raise usher_engine.InvalidSubmission(
            f"This case has more than {MAX_STEPS} steps, too many for one page. Export it as JSON Lines with proof."
        )
    return _file(iter([bundle(case, actor=auth.actor())]), "text/html; charset=utf-8", file_name(case))


def _file(pieces: Iterator[bytes], media: str, name: str) -> Response:
    found = Response(pieces, content_type=media)
    found.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return found


def _parse_export() -> Export:
    form, actor = request.form, auth.actor()
    chosen = form.get("format", "")
    if chosen not in {one.name for one in _offered()}:
        raise usher_engine.InvalidSubmission("Choose a format.", fields={"format": "Choose one of the formats."})
    since, until = period(form.get("from", ""), form.get("to", ""), site().settings.calendar)
    return Export(
        site().engine,
        chosen,
        Selection(process=form.get("process", ""), since=since, until=until),
        actor=actor,
        with_data="data" in form and FORMATS[chosen].takes_data and _may_have_data(),
        with_audit="audit" in form and chosen == "jsonl",
    )


def _may_have_data() -> bool:
    """Administrators manage accounts and settings; they may not see patient data."""
    return auth.session().account.role is Role.AUDITOR


def _offered() -> list[Format]:
    return [one for one in FORMATS.values() if _may_have_data() or not one.holds_data]


def _page(refused: usher_engine.EngineError | None = None) -> str:
    names: dict[str, str] = {}
    for version in site().engine.versions.all():
        names.setdefault(version.process, version.name)
    return render_template(
        "exports.html",
        formats=_offered(),
        processes=names,
        sent=request.form,
        refused=refused,
        fields=getattr(refused, "fields", {}),
        with_data=_may_have_data(),
    )
