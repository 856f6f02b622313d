"""Processes as analysts and auditors see them: the deployed versions and their diagrams. Shows no patients."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from usher_engine.accounts import Role
from usher_engine.authoring import DraftState
from usher_engine.core import whole_number
from werkzeug.wrappers import Response

from .. import auth
from ..casework.diagram_files import bpmn_response, drawing_views
from ..site import site
from . import workbench
from .process_list import process_rows

blueprint = Blueprint("processes", __name__, url_prefix="/processes")


@blueprint.get("")
@auth.policy(Role.ANALYST, Role.AUDITOR)
def show() -> str:
    rows = process_rows(with_drafts=auth.actor().role == Role.ANALYST)
    return render_template("processes.html", rows=rows, states=DraftState)


@blueprint.get("/<process>")
@auth.policy(Role.ANALYST, Role.AUDITOR)
def process(process: str) -> str:
    number = whole_number(request.args.get("version", ""))
    package = site().engine.versions.package(process, number)
    versions = site().engine.versions.all(process)
    shown = next(version for version in versions if version.number == (number or versions[0].number))
    links = workbench.elsewhere(process)
    paused = site().engine.pauses.in_force(process, shown.number)
    return render_template(
        "process.html",
        versions=versions,
        shown=shown,
        drawings=drawing_views(package.drawings, "processes.diagram", process=process, number=shown.number),
        files=list(package.files),
        links=links,
        paused=paused,
    )


@blueprint.get("/<process>/<int:number>/diagram.bpmn")
@auth.policy(Role.ANALYST, Role.AUDITOR)
def diagram(process: str, number: int) -> Response:
    return bpmn_response(site().engine.versions.package(process, number))
