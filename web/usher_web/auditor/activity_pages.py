"""Activity: everything one person saw or did, or that happened to one patient, in chronological order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import Step
from usher_engine.accounts import Role
from usher_engine.assurance import Moment, Trail
from werkzeug.wrappers import Response

from .. import audit_logging, auth
from ..casework.patient_labels import Subject, describe, subjects
from ..site import site
from ..words.case_narrative import Author, Names, line_of
from ..words.element_names import names_of
from .audit_list import ListedEvent, in_words

blueprint = Blueprint("trails", __name__, url_prefix="/audit")

PAGE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class TrailLine:
    """One thing that happened; *url* leads to it, if it has a page."""

    at: datetime
    who: str
    words: str
    quote: str
    kind: str
    case: str
    patient: Subject | None
    url: str


@blueprint.get("/people")
@auth.policy(Role.AUDITOR)
def people() -> str:
    return render_template("trail_people.html", people=site().accounts.users(), tokens=site().accounts.tokens())


@blueprint.get("/people/<name>")
@auth.policy(Role.AUDITOR)
def person(name: str) -> str:
    """What *name* saw or did. A person without an account has a trail too, if any event names them."""
    _record_first_look("person", name)
    found = site().engine.activity.of_person(name, after=request.args.get("after", ""), limit=PAGE)
    return _page(found, title=name, heading=f"Everything {name} saw or did", crumb="people", subject=None, name=name)


@blueprint.get("/patients")
@auth.policy(Role.AUDITOR)
def patients() -> str | Response:
    """Find the patient whose trail to show."""
    text = " ".join(request.args.get("q", "").split())[:200]
    found = [describe(record) for record in site().enrollment.patients(text, limit=PAGE)] if text else []
    if len(found) == 1:
        return redirect(url_for("trails.patient", patient_id=found[0].id))
    return render_template("trail_patients.html", patients=found, text=text)


@blueprint.get("/patients/<patient_id>")
@auth.policy(Role.AUDITOR)
def patient(patient_id: str) -> str:
    """What happened to a patient, even one no longer in the registry."""
    try:
        whom: Subject | None = describe(site().enrollment.patient(patient_id))
    except usher_engine.NotFound:
        whom = None
    found = site().engine.activity.about(patient_id, after=request.args.get("after", ""), limit=PAGE)
    if whom is None and not found.moments:
        raise usher_engine.NotFound("Nothing is recorded about a patient with this id.")
    _record_first_look("patient", patient_id)
    title = whom.name if whom else patient_id
    heading = f"Everything that happened to {title}"
    return _page(found, title=title, heading=heading, crumb="patients", subject=whom, patient_id=patient_id)


def _record_first_look(of: str, whose: str) -> None:
    """Record the view of a trail as an event; further pages belong to the same view."""
    if not request.args.get("after"):
        about = whose if of == "patient" else ""
        audit_logging.record("TrailViewed", {"of": of}, subject=whose, about=about)


def _page(found: Trail, *, title: str, heading: str, crumb: str, subject: Subject | None, **route: Any) -> str:
    endpoint = "trails.person" if crumb == "people" else "trails.patient"
    return render_template(
        "trail.html",
        lines=_lines(found.moments),
        title=title,
        heading=heading,
        crumb=crumb,
        subject=subject,
        older_url=url_for(endpoint, **route, after=found.older) if found.older else "",
        newest_url=url_for(endpoint, **route) if request.args.get("after") else "",
    )


def _lines(found: Sequence[Moment]) -> list[TrailLine]:
    """Steps and events in words, each with the page it leads to."""
    listed = {one.event.seq: one for one in in_words([moment.event for moment in found if moment.event])}
    steps = [moment.step for moment in found if moment.step]
    known = subjects(moment.about for moment in found)
    cases = {step.instance for step in steps}
    site().engine.queries.instances_by_id(cases)  # all in one statement, known from then on for this page
    names = {case: names_of(case) for case in cases}
    lines = []
    for moment in found:
        if moment.step is not None:
            lines.append(_step(moment.step, names[moment.step.instance], known.get(moment.about)))
        elif moment.event is not None:
            lines.append(_event(listed[moment.event.seq]))
    return lines


def _step(step: Step, names: Names, patient: Subject | None) -> TrailLine:
    line = line_of(step, names)
    lost = "This step was altered outside Usher and cannot be read; the replay of its case says more."
    return TrailLine(
        at=step.at,
        who=_actor_name(line.author.value if line else "", step.by),
        words=line.words or "Moved the case on." if line else lost,
        quote=line.quote if line else "",
        kind="alarm" if line is None or line.author is Author.INCIDENT else "idle",
        case=step.instance,
        patient=patient,
        url=url_for("replay.show", instance_id=step.instance, step=step.revision),
    )


def _event(listed: ListedEvent) -> TrailLine:
    case = listed.sentence.case
    return TrailLine(
        at=listed.event.at,
        who=listed.event.actor or "somebody not signed in",
        words=listed.sentence.words,
        quote="",
        kind=listed.sentence.kind,
        case=case,
        patient=listed.patient,
        url=url_for("cases.case", instance_id=case) if case else "",
    )


def _actor_name(author: str, actor: str) -> str:
    return {"system": "automatically", "patient": "the patient"}.get(author, actor)
