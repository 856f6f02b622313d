"""Everybody's own profile: the name colleagues see, the address Usher may write to and what it sends, who stands in."""

from __future__ import annotations

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import MAX_DISPLAY_NAME, Role
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from . import auth
from .site import site
from .words.person_names import profiles
from .words.substitute_choice import end_substitute, name_substitute, substitute_choice, why_refused

blueprint = Blueprint("profile", __name__, url_prefix="/profile")

#: Confirmation mails that one person may ask for in `WINDOW_S` seconds: they go to any address that is typed.
MAILS, WINDOW_S = 5, 3600

Page = Response | tuple[str, int]


@blueprint.get("")
@auth.policy(*Role)
def show() -> str:
    return _page()


@blueprint.post("/name")
@auth.policy(*Role)
def set_name() -> Page:
    name = auth.actor().name
    try:
        account = profiles().set_display_name(name, request.form.get("display_name", ""), actor=auth.actor())
    except (usher_engine.InvalidSubmission, usher_engine.Conflict) as refused:
        return _page(errors=_fields(refused, "display_name")), 422
    auth.say(f"Colleagues see you as {account.shown_name}.")
    return redirect(url_for(".show"), 303)


@blueprint.post("/email")
@auth.policy(*Role)
def ask_email() -> Page:
    """Send a mail with a link that confirms the address; until then nothing else goes to it."""
    name, now = auth.actor().name, site().now()
    if not site().accounts.hit(f"confirm|{name}", MAILS, WINDOW_S):
        raise TooManyRequests("You have asked for several confirmation mails. Wait an hour, and look for one of them.")
    try:
        asked, secret = profiles().ask_address(name, request.form.get("email", ""), actor=auth.actor())
    except (usher_engine.InvalidSubmission, usher_engine.Conflict) as refused:
        return _page(errors=_fields(refused, "email")), 422
    link = f"{site().settings.base_url.rstrip('/')}{url_for('.awaited', secret=secret)}"
    try:
        until = asked.wanted_until or now
        site().enrollment.staff_mail.ask_to_confirm(asked.wanted, link=link, until=until, now=now)
    except usher_engine.ServiceError as failed:
        auth.say_failed(f"The mail to {asked.wanted} did not go out. {failed.message}")
    else:
        auth.say(f"A mail is on its way to {asked.wanted}. Open the link in it to confirm the address.")
    return redirect(url_for(".show"), 303)


@blueprint.get("/email/<secret>")
@auth.policy(*Role)
def awaited(secret: str) -> str | tuple[str, int]:
    """Where the link in the mail leads: nothing is confirmed before the button is pressed."""
    try:
        found = profiles().awaited(auth.actor().name, secret)
    except usher_engine.NotFound:
        return _unusable()
    return render_template("profile_confirm.html", secret=secret, wanted=found.wanted)


@blueprint.post("/email/<secret>")
@auth.policy(*Role)
def confirm(secret: str) -> Page:
    try:
        found = profiles().confirm_address(auth.actor().name, secret, actor=auth.actor())
    except usher_engine.NotFound:
        return _unusable()
    auth.say(f"Usher writes to {found.address} from now on.")
    return redirect(url_for(".show"), 303)


@blueprint.post("/email/remove")
@auth.policy(*Role)
def remove_email() -> Response:
    try:
        profiles().remove_address(auth.actor().name, actor=auth.actor())
    except usher_engine.NotFound as nothing:
        auth.say_failed(nothing.message)
    else:
        auth.say("Usher writes to you no more.")
    return redirect(url_for(".show"), 303)


@blueprint.post("/digest")
@auth.policy(Role.STAFF)
def set_digest() -> Page:
    """Mails of the morning: ``each`` working day, or ``never``."""
    name, choices = auth.actor().name, site().enrollment.digests.choices
    if request.form.get("digest") != "each":
        choices.turn_off(name, actor=auth.actor())
        auth.say("You get no mail of the morning.")
        return redirect(url_for(".show"), 303)
    try:
        choices.turn_on(name, actor=auth.actor())
    except usher_engine.Conflict as refused:
        return _page(errors={"digest": refused.message}), 409
    auth.say("You get a mail each morning of a working day on which something is open for you.")
    return redirect(url_for(".show"), 303)


@blueprint.get("/digest/<off>")
@auth.public
def ask_digest_off(off: str) -> str | tuple[str, int]:
    """Asks first: a mail scanner that follows the link must not change anything."""
    if site().enrollment.digests.choices.owner_of(off) is None:
        return render_template("profile_digest_off.html", off="", done=False), 404
    return render_template("profile_digest_off.html", off=off, done=False)


@blueprint.post("/digest/<off>")
@auth.public
def digest_off(off: str) -> str | tuple[str, int] | Response:
    """From the page, or in one request from a mail program (RFC 8058), which gets no page."""
    choices = site().enrollment.digests.choices
    owner = choices.owner_of(off)
    if owner is None:
        return render_template("profile_digest_off.html", off="", done=False), 404
    choices.turn_off(owner.name, actor=auth.acting(owner))
    if request.form.get("List-Unsubscribe") == "One-Click":
        return Response("No more mails of the morning will be sent.\n", mimetype="text/plain")
    return render_template("profile_digest_off.html", off=off, done=True)


@blueprint.post("/substitutes")
@auth.policy(Role.STAFF)
def name_own_substitute() -> Page:
    """Let a colleague stand in for the person themselves."""
    try:
        auth.say(name_substitute(auth.actor().name, actor=auth.actor()))
    except (usher_engine.InvalidSubmission, usher_engine.Conflict) as refused:
        return _page(substitute_errors=why_refused(refused)), 422
    return redirect(f"{url_for('.show')}#substitutes-title", 303)


@blueprint.post("/substitutes/<int:number>/end")
@auth.policy(Role.STAFF)
def end_own_substitute(number: int) -> Response:
    auth.say(end_substitute(number, auth.actor().name, actor=auth.actor()))
    return redirect(f"{url_for('.show')}#substitutes-title", 303)


def _page(errors: dict[str, str] | None = None, substitute_errors: dict[str, str] | None = None) -> str:
    account = auth.session().account
    values = {"display_name": account.display_name, "email": ""} | request.form.to_dict()
    return render_template(
        "profile.html",
        account=account,
        address=profiles().address(account.name),
        values=values,
        digest=account.role is Role.STAFF and site().enrollment.digests.choices.is_on(account.name),
        errors=errors or {},
        longest=MAX_DISPLAY_NAME,
        choice=substitute_choice(account, substitute_errors),
    )


def _unusable() -> tuple[str, int]:
    return render_template("profile_confirm.html", secret="", wanted=""), 404


def _fields(refused: usher_engine.EngineError, field: str) -> dict[str, str]:
    own = refused.fields if isinstance(refused, usher_engine.InvalidSubmission) else {}
    return own or {field: refused.message}
