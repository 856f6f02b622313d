"""The evidence bundle of a case as one page: words, diagram, data and proof in a file that needs no network.

The record and its proof come from `usher_engine.exports`; this renders them for people.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict
from typing import Any

from flask import current_app
from usher_engine import Actor, Instance
from usher_engine.cases import HistoryPages
from usher_engine.exports import Evidence, evidence, seal

from ..assets import asset_text
from ..casework.patient_labels import subject
from ..site import site
from ..words.effect_status import Effect, Followed, Words, advance, effects
from ..words.element_names import bare_words, words_of
from ..words.presentation import clock_time
from ..words.proof_verdict import MEANINGS
from ..words.timeline import timeline
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
    shown_frames, asked = _whole_case(case, words or bare_words())
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
        steps=[asdict(frame.marked) for frame in shown_frames],
        versions=versions,
        diagram=_diagram(case) if words else "",
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


def _whole_case(case: Instance, words: Words) -> tuple[list[Frame], list[Effect]]:
    """The whole case as frames, and the status of every service request."""
    windows: HistoryPages[Followed] = HistoryPages(site().engine.context, advance, Followed())
    shown_frames: list[Frame] = []
    asked: dict[str, Effect] = {}
    first = 1
    while first <= min(case.revision, MAX_STEPS):
        window = windows.open(case.id, first)
        found = effects(window, words)
        shown_frames += frames(window, words, found)
        asked |= {effect.name: effect for effect in found}
        first = window.last + 1
    return shown_frames, list(asked.values())


def _spoken(frame: Frame, total: int) -> str:
    """The step in one line, for screen readers."""
    if frame.line is None:
        return f"{frame.headline}, of {total}"
    when = clock_time(frame.line.at, site().now(), site().settings.calendar)
    return f"Step {frame.revision} of {total}, {when}, {frame.headline}"


def _diagram(case: Instance) -> str:
    package = site().engine.queries.package_of(case.id)
    return package.text(package.diagrams()[0])


def _policy(script: str, style: str) -> str:
    """The page's own content security policy: this script, this style, and nothing from anywhere."""
    named: dict[str, Any] = {"script-src": _hash(script), "style-src": _hash(style), "img-src": "data:"}
    rules = ["default-src 'none'", *(f"{name} {value}" for name, value in named.items())]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
