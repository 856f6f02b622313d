"""Processes as analysts and auditors see them: the deployed versions and their diagrams. Shows no patients."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, render_template, request
from usher_engine.accounts import Role
from usher_engine.authoring import Draft, SignOff, Version
from usher_engine.core import whole_number
from werkzeug.wrappers import Response

from .. import auth
from ..casework.diagram_files import bpmn_response, drawing_views
from ..site import site
from . import workbench

blueprint = Blueprint("processes", __name__, url_prefix="/processes")


@blueprint.get("")
@auth.policy(Role.ANALYST, Role.AUDITOR)
def show() -> str:
    in_force: dict[str, Version] = {}
    for version in site().engine.versions.all():
        in_force.setdefault(version.process, version)
    drafts = _unfinished(in_force) if auth.actor().role == Role.ANALYST else []
    return render_template("processes.html", in_force=list(in_force.values()), drafts=drafts)


def _unfinished(in_force: Mapping[str, Version]) -> list[tuple[Draft, SignOff | None]]:
    """Drafts that differ from the version in force, each with its pending sign-off."""
    engine = site().engine
    drafts = [draft for draft in engine.drafts.all() if _differs(draft, in_force.get(draft.process))]
    return [(draft, engine.deployments.sign_off_asked(draft.process)) for draft in drafts]


def _differs(draft: Draft, version: Version | None) -> bool:
    return version is None or draft.etag != version.hash


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
