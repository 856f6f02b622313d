"""The evidence bundle of a case as one page: words, diagram, data and proof in a file that needs no network.

What is recorded and proven comes from `usher_engine.exports`; this puts it before people's eyes.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict
from typing import Any

from flask import current_app
from usher_engine import Actor, Instance
from usher_engine.cases import Windows
from usher_engine.exports import Evidence, evidence, seal

from ..assets import built
from ..casework.patient_labels import subject
from ..site import site
from ..words.effect_status import Effect, Followed, Words, effects, follow
from ..words.element_names import bare_words, words_of
from ..words.presentation import clock_time, zone
from ..words.proof_verdict import MEANINGS
from ..words.timeline import timeline
from .replay_frames import Frame, frames

#: The record and its page are made and held whole; a case this long is exported as JSON Lines instead.
MAX_STEPS = 5_000


def file_name(case: Instance) -> str:
    return f"usher-evidence-{case.id}.html"


def bundle(case: Instance, *, actor: Actor) -> bytes:
    """The page; the audit stream is told. Raises what `usher_engine.exports.Export` raises."""
    found = evidence(site().engine, case.id, actor=actor)
    script, style = built("evidence.js"), built("evidence.css")
    words = words_of(case.id)
    told, asked = _told(case, words or bare_words())
    tz = zone(site().settings)
    versions = site().engine.versions.all(case.process)
    page = current_app.jinja_env.get_template("evidence.html").render(
        case=case,
        patient=subject(case.business_key),
        evidence=found,
        findings=[(MEANINGS.get(one.kind, MEANINGS[""]), one) for one in found.checked.findings],
        signed=signed_steps(found),
        frames=told,
        effects=asked,
        said=[_said(frame, len(told)) for frame in told],
        marks=timeline([(frame.line.at if frame.line else case.started_at, frame.kind) for frame in told], tz),
        steps=[asdict(frame.marked) for frame in told],
        versions=versions,
        diagram=_diagram(case) if words else "",
        practice=site().settings.practice_name,
        made_at=site().now(),
        made_by=actor.name,
        script=script,
        style=style,
        policy=_policy(script, style),
        licences=built("evidence-licences.txt"),
    )
    return seal(site().engine, page)


def signed_steps(found: Evidence) -> int:
    """How many steps stand in the signed tree."""
    return sum(int(run["steps"]) for run in found.runs)


def _told(case: Instance, words: Words) -> tuple[list[Frame], list[Effect]]:
    """The whole case as frames, and what became of everything it asked services for."""
    windows: Windows[Followed] = Windows(site().engine.context, follow, Followed())
    told: list[Frame] = []
    asked: dict[str, Effect] = {}
    first = 1
    while first <= min(case.revision, MAX_STEPS):
        window = windows.open(case.id, first)
        found = effects(window, words)
        told += frames(window, words, found)
        asked |= {effect.name: effect for effect in found}
        first = window.last + 1
    return told, list(asked.values())


def _said(frame: Frame, total: int) -> str:
    """The step in one line, for who listens instead of looking."""
    if frame.line is None:
        return f"{frame.headline}, of {total}"
    when = clock_time(frame.line.at, site().now(), zone(site().settings))
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
