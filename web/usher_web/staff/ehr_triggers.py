"""The pages that stand for the EHR: find a patient, open a template, select the Patient Portal trigger on a field."""

from __future__ import annotations

import secrets
from typing import Any

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from werkzeug.wrappers import Response

from .. import audit_logging, auth, page_token
from ..casework.link_views import link_views
from ..casework.patient_hits import count_words, doubt, hits_of
from ..casework.patient_labels import describe, others_alike
from ..casework.visibility import may_see
from ..site import site
from .field_names import SEEN
from .look_alike_question import question_about, record_in_case, record_warning
from .near_patients import near_patients

blueprint = Blueprint("triggers", __name__, url_prefix="/patients")

PAGE = 50


@blueprint.get("")
@auth.policy(Role.STAFF)
def show() -> str | Response:
    """Patients by name, or those found; a whole record number leads straight to its patient."""
    text, closed = request.args.get("q", "").strip()[:200], request.args.get("closed") == "1"
    after, before = request.args.get("after"), request.args.get("before")
    found = site().enrollment.finder.find(text, closed=closed, limit=PAGE, after=after, before=before)
    if found.exact and not (after or before or closed):
        return redirect(url_for("triggers.patient", patient_id=found.exact), 303)
    listed = found.records
    here: dict[str, Any] = {"q": text or None, "closed": "1" if closed else None}
    return render_template(
        "patients.html",
        hits=hits_of(found),
        found=found,
        count=count_words(found.total),
        doubt=doubt(found.typed),
        search_text=text,
        closed=closed,
        near=[] if listed or not text else near_patients(text),
        conflicts=site().enrollment.import_conflicts.count(),
        older_url=url_for("triggers.show", **here, after=listed[-1].id) if found.has_older and listed else "",
        newer_url=url_for("triggers.show", **here, before=listed[0].id) if found.has_newer and listed else "",
    )


@blueprint.get("/<patient_id>")
@auth.policy(Role.STAFF)
def patient(patient_id: str) -> str:
    record = site().enrollment.patient(patient_id)
    audit_logging.record_view("PatientViewed", record.id, business_key=record.id)
    found = site().engine.queries.instances(business_key=patient_id, limit=PAGE)
    shown = describe(record)
    return render_template(
        "patient.html",
        patient=shown,
        others=others_alike(shown) if shown.alike else [],
        survivor=_survivor(shown.replaced_by),
        record=record,
        fields=record.fields(site().now(), site().settings),
        templates=site().enrollment.templates(),
        answers=site().enrollment.answers(patient_id),
        links=link_views(site().enrollment.invitations(patient_id)),
        links_of=patient_id,
        hold=site().enrollment.retention.hold_on(patient_id),
        conflicts=len(site().enrollment.import_conflicts.of(patient_id)),
        cases=[instance for instance in found if may_see(auth.actor(), instance)],
    )


@blueprint.get("/<patient_id>/template")
@auth.policy(Role.STAFF)
def template(patient_id: str) -> str:
    """A template as the EHR shows it; its page calls `POST /api/v1/triggers` itself, with a `page_token`."""
    return _template(patient_id, request.args.get("name", ""))


@blueprint.get("/<patient_id>/sure")
@auth.policy(Role.STAFF)
def sure(patient_id: str) -> str | Response:
    """Ask which of the patients who look alike is meant, before the trigger is selected."""
    record = site().enrollment.patient(patient_id)
    audit_logging.record_view("PatientViewed", record.id, business_key=record.id)
    chosen = {name: request.args.get(name, "")[:200] for name in ("template", "field", "action")}
    question = question_about(patient_id)
    if question is None:
        return redirect(url_for("triggers.template", patient_id=patient_id, name=chosen["template"]), 303)
    chosen["key"] = secrets.token_urlsafe(16)
    return render_template("look_alike.html", question=question, chosen=chosen, seen_field=SEEN)


@blueprint.post("/<patient_id>/trigger")
@auth.policy(Role.STAFF)
def select(patient_id: str) -> Response | tuple[str, int]:
    """Select the trigger without a script. The idempotency key is the page's, so both ways together are one request."""
    chosen: dict[str, Any] = {name: request.form.get(name, "") for name in ("template", "field", "action")}
    seen = request.form.get(SEEN, "")[:4000]
    if question_about(patient_id, seen) is not None:
        return redirect(url_for("triggers.sure", patient_id=patient_id, **chosen), 303)
    record_warning(patient_id, seen)
    try:
        instance = site().enrollment.trigger(
            patient_id,
            **chosen,
            actor=auth.actor(),
            key=request.form.get("key") or None,
            source=auth.page_source(auth.actor().name),
        )
    except usher_engine.InvalidSubmission as wrong:
        return _template(patient_id, chosen["template"], refusal=wrong.message), 422
    record_in_case(instance, seen)
    return redirect(url_for("cases.onward", instance_id=instance.id), 303)


def _survivor(patient_id: str) -> object:
    """The patient whose record replaces another one; None if it is not known here."""
    found = site().enrollment.patients_by_id([patient_id] if patient_id else [])
    return describe(found[patient_id]) if patient_id in found else None


def _template(patient_id: str, name: str, refusal: str = "") -> str:
    record = site().enrollment.patient(patient_id)
    audit_logging.record_view("PatientViewed", record.id, business_key=record.id)
    found = next((one for one in site().enrollment.templates() if one.name == name), None)
    if found is None and not refusal:
        raise usher_engine.NotFound("No template of this name carries the Patient Portal trigger.")
    return render_template(
        "template.html",
        patient=describe(record),
        fields=record.fields(site().now(), site().settings),
        template=found,
        name=name,
        key=secrets.token_urlsafe(16),
        token=page_token.issue(auth.session()),
        refusal=refusal,
    )
