"""What a person may start, the start form of one process, and the case that was started. Checks nothing itself."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.cases import CaseFilter, Instance, Offer
from werkzeug.wrappers import Response

from .. import auth
from ..casework.case_list import Listed, as_listed
from ..casework.visibility import may_see
from ..site import site
from ..words.date_range import begin_of
from ..words.element_names import names_of

blueprint = Blueprint("starts", __name__, url_prefix="/start")

Page = str | tuple[str, int]

#: Our own form keys; a key of a form has no dot.
KEY, AGAIN = "start.key", "start.again"
OURS = ("csrf_token", KEY, AGAIN)
#: How many of today's cases the page lists.
TODAY = 10


@blueprint.get("")
@auth.policy(Role.STAFF, Role.ANALYST, Role.ADMIN)
def show() -> str:
    return render_template("start.html", offers=site().engine.starts.offers(auth.actor()), offer=None)


@blueprint.get("/<process>")
@auth.policy(Role.STAFF, Role.ANALYST, Role.ADMIN)
def process(process: str) -> str:
    """The start form; after a start also the case, whose number is in ``?case=``."""
    return _page(process, started=_own_case(process, request.args.get("case", "")))


@blueprint.post("/<process>")
@auth.policy(Role.STAFF, Role.ANALYST, Role.ADMIN)
def begin(process: str) -> Page | Response:
    """Start a case. A refused form comes back as sent; so does one that was sent a moment ago, with a way on."""
    typed = {key: value for key, value in request.form.items() if key not in OURS}
    try:
        begun = site().engine.starts.begin(
            process,
            typed,
            actor=auth.actor(),
            key=_request_key(request.form.get(KEY, ""), typed),
            source=auth.page_source(auth.actor().name),
            again=request.form.get(AGAIN) == "yes",
        )
    except usher_engine.InvalidSubmission as wrong:
        return _page(process, typed=typed, errors=wrong.fields), 422
    except usher_engine.Paused:
        return _page(process, typed=typed), 503
    if begun.before:
        return _page(process, typed=typed, twice=begun.instance), 409
    return redirect(f"{url_for('starts.process', process=process, case=begun.instance.id)}#started", 303)


def _request_key(page: str, typed: dict[str, str]) -> str | None:
    """One idempotency key for each page and content: a page that is gone back to may be sent with other words."""
    words = hashlib.sha256(json.dumps(typed, sort_keys=True).encode()).hexdigest()
    return f"{page[:100]}:{words}" if page.isprintable() and page else None


def _own_case(process: str, number: str) -> Instance | None:
    """The case of *process* with this number, if the person may see it."""
    try:
        found = site().engine.instance(number) if number else None
    except usher_engine.NotFound:
        return None
    return found if found and found.process == process and may_see(auth.actor(), found) else None


def _page(
    process: str,
    *,
    typed: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
    started: Instance | None = None,
    twice: Instance | None = None,
) -> str:
    engine = site().engine
    offers = engine.starts.offers(auth.actor())
    offer = next((one for one in offers if one.version.process == process), None)
    if offer is None:
        raise usher_engine.NotFound(f"There is no process “{process[:100]}” that you may start.")
    case = started or twice
    return render_template(
        "start.html",
        offers=offers,
        offer=offer,
        values=_values(offer, typed),
        errors=errors or {},
        key=secrets.token_urlsafe(16),
        started=started,
        twice=twice,
        at=[names_of(case.id).of(element) for element in case.at] if case else [],
        today=_today(process),
    )


def _values(offer: Offer, typed: dict[str, Any] | None) -> dict[str, Any]:
    """What the fields hold: the text just typed, else their defaults."""
    if typed is not None or offer.form is None:
        return typed or {}
    return {field.key: field.default for field in offer.form.fields if field.default is not None}


def _today(process: str) -> list[Listed]:
    """The cases of *process* of today in which this person had a hand, newest first; for who may open cases."""
    if not auth.may_open("cases.case"):
        return []
    wanted = CaseFilter(process=process, actor=auth.actor().name, started_from=begin_of(site().today()))
    return as_listed(site().engine.search.find(wanted, actor=auth.actor(), limit=TODAY).cases)
