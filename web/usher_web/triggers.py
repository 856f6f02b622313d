"""The page that stands for the EHR's template: find a patient, open a template, select its Patient Portal trigger."""

from __future__ import annotations

import secrets

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import Instance
from usher_engine.accounts import Role
from werkzeug.wrappers import Response

from . import auth
from .site import site
from .subjects import described
from .visibility import may_see, may_work_on

blueprint = Blueprint("triggers", __name__, url_prefix="/patients")

PAGE = 50


@blueprint.get("")
@auth.policy(Role.STAFF)
def show() -> str:
    text, after = request.args.get("q", "").strip()[:200], request.args.get("after")
    found = site().enrollment.patients(text, limit=PAGE + 1, after=after)
    more = url_for("triggers.show", q=text or None, after=found[PAGE - 1].id) if len(found) > PAGE else ""
    patients = [described(record) for record in found[:PAGE]]
    return render_template("patients.html", patients=patients, search_text=text, next_url=more)


@blueprint.get("/<patient_id>")
@auth.policy(Role.STAFF)
def patient(patient_id: str) -> str:
    return _page(patient_id)


@blueprint.post("/<patient_id>/trigger")
@auth.policy(Role.STAFF)
def select(patient_id: str) -> Response | tuple[str, int]:
    """Selects the trigger as `POST /api/v1/triggers` does; the page's key makes a double click one request."""
    try:
        instance = site().enrollment.trigger(
            patient_id,
            request.form.get("template", ""),
            request.form.get("field", ""),
            request.form.get("action", ""),
            actor=auth.actor(),
            key=request.form.get("key") or None,
            source=f"web:{auth.actor().name}",
        )
    except usher_engine.InvalidSubmission as wrong:
        return _page(patient_id, refusal=wrong.message), 422
    return _onward(instance)


def _onward(instance: Instance) -> Response:
    """To the task the trigger has opened, if it is for whoever selected it; else to the case."""
    for task in instance.tasks:
        if may_work_on(auth.actor(), task):
            return redirect(f"{url_for('inbox.task', task_id=task.id)}#task", 303)
    return redirect(url_for("cases.case", instance_id=instance.id), 303)


def _page(patient_id: str, refusal: str = "") -> str:
    record = site().enrollment.patient(patient_id)
    found = site().engine.instances(business_key=patient_id, limit=PAGE)
    return render_template(
        "patient.html",
        patient=described(record),
        record=record,
        fields=record.fields(site().now(), site().settings),
        templates=site().enrollment.templates(),
        cases=[instance for instance in found if may_see(auth.actor(), instance)],
        key=secrets.token_urlsafe(16),
        refusal=refusal,
    )
