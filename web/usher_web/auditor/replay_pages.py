"""The replay of one case: any step on the diagram, in words, with its data and proof; windows of steps as JSON."""

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
from usher_engine.cases import WHOLE, CallHistory, HistoryPage, HistoryPages, InstanceState
from usher_engine.core import whole_number

from .. import auth
from ..casework.call_views import call_views
from ..casework.comment_views import texts_in
from ..casework.diagram_files import drawing_views, drawings_of_case, drawings_with
from ..casework.patient_labels import subject
from ..casework.visibility import visible_case
from ..site import site
from ..words.case_narrative import Names
from ..words.effect_status import Effect, Followed, Words, drawn, effects, following
from ..words.element_names import bare_words, words_of
from ..words.presentation import clock_time
from ..words.proof_verdict import verdict, written_words
from ..words.timeline import Mark, timeline
from .replay_calls import call_histories, calls_before, marked_calls
from .replay_frames import Frame, frames, glance

blueprint = Blueprint("replay", __name__, url_prefix="/cases")

KEY = "usher.replay"
#: Cases up to this many steps are checked when their page is opened, longer ones on request.
CHECKED_AT_ONCE = 500
#: About how many marks the timeline of a long case has.
MARKS = 16


def register(app: Flask, engine: Engine) -> None:
    """Attach the cache of windows to *app*: where the windows of recently viewed cases begin."""
    app.extensions[KEY] = HistoryPages(engine.context, following(engine.queries.call_plan), Followed())


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """
    A window of a case as frames, its effects, and its calls after each step.

    *words* is None if the diagram of the case is lost.
    """

    window: HistoryPage[Followed]
    words: Words | None
    frames: list[Frame]
    effects: list[Effect]
    calls: list[CallHistory]

    def frame(self, revision: int) -> Frame | None:
        """The frame of the step, or the nearest one; None in a case without steps."""
        inside = min(max(revision, self.window.first), self.window.last)
        return self.frames[inside - self.window.first] if self.frames else None

    @property
    def drawn(self) -> list[int]:
        """For each frame, the step that put the case on the diagram shown with it."""
        steps = [seen.step for seen in self.window.seen]
        return list(accumulate(steps, lambda before, step: drawn(step, before), initial=self.window.carried.drawn))[1:]

    def drawings(self, case: Instance) -> dict[int, list[dict[str, Any]]]:
        """The diagrams of each version that the case runs on in the window, by the step that put it there."""
        versions = {at: history.definition for at, history in zip(self.drawn, self.calls, strict=True)}
        return {
            at: drawing_views(
                drawings_with(definition) or drawings_of_case(case.id), "cases.diagram", instance_id=case.id, at=at
            )
            for at, definition in versions.items()
        }

    @property
    def names(self) -> Names:
        return (self.words or bare_words()).names

    @property
    def mails(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.is_mail]


@blueprint.get("/<instance_id>/replay")
@auth.policy(Role.STAFF, Role.AUDITOR)
def show(instance_id: str) -> str:
    """
    The page at ``?step=N``, rendered completely by the server.

    Without a valid step it shows the last; in a long case the first, which needs no earlier steps.
    """
    case = visible_case(instance_id)
    usual = case.revision if case.revision <= WHOLE else 1
    asked = whole_number(request.args.get("step", "")) or usual
    part = _part(case, asked)
    chosen, window = part.frame(asked), part.window
    proof = _proof(case)
    version, newest = _versions(case)
    at = part.drawn[chosen.revision - window.first] if chosen else 1
    return render_template(
        "replay.html",
        case=case,
        patient=subject(case.business_key),
        version=version,
        newest=newest,
        part=part,
        window=window,
        frame=chosen,
        spoken=_spoken(chosen, window.total) if chosen else "",
        marks=_marks(case, part),
        way=_way_at(part, chosen) if chosen else {},
        drawn=at,
        drawings=part.drawings(case).get(at, []),
        proof=proof,
        verdict=verdict(proof) if proof else None,
        written=_written(proof) if proof else [],
        checks_itself=case.revision <= CHECKED_AT_ONCE,
    )


@blueprint.get("/<instance_id>/replay.json")
@auth.policy(Role.STAFF, Role.AUDITOR)
def steps(instance_id: str) -> dict[str, Any]:
    """The window around ``?step=N``: what each step adds to the diagram, and its rendered words."""
    case = visible_case(instance_id)
    part = _part(case, whole_number(request.args.get("step", "")) or 1)
    window = part.window
    # Not `render_template`: it would query everything a page needs, once for each step.
    panel = current_app.jinja_env.get_template("replay_step.html")
    table = current_app.jinja_env.get_template("replay_rows.html")
    return {
        "first": window.first,
        "last": window.last,
        "total": window.total,
        "size": window.size,
        "before": {
            "visits": window.before.visits,
            "flows": window.before.flows,
            "calls": calls_before(window, part.names, drawings_with),
        },
        "drawings": part.drawings(case),
        "rows": table.render(case=case, frames=part.frames, current=0),
        "steps": [
            asdict(frame.marked)
            | calls
            | {
                "drawn": drawn_at,
                "said": _spoken(frame, window.total),
                "html": panel.render(case=case, frame=frame, total=window.total),
            }
            for frame, drawn_at, calls in zip(
                part.frames, part.drawn, marked_calls(window, part.calls, part.names, drawings_with), strict=True
            )
        ],
    }


@blueprint.get("/<instance_id>/proof")
@auth.policy(Role.STAFF, Role.AUDITOR)
def proof(instance_id: str) -> str:
    """The verdict on a case; checked now if anything changed since the last check, or with ``?again``."""
    case = visible_case(instance_id)
    found = site().prover.prove(case.id, again="again" in request.args)
    return render_template(
        "replay_proof.html", case=case, proof=found, verdict=verdict(found), written=_written(found)
    )


def _written(proof: CaseProof) -> list[tuple[int, str]]:
    """When the steps were recorded, for the page."""
    now, calendar = site().now(), site().settings.calendar
    return written_words(proof.written, lambda moment: clock_time(moment, now, calendar))


def _proof(case: Instance) -> CaseProof | None:
    """The stored verdict on a case; with ``?check``, for browsers without JavaScript, check it now."""
    if "check" in request.args:
        return site().prover.prove(case.id, again=True)
    return site().prover.cached_proof(case.id) if case.revision <= CHECKED_AT_ONCE else None


def _spoken(frame: Frame, total: int) -> str:
    """The step in one line, for screen readers."""
    if frame.line is None:
        return f"{frame.headline}, of {total}"
    when = clock_time(frame.line.at, site().now(), site().settings.calendar)
    who = "" if frame.headline.startswith(frame.who) else f"{frame.who}: "
    return f"Step {frame.revision} of {total}, {when}, {who}{frame.headline}"


def _part(case: Instance, revision: int) -> Part:
    window = _windows().open(case.id, revision)
    words = words_of(case.id)
    told_with = words or bare_words()
    asked = effects(window, told_with)
    calls = call_histories(window, site().engine.queries.call_plan)
    said = [seen.step for seen in window.seen if seen.step is not None]
    texts = texts_in(said, reader=auth.actor(), reaches_end=window.last == window.total)
    return Part(window=window, words=words, frames=frames(window, told_with, asked, texts), effects=asked, calls=calls)


def _windows() -> HistoryPages[Followed]:
    found: HistoryPages[Followed] = current_app.extensions[KEY]
    return found


def _marks(case: Instance, part: Part) -> list[tuple[int, Mark]]:
    """The marks of the timeline, each with its step; in a long case only some steps have one."""
    calendar, total = site().settings.calendar, part.window.total
    if total <= WHOLE:
        marked = [(frame.revision, frame.line.at if frame.line else None, frame.kind) for frame in part.frames]
    else:
        sample = _windows().sample(case.id, total, -(-total // MARKS))
        marked = [(number, *glance(step)) for number, step in sample]
    at, moments = case.started_at, []
    for _, moment, kind in marked:
        at = moment or at
        moments.append((at, kind))
    marks = timeline(moments, calendar, sampled=total > WHOLE) if moments else []
    return [(number, mark) for (number, _, _), mark in zip(marked, marks, strict=True)]


def _versions(case: Instance) -> tuple[Version | None, int]:
    """The deployment the case runs on, and the number of the one in force."""
    found = site().engine.versions.all(case.process)
    ours = next((version for version in found if version.number == case.version), None)
    return ours, found[0].number if found else case.version


def _way_at(part: Part, chosen: Frame) -> dict[str, Any]:
    """The marks of the diagrams at the step of *chosen*, each call apart."""
    place = chosen.revision - part.window.first
    history, after = part.calls[place], part.window.seen[place].after
    calls = call_views(history, after, drawings_with(history.definition) if history.calls else (), part.names)
    return way_until(part.frames, chosen.revision, part.window.before) | {"calls": calls}


def way_until(found: Sequence[Frame], revision: int, before: InstanceState) -> dict[str, Any]:
    """The marks of the diagram at step *revision*: the sum of *before* and the steps so far, the step itself apart."""
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

