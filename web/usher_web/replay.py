"""The replay of one case: any step on the diagram, in words, with its data and its proof; all of them as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from usher_engine import Instance, Version
from usher_engine.accounts import Role

from . import auth
from .changes import glossary
from .frames import Frame, Words, frames
from .presentation import clock_time, zone
from .site import site
from .subjects import subject
from .telling import names_of
from .timeline import timeline
from .visibility import seen

blueprint = Blueprint("replay", __name__, url_prefix="/cases")


@blueprint.get("/<instance_id>/replay")
@auth.policy(Role.STAFF, Role.AUDITOR)
def show(instance_id: str) -> str:
    """The page at ``?step=N``, drawn whole by the server; without a step, or with none there is, at the last."""
    case = seen(instance_id)
    found = _frames(case)
    asked = request.args.get("step", type=int) or len(found)
    chosen = found[min(max(asked, 1), len(found)) - 1]
    return render_template(
        "replay.html",
        case=case,
        patient=subject(case.business_key),
        version=_version(case),
        newest=site().engine.versions(case.process)[0].number,
        frames=found,
        frame=chosen,
        said=_said(chosen, len(found)),
        marks=timeline([(frame.line.at, frame.line.teller.value) for frame in found], zone(site().settings)),
        way=way_until(found, chosen.revision),
        intact=sum(frame.proof.holds for frame in found) if len(found) == case.revision else 0,
        data_url=url_for("replay.steps", instance_id=case.id),
    )


@blueprint.get("/<instance_id>/replay.json")
@auth.policy(Role.STAFF, Role.AUDITOR)
def steps(instance_id: str) -> dict[str, Any]:
    """Every step: what it adds to the diagram, where the case stands then, and its words as the page shows them."""
    case = seen(instance_id)
    found = _frames(case)
    # Not `render_template`: that asks for everything a page needs, for each step anew.
    panel = current_app.jinja_env.get_template("replay_step.html")
    return {
        "steps": [
            asdict(frame.marked)
            | {"said": _said(frame, len(found)), "html": panel.render(case=case, frame=frame, total=len(found))}
            for frame in found
        ]
    }


def _said(frame: Frame, total: int) -> str:
    """The step in one line, for who listens instead of looking."""
    when = clock_time(frame.line.at, site().now(), zone(site().settings))
    who = "" if frame.headline.startswith(frame.who) else f"{frame.who}: "
    return f"Step {frame.revision} of {total}, {when}, {who}{frame.headline}"


def _frames(case: Instance) -> list[Frame]:
    engine = site().engine
    diagram = engine.diagram_of(case.id)
    flows = {flow: (source, diagram.flow_names.get(flow, "")) for (source, _), flow in diagram.flows.items()}
    words = Words(
        names=names_of(case.id), glossary=glossary(diagram.package, zone(site().settings)), flows=flows
    )
    return frames(engine.rebuild_each(case.id), words)


def _version(case: Instance) -> Version | None:
    """The deployment the case runs on."""
    found = site().engine.versions(case.process)
    return next((version for version in found if version.number == case.version), None)


def way_until(found: Sequence[Frame], revision: int) -> dict[str, Any]:
    """What the diagram marks at step *revision*: the steps until then added up, the step itself apart."""
    visits: dict[str, int] = {}
    flows: dict[str, int] = {}
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
