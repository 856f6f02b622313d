"""Two versions of a process side by side: one sentence, both diagrams, every change with before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for
from usher_engine import NotFound
from usher_engine.accounts import Role
from usher_engine.authoring import Version
from usher_engine.core import whole_number
from usher_engine.definitions import Drawing, Package
from usher_engine.differences import compare
from werkzeug.wrappers import Response

from .. import auth
from ..casework.diagram_files import bpmn_response
from ..site import site
from ..words.presentation import exact_time
from .diff_view import change_lines, changed_elements, first_drawn, lines_of, marks, sentence
from .workbench import has_draft, process_tabs

blueprint = Blueprint("compare", __name__, url_prefix="/processes")

DRAFT = "draft"
#: Begins the key of a state that the draft was in.
STATE = "state-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two compared packages; *key* is a version's number, ``draft``, or ``state-N`` for what it was."""

    key: str
    label: str
    package: Package


@blueprint.get("/<process>/compare")
@auth.policy(Role.ANALYST, Role.AUDITOR, Role.ADMIN)
def show(process: str) -> str:
    """``?from=3&to=4`` or ``to=draft``, by default the newest version and the one before; ``diagram=`` a file."""
    versions, drafted = site().engine.versions.all(process), has_draft(process)
    if not versions and not drafted:
        raise NotFound(f"No process is called “{process}”.")
    to = request.args.get("to") or (str(versions[0].number) if versions else DRAFT)
    newer = _side(process, to)
    older = _side(process, request.args.get("from") or _before(newer, versions))
    comparison = compare(older.package, newer.package)
    counted = changed_elements(comparison)
    diagrams = _diagrams(process, newer, older)
    shown = request.args.get("diagram") or _first_changed(diagrams, counted)
    if shown and shown not in diagrams:
        raise NotFound(f"Neither of the two has a diagram {shown}.")
    file = diagrams[shown].file if shown else ""
    listed = change_lines(comparison, {one.file for one in diagrams.values()}, file)
    return render_template(
        "compare.html",
        process=process,
        name=versions[0].name if versions else process,
        tabs=process_tabs(process, "compare.show", drafted=drafted),
        choices=[*([DRAFT] if drafted else []), *(str(version.number) for version in versions)],
        older=older,
        newer=newer,
        sentence=sentence(comparison),
        changes=[one for one in listed if not one.only_moved],
        moved=[one for one in listed if one.only_moved],
        marks=marks(comparison, file),
        focus=first_drawn(listed),
        lines_of=lines_of,
        diagrams=diagrams,
        names={one.file: one.name for one in reversed(diagrams.values())},
        calls=_calls(process, older, newer, diagrams[shown]) if shown else {},
        shown=shown,
        counted=counted,
    )


@blueprint.get("/<process>/compare/<side>/diagram.bpmn")
@auth.policy(Role.ANALYST, Role.AUDITOR, Role.ADMIN)
def diagram(process: str, side: str) -> Response:
    """The diagram of one side as stored in the package; a draft's as it is now."""
    return bpmn_response(_side(process, side).package, process)


def _diagrams(process: str, *sides: Side) -> dict[str, Drawing]:
    """The diagrams of both sides by key, the main one first; as the first of *sides* names them."""
    found: dict[str, Drawing] = {}
    for side in sides:
        for one in side.package.drawings_of(process):
            found.setdefault(one.key, one)
    return found


def _calls(process: str, older: Side, newer: Side, shown: Drawing) -> dict[str, dict[str, str]]:
    """Where the call activities in the diagram *shown* lead: the name and the address of the called diagram."""
    found = _diagrams(process, newer, older)
    both = [one for side in (older, newer) for one in side.package.drawings if one.key == shown.key]
    calls = {activity: key for one in both for activity, key in one.calls.items()}
    asked: dict[str, Any] = {"from": older.key, "to": newer.key}
    return {
        activity: {"name": found[key].name, "url": url_for(".show", process=process, diagram=key, **asked)}
        for activity, key in calls.items()
    }


def _first_changed(diagrams: Mapping[str, Drawing], counted: Mapping[str, int]) -> str:
    """The key of the first diagram with a changed element, or else of the main one."""
    return next((key for key, one in diagrams.items() if counted[one.file]), next(iter(diagrams), ""))


def _side(process: str, key: str) -> Side:
    if key == DRAFT:
        return Side(key=DRAFT, label="Draft", package=site().engine.drafts.package(process))
    state = whole_number(key.removeprefix(STATE)) if key.startswith(STATE) else None
    if state is not None:
        point, package = site().engine.draft_history.point(process, state)
        return Side(key=key, label=f"Draft of {exact_time(point.at, site().settings.calendar)}", package=package)
    number = whole_number(key)
    if number is None:
        raise NotFound(f"“{key[:40]}” is neither the number of a version nor “{DRAFT}”.")
    return Side(key=key, label=f"Version {key}", package=site().engine.versions.package(process, number))


def _before(newer: Side, versions: list[Version]) -> str:
    """What *newer* is compared with by default: the version before it, or itself if there is none."""
    number = whole_number(newer.key)
    below = (one.number for one in versions if number is None or one.number < number)
    return str(next(below, newer.key))
