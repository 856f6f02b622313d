"""The audit page: events, newest first; the state of the proof; checks; reviewed and unreviewed periods."""

from __future__ import annotations

from typing import Any

import usher_engine
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.assurance import Checker, proof_state
from usher_engine.core import whole_number
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from ..words.audit_sentences import kind_label
from ..words.date_range import begin_of, day_of, end_of
from ..words.proof_verdict import ASK, meanings
from .audit_list import KINDS, asked_events, page_of

blueprint = Blueprint("audit", __name__, url_prefix="/audit")

#: How far back refused attempts and failed sign-ins are counted at the head of the page.
LATELY_HOURS = 24


@blueprint.get("")
@auth.policy(Role.AUDITOR, Role.ADMIN)
def show() -> str | tuple[str, int]:
    search = asked_events(request.args)
    found = page_of(search, whole_number(request.args.get("before", "")))
    page = _page(search=search, **found)
    return (page, 422) if search.errors else page


@blueprint.post("/check")
@auth.policy(Role.AUDITOR, Role.ADMIN)
def check() -> Response:
    """Begin a check of the whole record; the page shows its progress."""
    Checker(site().engine.context, site().engine.audit, site().enrollment.disagreements).start(actor=auth.actor())
    auth.say("The check has begun. This page shows how far it is.")
    return redirect(url_for("audit.show"), 303)


@blueprint.get("/check")
@auth.policy(Role.AUDITOR, Role.ADMIN)
def progress() -> str:
    """The check alone, which the page polls while it runs."""
    return render_template("audit_check.html", **_check())


@blueprint.get("/reviews")
@auth.policy(Role.AUDITOR)
def reviews() -> str:
    return _reviews({})


@blueprint.post("/reviews")
@auth.policy(Role.AUDITOR)
def sign_off() -> Response | tuple[str, int]:
    errors: dict[str, str] = {}
    since, until = (day_of(request.form.get(name, ""), name, errors) for name in ("since", "until"))
    for name, day in (("since", since), ("until", until)):
        if day is None:
            errors.setdefault(name, "Choose a day.")
    if since is None or until is None or errors:
        return _reviews(errors), 422
    end = min(end_of(until), site().now())
    try:
        site().engine.log_reviews.sign_off(begin_of(since), end, request.form.get("note", ""), actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        return _reviews(wrong.fields), 422
    auth.say("Your review was recorded.")
    return redirect(url_for("audit.reviews"), 303)


def _page(**shown: Any) -> str:
    engine = site().engine
    lately = {kind: engine.audit.count_lately(kind, LATELY_HOURS) for kind in ("Refused", "LogInFailed")}
    gaps = engine.log_reviews.gaps()
    return render_template(
        "audit.html",
        proof=proof_state(engine.database),
        lately=lately,
        hours=LATELY_HOURS,
        unreviewed=gaps[0][0] if gaps else None,
        kinds=[(kind, kind_label(kind)) for kind in KINDS],
        people=sorted(user.name for user in site().accounts.users()),
        exports_url=url_for("exports.show") if "exports.show" in current_app.view_functions else "",
        **_check(),
        **shown,
    )


def _check() -> dict[str, Any]:
    checker = Checker(site().engine.context, site().engine.audit)
    last = checker.last()
    findings = last.findings if last else ()
    problems = [(one.instance, problem) for one, problem in zip(findings, meanings(findings), strict=True)]
    running = checker.is_running(last, site().now())
    return {"check": last, "check_runs": running, "problems": problems, "ask": ASK}


def _reviews(errors: dict[str, str]) -> str:
    reviewing = site().engine.log_reviews
    return render_template(
        "audit_reviews.html",
        reviews=reviewing.reviews(100),
        gaps=reviewing.gaps()[::-1],
        errors=errors,
        sent=request.form,
        today=site().now(),
    )
