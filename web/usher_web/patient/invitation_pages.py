"""
The patient's side: the link in the mail, the identity check, and the answer.

Opening a page changes nothing, because mail scanners open links before people do. Every link nobody was given gets the
same page, so that nobody learns from it who is a patient. Who holds a link that was given out learns what has become of
the link, and only who identifies learns which answer was given (decisions/0026).
"""

from __future__ import annotations

from datetime import date, timedelta

import usher_engine
from flask import Blueprint, Response, make_response, render_template, request
from usher_engine.enrollment import TERMS, TERMS_VERSION, AlreadyAnswered, Answer, LinkClosed, LinkState
from werkzeug.exceptions import TooManyRequests

from .. import auth
from ..guess_limits import Limit, source
from ..site import site

blueprint = Blueprint("patient", __name__, url_prefix="/i")

#: Requests for unusable links from one address in an hour. A valid link (256 bits) is never refused: patients may share
#: an address. The invitation itself counts wrong answers.
PER_ADDRESS, WINDOW_S = 60, 3600


@blueprint.get("/<token>")
@auth.public
def show(token: str) -> Response:
    try:
        site().enrollment.invitation(token)
    except LinkClosed as closed:
        return _closed(closed.state)
    except usher_engine.NotFound:
        return _unusable()
    return _page("invitation_identify.html")


@blueprint.post("/<token>")
@auth.public
def identify(token: str) -> Response:
    zip_code, birth_date = (request.form.get(name, "").strip()[:40] for name in ("zip_code", "birth_date"))
    try:
        proof = site().enrollment.identify(token, zip_code, birth_date)
    except AlreadyAnswered as known:
        return _answered(known)
    except LinkClosed as closed:
        return _closed(closed.state)
    except usher_engine.NotFound:
        return _unusable()
    except usher_engine.InvalidSubmission as wrong:
        return _page("invitation_identify.html", 422, wrong=wrong.message)
    return _page("invitation_answer.html", proof=proof)


@blueprint.post("/<token>/answer")
@auth.public
def answer(token: str) -> Response:
    proof, said, until = request.form.get("proof", ""), request.form.get("answer", ""), request.form.get("until", "")
    try:
        day = _day(until) if said == Answer.DEFER.value else None
        terms = _agreed() if said == Answer.ACCEPT.value else ""
        given = site().enrollment.respond(token, proof, _answer(said), until=day, terms=terms)
    except AlreadyAnswered as known:
        return _answered(known)
    except LinkClosed as closed:
        return _closed(closed.state)
    except usher_engine.NotAllowed as refused:
        return _page("invitation_refused.html", 403, reason=refused.message)
    except usher_engine.NotFound:
        return _unusable()
    except usher_engine.InvalidSubmission as wrong:
        return _page("invitation_answer.html", 422, proof=proof, errors=wrong.fields, said=said, until=until)
    return _page("invitation_done.html", given=given, until=day)


@blueprint.get("/<token>/opt-out")
@auth.public
def ask_opt_out(token: str) -> Response:
    """Asks first: a mail scanner that follows the link must not opt anybody out."""
    return _page("invitation_opt_out.html", token=token, done=False)


@blueprint.post("/<token>/opt-out")
@auth.public
def opt_out(token: str) -> Response:
    """From the page, or in one request from a mail program (RFC 8058), which gets no page."""
    try:
        site().enrollment.opt_out(token)
    except usher_engine.NotFound:
        return _unusable()
    if request.form.get("List-Unsubscribe") == "One-Click":
        return Response("No more e-mail will be sent to this address.\n", mimetype="text/plain")
    return _page("invitation_opt_out.html", token=token, done=True)


def _agreed() -> str:
    """The version of the terms the patient has read; raises if the terms have changed since."""
    if request.form.get("terms") != TERMS_VERSION:
        reason = "The terms have changed. Please read them and answer again."
        raise usher_engine.InvalidSubmission(reason, fields={"terms": reason})
    return TERMS_VERSION


def _answer(text: str) -> Answer:
    try:
        return Answer(text)
    except ValueError:
        reason = "Choose one of the answers."
        raise usher_engine.InvalidSubmission(reason, fields={"answer": reason}) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        reason = "Choose the day from which we may ask again."
        raise usher_engine.InvalidSubmission(reason, fields={"until": reason}) from None


def _answered(known: AlreadyAnswered) -> Response:
    """The done page once more: after a second click, or for a patient who comes back. A removed answer is not shown."""
    if known.answer.removed_at is not None:
        return _closed(LinkState.REPLACED)
    return _page("invitation_done.html", given=known.answer.status, until=known.answer.until)


def _closed(state: LinkState) -> Response:
    return _page("invitation_closed.html", 410, state=state.value)


def _unusable() -> Response:
    """The one page for all links nobody was given; raises `TooManyRequests` for an address that asks for many."""
    key = f"link-from|{source()}"
    if not Limit(key=key, most=PER_ADDRESS, window_s=WINDOW_S, what="the address for links").count():
        raise TooManyRequests("Too many tries. Please wait an hour, or call the practice.")
    return _page("invitation_unusable.html", 404)


def _page(template: str, status: int = 200, **values: object) -> Response:
    blank = {"errors": {}, "wrong": "", "said": "", "until": ""}
    always = {
        "terms": TERMS,
        "terms_version": TERMS_VERSION,
        "today": site().today().isoformat(),
        "tomorrow": (site().today() + timedelta(days=1)).isoformat(),
        "contact": site().settings.practice_contact,
    }
    response = make_response(render_template(template, **{**blank, **always, **values}), status)
    response.headers["X-Robots-Tag"] = "noindex"
    return response
