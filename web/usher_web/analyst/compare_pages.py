"""Two versions of a process side by side: one sentence, both diagrams, every change with before and after."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request
from usher_engine import NotFound
from usher_engine.accounts import Role
from usher_engine.authoring import Version
from usher_engine.core import whole_number
from usher_engine.definitions import Package
from usher_engine.differences import compare
from werkzeug.wrappers import Response

from .. import auth
from ..casework.diagram_files import bpmn_response
from ..site import site
from .diff_view import change_lines, changed_elements, lines_of, marks, sentence
from .workbench import process_tabs

blueprint = Blueprint("compare", __name__, url_prefix="/processes")

DRAFT = "draft"


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two compared packages; *key* is a version's number or ``draft``."""

    key: str
    label: str
    package: Package


@blueprint.get("/<process>/compare")
@auth.policy(Role.ANALYST, Role.AUDITOR, Role.ADMIN)
def show(process: str) -> str:
    """``?from=3&to=4`` or ``to=draft``, by default the newest version and the one before; ``diagram=`` a file."""
    versions, has_draft = site().engine.versions.all(process), _has_draft(process)
    if not versions and not has_draft:
        raise NotFound(f"No process is called “{process}”.")
    to = request.args.get("to") or (str(versions[0].number) if versions else DRAFT)
    newer = _side(process, to)
    older = _side(process, request.args.get("from") or _before(newer, versions))
    comparison = compare(older.package, newer.package)
    counted = changed_elements(comparison)
    diagrams = list(dict.fromkeys([*newer.package.diagrams(), *older.package.diagrams()]))
    shown = request.args.get("diagram") or next(iter(sorted(diagrams, key=lambda file: not counted[file])), "")
    if shown and shown not in diagrams:
        raise NotFound(f"Neither of the two has a diagram {shown}.")
    listed = change_lines(comparison, diagrams, shown)
    return render_template(
        "compare.html",
        process=process,
        name=versions[0].name if versions else process,
        tabs=process_tabs(process, "compare.show", drafted=has_draft),
        choices=[*([DRAFT] if has_draft else []), *(str(version.number) for version in versions)],
        older=older,
        newer=newer,
        sentence=sentence(comparison),
        changes=[one for one in listed if not one.only_moved],
        moved=[one for one in listed if one.only_moved],
        marks=marks(comparison, shown),
        lines_of=lines_of,
        diagrams=diagrams,
        shown=shown,
        counted=counted,
    )


@blueprint.get("/<process>/compare/<side>/diagram.bpmn")
@auth.policy(Role.ANALYST, Role.AUDITOR, Role.ADMIN)
def diagram(process: str, side: str) -> Response:
    """The diagram of one side as stored in the package; a draft's as it is now."""
    found, file = _side(process, side), request.args.get("file", "")
    if not found.package.diagrams() or (file and file not in found.package.diagrams()):
        raise NotFound("This version has no such diagram.")
    return bpmn_response(found.package, file)


def _side(process: str, key: str) -> Side:
    if key == DRAFT:
        return Side(key=DRAFT, label="Draft", package=site().engine.drafts.package(process))
    number = whole_number(key)
    if number is None:
        raise NotFound(f"“{key[:40]}” is neither the number of a version nor “{DRAFT}”.")
    return Side(key=key, label=f"Version {key}", package=site().engine.versions.package(process, number))


def _before(newer: Side, versions: list[Version]) -> str:
    """What *newer* is compared with by default: the version before it, or itself if there is none."""
    below = (one.number for one in versions if newer.key == DRAFT or one.number < int(newer.key))
    return str(next(below, newer.key))


def _has_draft(process: str) -> bool:
    try:
        site().engine.drafts.find(process)
    except NotFound:
        return False
    return True
