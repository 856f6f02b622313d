"""Values that staff corrected and the EHR has changed too: both side by side, for a person to decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.enrollment import FIELDS, ImportConflict, Take
from werkzeug.wrappers import Response

from .. import auth
from ..casework.patient_labels import Subject, describe
from ..site import site

blueprint = Blueprint("conflicts", __name__, url_prefix="/import-conflicts")

PAGE = 25

#: Things that have several fields; every other thing is named by its field.
TITLES = {"address": "Address", "emergency_contact": "Emergency contact"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One thing to decide, with both values as lines of (title, here, EHR, before)."""

    conflict: ImportConflict
    title: str
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class OfPatient:
    patient: Subject
    things: tuple[Shown, ...]


@blueprint.get("")
@auth.policy(Role.STAFF, Role.ADMIN)
def show() -> str:
    return _page()


@blueprint.post("/<patient_id>/<group>")
@auth.policy(Role.STAFF, Role.ADMIN)
def decide(patient_id: str, group: str) -> Response | tuple[str, int]:
    """Keep the value in the record, or take the EHR's; the page says which values it showed."""
    chosen = request.form.get("take", "")
    if chosen not in set(Take):
        raise usher_engine.InvalidSubmission("Choose the value in the record or the one of the EHR.")
    conflicts = site().enrollment.import_conflicts
    try:
        conflicts.decide(patient_id, group, Take(chosen), seen=request.form.get("seen", ""), actor=auth.actor())
    except (usher_engine.Conflict, usher_engine.InvalidSubmission) as refused:
        return _page(refusal=refused.message), 409 if isinstance(refused, usher_engine.Conflict) else 422
    auth.say("The EHR's value is in the record." if chosen == Take.EHR else "The value in the record stays.")
    return redirect(url_for("conflicts.show", after=request.form.get("after") or None), 303)


def _page(refusal: str = "") -> str:
    after = request.values.get("after") or None
    found = site().enrollment.import_conflicts.page(limit=PAGE, after=after)
    return render_template(
        "import_conflicts.html",
        patients=_by_patient(found.conflicts),
        count=site().enrollment.import_conflicts.count(),
        after=after or "",
        refusal=refusal,
        next_url=url_for("conflicts.show", after=found.last) if found.has_older else "",
    )


def _by_patient(conflicts: Sequence[ImportConflict]) -> list[OfPatient]:
    grouped = [(key, list(found)) for key, found in groupby(conflicts, lambda one: one.patient.id)]
    patients = [describe(found[0].patient) for _, found in grouped]
    return [
        OfPatient(patient=patient, things=tuple(_shown(one) for one in found))
        for patient, (_, found) in zip(patients, grouped, strict=True)
    ]


def _shown(conflict: ImportConflict) -> Shown:
    title = TITLES.get(conflict.group) or FIELDS[conflict.group].title
    values = (conflict.ours, conflict.theirs, conflict.before)
    lines = tuple((FIELDS[key].title, *(one[key] for one in values)) for key in conflict.ours)
    return Shown(conflict=conflict, title=title, lines=lines)
