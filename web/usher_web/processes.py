"""Processes as analysts and auditors see them: the deployed versions and their diagrams; no patient anywhere."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from usher_engine import Version
from usher_engine.accounts import Role
from werkzeug.wrappers import Response

from . import auth
from .diagrams import bpmn_response
from .site import site

blueprint = Blueprint("processes", __name__, url_prefix="/processes")


@blueprint.get("")
@auth.policy(Role.ANALYST, Role.AUDITOR)
def show() -> str:
    in_force: dict[str, Version] = {}
    for version in site().engine.versions():
        in_force.setdefault(version.process, version)
    return render_template("processes.html", in_force=list(in_force.values()))


@blueprint.get("/<process>")
@auth.policy(Role.ANALYST, Role.AUDITOR)
def process(process: str) -> str:
    number = request.args.get("version", type=int)
    package = site().engine.package(process, number)
    versions = site().engine.versions(process)
    shown = next(version for version in versions if version.number == (number or versions[0].number))
    return render_template("process.html", versions=versions, shown=shown, files=list(package.files))


@blueprint.get("/<process>/<int:number>/diagram.bpmn")
@auth.policy(Role.ANALYST, Role.AUDITOR)
def diagram(process: str, number: int) -> Response:
    return bpmn_response(site().engine.package(process, number))
