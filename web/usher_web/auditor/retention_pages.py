"""Retention: how long cases are kept, legal holds, what a purge would do, and the purge. Ids and numbers, no names."""

from __future__ import annotations

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.assurance import Plan
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from ..words.date_range import day_of

blueprint = Blueprint("retention", __name__, url_prefix="/audit/retention")

Page = str | tuple[str, int]


@blueprint.get("")
@auth.policy(Role.AUDITOR, Role.ADMIN)
def show() -> Page:
    errors: dict[str, str] = {}
    day = day_of(request.args.get("before", ""), "before", errors)
    try:
        plan = site().enrollment.retention.plan(day)
    except usher_engine.InvalidSubmission as wrong:
        errors = {**wrong.fields}
    if errors:
        return _page(errors=errors), 422
    return _page(plan=plan if "before" in request.args else None)


@blueprint.post("/purge")
@auth.policy(Role.ADMIN)
def purge() -> Page | Response:
    """Purge exactly what the dry run showed: the form carries its day, and the box confirms that it was read."""
    errors: dict[str, str] = {}
    day = day_of(request.form.get("before", ""), "before", errors)
    if request.form.get("sure") != "yes":
        errors["sure"] = "Tick the box to say that you have read what would be purged."
    retention = site().enrollment.retention
    try:
        plan = retention.plan(day)
        if errors:
            return _page(plan=plan, errors=errors), 422
        done = retention.purge(day, actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        return _page(errors={**wrong.fields}), 422
    kept = sum(done.left.values())
    auth.say(f"{done.purged} cases were purged, {kept} were kept. The proof of all of them is kept.")
    return redirect(url_for("retention.show"), 303)


@blueprint.post("/holds")
@auth.policy(Role.AUDITOR, Role.ADMIN)
def hold() -> Page | Response:
    patient = request.form.get("patient", "").strip()
    try:
        known = site().enrollment.patient(patient).id
        site().enrollment.retention.hold(known, request.form.get("reason", ""), actor=auth.actor())
    except usher_engine.NotFound:
        return _page(errors={"patient": "No patient is known under this id."}), 422
    except usher_engine.InvalidSubmission as wrong:
        return _page(errors={**wrong.fields}), 422
    auth.say("The legal hold was set.")
    return redirect(url_for("retention.show"), 303)


@blueprint.post("/holds/lift")
@auth.policy(Role.AUDITOR, Role.ADMIN)
def lift() -> Page | Response:
    patient, reason = request.form.get("patient", "").strip(), request.form.get("reason", "")
    try:
        site().enrollment.retention.lift(patient, reason, actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        return _page(errors={"lift": next(iter(wrong.fields.values()), wrong.message)}), 422
    auth.say("The legal hold was lifted.")
    return redirect(url_for("retention.show"), 303)


def _page(plan: Plan | None = None, errors: dict[str, str] | None = None) -> str:
    retention = site().enrollment.retention
    return render_template(
        "retention.html",
        years=retention.years,
        latest=retention.cutoff(),
        plan=plan,
        purged=retention.count(),
        holds=retention.holds(),
        errors=errors or {},
        sent=request.form,
        before=request.values.get("before", ""),
    )
