"""Where administrators set a patient's portal status, reported by another system, and opt-outs. Ids only, no names."""

from __future__ import annotations

from collections.abc import Mapping

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.core import whole_number
from usher_engine.enrollment import MAX_REASON, REPORTABLE, Change, OptOutScope, Standing
from werkzeug.wrappers import Response

from .. import audit_logging, auth
from ..site import site

blueprint = Blueprint("portal_standing", __name__, url_prefix="/admin/patients")

Page = str | tuple[str, int]
#: The source of a change made here, as its audit event names it.
SOURCE = "administration"

SET = {OptOutScope.PRACTICE: "Opted out of e-mail from the practice", OptOutScope.ADDRESS: "Address opted out"}
UNDONE = {OptOutScope.PRACTICE: "Opted in again for e-mail from the practice", OptOutScope.ADDRESS: "Address opted in"}


@blueprint.get("")
@auth.policy(Role.ADMIN)
def find() -> Page | Response:
    """Find a patient by id; the page neither asks for names nor shows any."""
    asked = request.args.get("patient", "").strip()
    if not asked:
        return render_template("admin_patients.html", asked="")
    try:
        found = site().enrollment.portal_standing.of(asked)
    except usher_engine.NotFound:
        return render_template("admin_patients.html", asked=asked), 404
    return redirect(url_for("portal_standing.show", patient_id=found.patient))


@blueprint.get("/<patient_id>")
@auth.policy(Role.ADMIN)
def show(patient_id: str) -> str:
    return _page(_viewed_standing(patient_id))


@blueprint.post("/<patient_id>/portal-status")
@auth.policy(Role.ADMIN)
def set_status(patient_id: str) -> Page | Response:
    found = _viewed_standing(patient_id)
    status, reason = request.form.get("status", ""), request.form.get("reason", "")
    try:
        after = site().enrollment.portal_standing.set_status(
            found.patient, status, reason, actor=auth.actor(), source=SOURCE, version=_version()
        )
    except usher_engine.InvalidSubmission as wrong:
        return _page(found, wrong.fields, at="status"), 422
    except usher_engine.Conflict as late:
        return _page(_viewed_standing(patient_id), {"version": late.message}, at="status"), 409
    auth.say(f"The portal status is {after.status}.")
    return redirect(url_for("portal_standing.show", patient_id=found.patient), 303)


@blueprint.post("/<patient_id>/opt-out")
@auth.policy(Role.ADMIN)
def set_opt_out(patient_id: str) -> Page | Response:
    found = _viewed_standing(patient_id)
    scope, reason = request.form.get("scope", ""), request.form.get("reason", "")
    try:
        opted_out = _opted_out()
        site().enrollment.portal_standing.set_opt_out(
            found.patient, scope, opted_out, reason, actor=auth.actor(), source=SOURCE
        )
    except usher_engine.InvalidSubmission as wrong:
        return _page(found, wrong.fields, at=scope), 422
    auth.say("The opt-out was set." if opted_out else "The opt-out was undone.")
    return redirect(url_for("portal_standing.show", patient_id=found.patient), 303)


def _version() -> int:
    number = whole_number(request.form.get("version", ""))
    if number is None:
        words = "Open the patient's page again and set the status there."
        raise usher_engine.InvalidSubmission(words, fields={"version": words})
    return number


def _opted_out() -> bool:
    choice = request.form.get("opted_out", "")
    if choice not in ("yes", "no"):
        words = "Say whether to opt out (yes) or to undo that (no)."
        raise usher_engine.InvalidSubmission(words, fields={"opted_out": words})
    return choice == "yes"


def _viewed_standing(patient_id: str) -> Standing:
    found = site().enrollment.portal_standing.of(patient_id)
    audit_logging.record_view("PatientViewed", found.patient, business_key=found.patient)
    return found


def _page(found: Standing, errors: Mapping[str, str] | None = None, *, at: str = "") -> str:
    """*at* names the form that the *errors* belong to: status, or the scope of an opt-out."""
    history = site().enrollment.portal_standing.history(found.patient)
    return render_template(
        "admin_patient.html",
        standing=found,
        choices=[status for status in REPORTABLE if status != found.status],
        history=[(change, _words(change)) for change in history],
        errors=errors or {},
        at=at,
        sent=request.form,
        most=MAX_REASON,
    )


def _words(change: Change) -> str:
    if change.scope is None:
        return ""
    return (SET if change.opted_out else UNDONE)[change.scope]
