"""
The patient's side: the link in the mail, the identity check, and the answer, in the patient's language.

Opening a page changes nothing, because mail scanners open links before people do. Every link nobody was given gets the
same page, so that nobody learns from it who is a patient. Who holds a link that was given out learns what has become of
the link, and only who identifies learns which answer was given (decisions/0026). A page about a state is an answer like
any other: 200, on a second click, on Back and on reload.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import usher_engine
from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from usher_engine.enrollment import (
    TERMS_VERSION,
    AlreadyAnswered,
    Answer,
    LinkClosed,
    LinkState,
    PastAnswer,
    PortalStatus,
    WrongIdentity,
)
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from .. import auth
from ..guess_limits import Limit, source
from ..message_catalogs import gettext, languages, own_name, speak, spoken
from ..site import site
from .birth_date_fields import field_order, sent_birth_date, typed_in

blueprint = Blueprint("patient", __name__, url_prefix="/i")

#: Requests for unusable links from one address in an hour. A valid link (256 bits) is never refused: patients may share
#: an address. The invitation itself counts wrong answers.
PER_ADDRESS, WINDOW_S = 60, 3600


@blueprint.get("/<token>")
@auth.public
def show(token: str) -> Response:
    _speak(token)
    try:
        site().enrollment.invitation(token)
    except LinkClosed as closed:
        return _closed(closed)
    except usher_engine.NotFound:
        return _unusable()
    return _identify(token, reports_opening=True)


@blueprint.post("/<token>/opened")
@auth.public
def opened(token: str) -> tuple[str, int] | Response:
    """Sent by the page's script: somebody's browser runs the page, which a scanner that fetches it does not do."""
    _speak(token)
    try:
        site().enrollment.responses.opened(token)
    except usher_engine.NotFound:
        return _unusable()
    return "", 204


@blueprint.post("/<token>")
@auth.public
def identify(token: str) -> Response:
    _speak(token)
    zip_code, born = request.form.get("zip_code", "").strip()[:40], sent_birth_date(request.form)
    try:
        if "switch" in request.form:  # only another language, and the same page with what was typed
            site().enrollment.invitation(token)
            return _identify(token)
        proof = site().enrollment.identify(token, zip_code, born)
    except AlreadyAnswered as known:
        return _answered(token, known.answer)
    except LinkClosed as closed:
        return _closed(closed)
    except usher_engine.NotFound:
        return _unusable()
    except WrongIdentity as wrong:
        return _identify(token, 422, tries_left=wrong.tries_left)
    except usher_engine.InvalidSubmission as wrong:
        return _identify(token, 422, errors={name: _needed()[name] for name in wrong.fields})
    return _ask(token, proof)


@blueprint.get("/<token>/answer")
@blueprint.get("/<token>/new-link")
@auth.public
def back(token: str) -> AnyResponse:
    """A patient who comes back to the address of a page that was sent begins again."""
    return redirect(url_for("patient.show", token=token), 303)


@blueprint.post("/<token>/answer")
@auth.public
def answer(token: str) -> Response:
    _speak(token)
    proof, said, until = request.form.get("proof", ""), request.form.get("answer", ""), request.form.get("until", "")
    try:
        if "switch" in request.form:
            site().enrollment.invitation(token)
            return _ask(token, proof)
        day = _day(until) if said == Answer.DEFER.value else None
        terms = _agreed() if said == Answer.ACCEPT.value else ""
        status = site().enrollment.respond(token, proof, _answer(said), until=day, terms=terms)
    except AlreadyAnswered as known:
        return _answered(token, known.answer)
    except LinkClosed as closed:
        return _closed(closed)
    except usher_engine.NotAllowed:
        return _page("invitation_refused.html", 403)
    except usher_engine.NotFound:
        return _unusable()
    except usher_engine.InvalidSubmission as wrong:
        return _ask(token, proof, 422, errors={name: _refused(name, said) for name in wrong.fields})
    return _done(token, status, site().now(), site().enrollment.deferred_until(day) if said == "defer" else None)


@blueprint.post("/<token>/new-link")
@auth.public
def ask_for_new(token: str) -> Response:
    """Ask the practice for a new link: the same page the first and the tenth time."""
    _speak(token)
    try:
        site().enrollment.links.ask_for_new(token)
    except usher_engine.NotFound:
        return _unusable()
    return _page("invitation_asked.html", token=token)


@blueprint.get("/<token>/opt-out")
@auth.public
def ask_opt_out(token: str) -> Response:
    """Asks first: a mail scanner that follows the link must not opt anybody out."""
    _speak(token)
    return _page("invitation_opt_out.html", token=token, done=False)


@blueprint.post("/<token>/opt-out")
@auth.public
def opt_out(token: str) -> Response:
    """From the page, or in one request from a mail program (RFC 8058), which gets no page."""
    _speak(token)
    if "switch" in request.form:
        return _page("invitation_opt_out.html", token=token, done=False)
    try:
        site().enrollment.opt_out(token)
    except usher_engine.NotFound:
        return _unusable()
    if request.form.get("List-Unsubscribe") == "One-Click":
        return Response("No more e-mail will be sent to this address.\n", mimetype="text/plain")
    return _page("invitation_opt_out.html", token=token, done=True)


# what was sent


def _speak(token: str) -> None:
    """Answer in the language that was chosen on the page, else the record's, else the browser's."""
    chosen = request.values.get("switch") or request.values.get("lang", "")
    browser = [tag for tag, _ in request.accept_languages]
    speak((chosen[:20], site().enrollment.responses.language_of(token), *browser))


def _agreed() -> str:
    """The version of the terms the patient has read; raises if the terms have changed since."""
    if request.form.get("terms") != TERMS_VERSION:
        raise usher_engine.InvalidSubmission("The terms have changed.", fields={"terms": "changed"})
    return TERMS_VERSION


def _answer(text: str) -> Answer:
    try:
        return Answer(text)
    except ValueError:
        raise usher_engine.InvalidSubmission("Choose one.", fields={"choice": "missing"}) from None


def _day(text: str) -> date | None:
    """The day from which the practice may ask again; None where none was chosen."""
    try:
        return date.fromisoformat(text) if text.strip() else None
    except ValueError:
        raise usher_engine.InvalidSubmission("This is no day.", fields={"until": "no day"}) from None


def _needed() -> dict[str, str]:
    return {
        "zip_code": gettext("Enter your ZIP code."),
        "birth_date": gettext("Enter the month, the day and the year of your birth."),
    }


def _refused(name: str, said: str) -> str:
    """Why an answer cannot be taken, at the field *name*."""
    if name == "terms":
        return gettext("The terms have changed. Please read them and answer again.")
    if name == "choice" or said not in set(Answer):
        return gettext("Choose one of the answers.")
    if name == "until":
        return gettext("Choose a day from tomorrow on, within a year, or none.")
    return gettext("Too much time has passed. Open the link in the mail once more.")


# the pages


def _identify(token: str, status: int = 200, **values: object) -> Response:
    typed = typed_in(request.form)
    zip_code = request.form.get("zip_code", "").strip()[:40]
    blank: dict[str, object] = {"errors": {}, "tries_left": None, "reports_opening": False}
    own = {"typed": typed, "zip_code": zip_code, "order": field_order(), "token": token}
    return _page("invitation_identify.html", status, **{**blank, **own, **values})


def _ask(token: str, proof: str, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    said, until = request.form.get("answer", ""), request.form.get("until", "")[:20]
    tomorrow = (site().today() + timedelta(days=1)).isoformat()
    return _page(
        "invitation_answer.html",
        status,
        token=token,
        proof=proof,
        said=said,
        until=until,
        tomorrow=tomorrow,
        errors=errors or {},
        terms_version=TERMS_VERSION,
    )


def _answered(token: str, known: PastAnswer) -> Response:
    """The done page once more: after a second click, or for a patient who comes back. A removed answer is not shown."""
    if known.removed_at is not None:
        return _page("invitation_closed.html", state=LinkState.REPLACED.value, day=None, token=token)
    return _done(token, known.status, known.at, known.until)


def _done(token: str, status: str, at: datetime, until: date | None) -> Response:
    calendar = site().settings.calendar
    given = PortalStatus(status).name.lower()
    return _page(
        "invitation_done.html",
        token=token,
        proof=request.form.get("proof", ""),
        said=request.form.get("answer", ""),
        given=given,
        day=calendar.day_of(at),
        clock=f"{calendar.local(at):%H:%M}",
        until=until,
    )


def _closed(closed: LinkClosed) -> Response:
    day = site().settings.calendar.day_of(closed.at) if closed.at else None
    token = (request.view_args or {}).get("token", "")
    return _page("invitation_closed.html", state=closed.state.value, day=day, token=token)


def _unusable() -> Response:
    """The one page for all links nobody was given; raises `TooManyRequests` for an address that asks for many."""
    key = f"link-from|{source()}"
    if not Limit(key=key, most=PER_ADDRESS, window_s=WINDOW_S, what="the address for links").count():
        raise TooManyRequests("Too many tries. Please wait an hour, or call the practice.")
    return _page("invitation_unusable.html", 404)


def _page(template: str, status: int = 200, **values: object) -> Response:
    others = [(tag, own_name(tag)) for tag in languages() if tag != spoken()]
    always = {"contact": site().settings.practice_contact, "other_languages": others}
    response = make_response(render_template(template, **{**always, **values}), status)
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Content-Language"] = spoken()
    return response
