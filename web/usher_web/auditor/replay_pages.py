"""The replay of one case: any step on the diagram, in words, with its data and its proof; in windows as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from flask import Blueprint, Flask, current_app, render_template, request
from usher_engine import Engine, Instance
from usher_engine.accounts import Role
from usher_engine.assurance import CaseProof
from usher_engine.authoring import Version
from usher_engine.cases import WHOLE, InstanceState, Window, Windows
from usher_engine.core import whole_number

from .. import auth
from ..casework.patient_labels import subject
from ..casework.visibility import seen
from ..site import site
from ..words.effect_status import Effect, Followed, Words, drawn, effects, follow
from ..words.element_names import bare_words, words_of
from ..words.presentation import clock_time, zone
from ..words.proof_verdict import verdict
from ..words.timeline import Mark, timeline
from .replay_frames import Frame, frames, glance

blueprint = Blueprint("replay", __name__, url_prefix="/cases")

KEY = "usher.replay"
#: Cases up to so many steps are checked when their page is opened, longer ones when somebody asks.
CHECKED_AT_ONCE = 500
#: About how many marks the timeline of a long case has.
MARKS = 16


def register(app: Flask, engine: Engine) -> None:
    """Where the windows of the cases looked at last begin is kept with the application."""
    app.extensions[KEY] = Windows(engine.context, follow, Followed())


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A window of a case as frames, and its effects; *words* is None where the diagram of the case is lost."""

    window: Window[Followed]
    words: Words | None
    frames: list[Frame]
    effects: list[Effect]

    def frame(self, revision: int) -> Frame | None:
        """The frame of the step, or the nearest one; none in a case without steps."""
        inside = min(max(revision, self.window.first), self.window.last)
        return self.frames[inside - self.window.first] if self.frames else None

    @property
    def drawn(self) -> list[int]:
        """For each frame, the step that put the case on the diagram it is shown on."""
        steps = [seen.step for seen in self.window.seen]
        return list(accumulate(steps, lambda before, step: drawn(step, before), initial=self.window.carried.drawn))[1:]

    @property
    def mails(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.is_mail]


@blueprint.get("/<instance_id>/replay")
@auth.policy(Role.STAFF, Role.AUDITOR)
def show(instance_id: str) -> str:
    """
    The page at ``?step=N``, drawn whole by the server.

    Without a step, or with none there is, at the last; a long case at its first, where nothing has to be added up.
    """
    case = seen(instance_id)
    usual = case.revision if case.revision <= WHOLE else 1
    asked = whole_number(request.args.get("step", "")) or usual
    part = _part(case, asked)
    chosen, window = part.frame(asked), part.window
    proof = _proof(case)
    version, newest = _versions(case)
    return render_template(
        "replay.html",
        case=case,
        patient=subject(case.business_key),
        version=version,
        newest=newest,
        part=part,
        window=window,
        frame=chosen,
        said=_said(chosen, window.total) if chosen else "",
        marks=_marks(case, part),
        way=way_until(part.frames, chosen.revision, window.before) if chosen else {},
        drawn=part.drawn[chosen.revision - window.first] if chosen else 1,
        proof=proof,
        verdict=verdict(proof) if proof else None,
        checks_itself=case.revision <= CHECKED_AT_ONCE,
    )


@blueprint.get("/<instance_id>/replay.json")
@auth.policy(Role.STAFF, Role.AUDITOR)
def steps(instance_id: str) -> dict[str, Any]:
    """The window of ``?step=N``: what each step adds to the diagram, and its words as the page shows them."""
    case = seen(instance_id)
    part = _part(case, whole_number(request.args.get("step", "")) or 1)
    window = part.window
    # Not `render_template`: that asks for everything a page needs, for each step anew.
    panel = current_app.jinja_env.get_template("replay_step.html")
    table = current_app.jinja_env.get_template("replay_rows.html")
    return {
        "first": window.first,
        "last": window.last,
        "total": window.total,
        "size": window.size,
        "before": {"visits": window.before.visits, "flows": window.before.flows},
        "rows": table.render(case=case, frames=part.frames, current=0),
        "steps": [
            asdict(frame.marked)
            | {
                "drawn": drawn_at,
                "said": _said(frame, window.total),
                "html": panel.render(case=case, frame=frame, total=window.total),
            }
            for frame, drawn_at in zip(part.frames, part.drawn, strict=True)
        ],
    }


@blueprint.get("/<instance_id>/proof")
@auth.policy(Role.STAFF, Role.AUDITOR)
def proof(instance_id: str) -> str:
    """The verdict on a case, checked now unless nothing was touched since it was last; ``?again`` checks anyway."""
    case = seen(instance_id)
    found = site().prover.prove(case.id, again="again" in request.args)
    return render_template("replay_proof.html", case=case, proof=found, verdict=verdict(found))


def _proof(case: Instance) -> CaseProof | None:
    """What is known of a case already; with ``?check``, for who has no JavaScript, it is found out."""
    if "check" in request.args:
        return site().prover.prove(case.id, again=True)
    return site().prover.known(case.id) if case.revision <= CHECKED_AT_ONCE else None


def _said(frame: Frame, total: int) -> str:
    """The step in one line, for who listens instead of looking."""
    if frame.line is None:
        return f"{frame.headline}, of {total}"
    when = clock_time(frame.line.at, site().now(), zone(site().settings))
    who = "" if frame.headline.startswith(frame.who) else f"{frame.who}: "
    return f"Step {frame.revision} of {total}, {when}, {who}{frame.headline}"


def _part(case: Instance, revision: int) -> Part:
    window = _windows().open(case.id, revision)
    words = words_of(case.id)
    told_with = words or bare_words()
    asked = effects(window, told_with)
    return Part(window=window, words=words, frames=frames(window, told_with, asked), effects=asked)


def _windows() -> Windows[Followed]:
    found: Windows[Followed] = current_app.extensions[KEY]
    return found


def _marks(case: Instance, part: Part) -> list[tuple[int, Mark]]:
    """The marks of the timeline with the step each stands for; of a long case only some steps have one."""
    tz, total = zone(site().settings), part.window.total
    if total <= WHOLE:
        told = [(frame.revision, frame.line.at if frame.line else None, frame.kind) for frame in part.frames]
    else:
        sample = _windows().sample(case.id, total, -(-total // MARKS))
        told = [(number, *glance(step)) for number, step in sample]
    at, moments = case.started_at, []
    for _, moment, kind in told:
        at = moment or at
        moments.append((at, kind))
    marks = timeline(moments, tz, sampled=total > WHOLE) if moments else []
    return [(number, mark) for (number, _, _), mark in zip(told, marks, strict=True)]


def _versions(case: Instance) -> tuple[Version | None, int]:
    """The deployment the case runs on, and the number of the one in force."""
    found = site().engine.versions.all(case.process)
    ours = next((version for version in found if version.number == case.version), None)
    return ours, found[0].number if found else case.version


def way_until(found: Sequence[Frame], revision: int, before: InstanceState) -> dict[str, Any]:
    """What the diagram marks at step *revision*: *before* and the steps until then added up, the step itself apart."""
    visits, flows = dict(before.visits), dict(before.flows)
    until = [frame.marked for frame in found if frame.revision <= revision]
    for marked in until:
        for total, added in ((visits, marked.visits), (flows, marked.flows)):
            for key, count in added.items():
                total[key] = total.get(key, 0) + count
    last = until[-1]
    return {
        "visited": [{"element": element, "visits": count} for element, count in visits.items()],
        "flows": flows,
        "at": list(last.at),
        "incident": list(last.incident),
        "step": {"elements": list(last.passed), "flows": list(last.flows)},
    }

