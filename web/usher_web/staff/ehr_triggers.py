"""The pages that stand for the EHR: find a patient, open a template, select the Patient Portal trigger on a field."""

from __future__ import annotations

import secrets

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from werkzeug.wrappers import Response

from .. import audit_logging, auth, page_token
from ..casework.link_views import link_views
from ..casework.patient_labels import describe
from ..casework.visibility import may_see
from ..site import site

blueprint = Blueprint("triggers", __name__, url_prefix="/patients")

PAGE = 50


@blueprint.get("")
@auth.policy(Role.STAFF)
def show() -> str:
    text, after = request.args.get("q", "").strip()[:200], request.args.get("after")
    found = site().enrollment.patients(text, limit=PAGE + 1, after=after)
    more = url_for("triggers.show", q=text or None, after=found[PAGE - 1].id) if len(found) > PAGE else ""
    patients = [describe(record) for record in found[:PAGE]]
    return render_template("patients.html", patients=patients, search_text=text, next_url=more)


@blueprint.get("/<patient_id>")
@auth.policy(Role.STAFF)
def patient(patient_id: str) -> str:
    record = site().enrollment.patient(patient_id)
    audit_logging.record_view("PatientViewed", record.id, business_key=record.id)
    found = site().engine.queries.instances(business_key=patient_id, limit=PAGE)
    return render_template(
        "patient.html",
        patient=describe(record),
        record=record,
        fields=record.fields(site().now(), site().settings),
        templates=site().enrollment.templates(),
        answers=site().enrollment.answers(patient_id),
        links=link_views(site().enrollment.invitations(patient_id)),
        links_of=patient_id,
        hold=site().enrollment.retention.hold_on(patient_id),
        cases=[instance for instance in found if may_see(auth.actor(), instance)],
    )


@blueprint.get("/<patient_id>/template")
@auth.policy(Role.STAFF)
def template(patient_id: str) -> str:
    """A template as the EHR shows it; its page calls `POST /api/v1/triggers` itself, with a `page_token`."""
    return _template(patient_id, request.args.get("name", ""))


@blueprint.post("/<patient_id>/trigger")
@auth.policy(Role.STAFF)
def select(patient_id: str) -> Response | tuple[str, int]:
    """Select the trigger without a script. The idempotency key is the page's, so both ways together are one request."""
    try:
        instance = site().enrollment.trigger(
            patient_id,
            request.form.get("template", ""),
            request.form.get("field", ""),
            request.form.get("action", ""),
            actor=auth.actor(),
            key=request.form.get("key") or None,
            source=auth.page_source(auth.actor().name),
        )
    except usher_engine.InvalidSubmission as wrong:
        return _template(patient_id, request.form.get("template", ""), refusal=wrong.message), 422
    return redirect(url_for("cases.onward", instance_id=instance.id), 303)


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
