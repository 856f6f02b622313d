"""The evidence bundle of a case as one page: words, diagram, data and proof in a file that needs no network.

The record and its proof come from `usher_engine.exports`; this renders them for people.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

from flask import current_app
from usher_engine import Actor, EngineError, Instance
from usher_engine.cases import HistoryPages
from usher_engine.exports import Evidence, evidence, seal

from ..assets import asset_text
from ..casework.comment_views import texts_in
from ..casework.diagram_files import drawing_view, drawings_with
from ..casework.patient_labels import subject
from ..site import site
from ..words.effect_status import Effect, Followed, Words, drawn, effects, following
from ..words.element_names import bare_words, words_of
from ..words.presentation import clock_time
from ..words.proof_verdict import MEANINGS
from ..words.timeline import timeline
from .replay_calls import call_histories, marked_calls
from .replay_frames import Frame, frames

#: The record and its page are built in memory; a case this long is exported as JSON Lines instead.
MAX_STEPS = 5_000


def file_name(case: Instance) -> str:
    return f"usher-evidence-{case.id}.html"


def bundle(case: Instance, *, actor: Actor) -> bytes:
    """Return the page and record the export in the audit log. Raises what `usher_engine.exports.Export` raises."""
    found = evidence(site().engine, case.id, actor=actor)
    script, style = asset_text("evidence.js"), asset_text("evidence.css")
    words = words_of(case.id)
    whole = _whole_case(case, words or bare_words(), actor, is_drawn=words is not None)
    shown_frames, asked = whole.frames, list(whole.effects.values())
    calendar = site().settings.calendar
    versions = site().engine.versions.all(case.process)
    page = current_app.jinja_env.get_template("evidence.html").render(
        case=case,
        patient=subject(case.business_key),
        evidence=found,
        findings=[(MEANINGS.get(one.kind, MEANINGS[""]), one) for one in found.checked.findings],
        signed=signed_steps(found),
        frames=shown_frames,
        effects=asked,
        spoken=[_spoken(frame, len(shown_frames)) for frame in shown_frames],
        marks=timeline(
            [(frame.line.at if frame.line else case.started_at, frame.kind) for frame in shown_frames], calendar
        ),
        steps=whole.steps,
        versions=versions,
        drawings=whole.drawings,
        practice=site().settings.practice_name,
        made_at=site().now(),
        made_by=actor.name,
        script=script,
        style=style,
        policy=_policy(script, style),
        licences=asset_text("evidence-licences.txt"),
    )
    return seal(site().engine, page)


def signed_steps(found: Evidence) -> int:
    """How many steps the signed tree covers."""
    return sum(int(run["steps"]) for run in found.runs)


@dataclass(slots=True)
class _WholeCase:
    """The whole case: its frames, the status of every service request, and what the script needs of each step."""

    frames: list[Frame] = field(default_factory=list)
    effects: dict[str, Effect] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    #: The diagrams of each version that the case ran on, with their files, by the step that put it there.
    drawings: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


def _whole_case(case: Instance, words: Words, reader: Actor, *, is_drawn: bool) -> _WholeCase:
    plans = site().engine.queries.call_plan
    windows: HistoryPages[Followed] = HistoryPages(site().engine.context, following(plans), Followed())
    whole, drawn_at = _WholeCase(), 1
    first = 1
    while first <= min(case.revision, MAX_STEPS):
        window = windows.open(case.id, first)
        found, calls = effects(window, words), call_histories(window, plans)
        said = [seen.step for seen in window.seen if seen.step is not None]
        shown = frames(window, words, found, texts_in(said, reader=reader, reaches_end=False))
        whole.frames += shown
        whole.effects |= {effect.name: effect for effect in found}
        marks = marked_calls(window, calls, words.names, drawings_with)
        for seen, frame, history, marked in zip(window.seen, shown, calls, marks, strict=True):
            drawn_at = drawn(seen.step, drawn_at)
            if drawn_at not in whole.drawings and is_drawn:
                whole.drawings[drawn_at] = _drawings(case, history.definition)
            whole.steps.append(asdict(frame.marked) | marked | {"drawn": drawn_at})
        first = window.last + 1
    return whole


def _drawings(case: Instance, definition: str) -> list[dict[str, Any]]:
    """The diagrams of the version with that hash, or of the case's own if it is lost, with their files."""
    try:
        package = site().engine.versions.diagram_with(definition).package
    except EngineError:
        package = site().engine.queries.package_of(case.id)
    several = len(package.drawings) > 1
    return [drawing_view(one, "", several=several) | {"xml": package.text(one.file)} for one in package.drawings]


def _spoken(frame: Frame, total: int) -> str:
    """The step in one line, for screen readers."""
    if frame.line is None:
        return f"{frame.headline}, of {total}"
    when = clock_time(frame.line.at, site().now(), site().settings.calendar)
    return f"Step {frame.revision} of {total}, {when}, {frame.headline}"


def _policy(script: str, style: str) -> str:
    """The page's own content security policy: this script, this style, and nothing from anywhere."""
    named: dict[str, Any] = {"script-src": _hash(script), "style-src": _hash(style), "img-src": "data:"}
    rules = ["default-src 'none'", *(f"{name} {value}" for name, value in named.items())]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
