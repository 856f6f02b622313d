"""Signing in and out. Wrong name and wrong password look alike; guessing is slowed per account and per address."""

from __future__ import annotations

import usher_engine
from flask import Blueprint, g, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from . import auth, trail
from .addresses import inside
from .site import site

blueprint = Blueprint("sign_in", __name__)

PER_ACCOUNT, PER_ADDRESS, WINDOW_S = 10, 50, 900

WRONG = "This name and password do not belong together."


@blueprint.get("/sign-in")
@auth.public
def show() -> str | Response:
    if g.session is not None:
        return redirect(url_for("start"))
    return render_template("sign_in.html", name="", wrong="", next=inside(request.args.get("next", "")))


@blueprint.post("/sign-in")
@auth.public
def sign_in() -> Response | tuple[str, int]:
    name, password = request.form.get("name", "").strip()[:60], request.form.get("password", "")
    onward = inside(request.form.get("next", ""))
    accounts, by_account = site().accounts, f"sign-in|{name.lower()}"
    allowed = accounts.hit(by_account, PER_ACCOUNT, WINDOW_S)
    if not accounts.hit(f"sign-in-from|{request.remote_addr}", PER_ADDRESS, WINDOW_S) or not allowed:
        raise TooManyRequests("Too many tries to sign in. Wait a quarter of an hour, or ask your administrator.")
    account = accounts.verify(name, password)
    if account is None:
        trail.told("LogInFailed", {"from": request.remote_addr}, subject=_known(name), actor=trail.STRANGER)
        return render_template("sign_in.html", name=name, wrong=WRONG, next=onward), 422
    accounts.forget(by_account)
    session = accounts.begin_session(account.name, instead_of=g.session.secret if g.session else "")
    trail.told("LoggedIn", {"from": request.remote_addr}, subject=account.name, actor=auth.acting(account))
    response = redirect(onward or url_for("start"), 303)
    auth.set_cookie(response, session)
    return response


@blueprint.post("/sign-out")
@auth.policy(*Role)
def sign_out() -> Response:
    trail.told("LoggedOut", {}, subject=auth.actor().name)
    site().accounts.end_session(auth.session().secret)
    response = redirect(url_for("sign_in.show"), 303)
    auth.clear_cookie(response)
    return response


def _known(name: str) -> str:
    """*name* if there is such an account; what else is typed there may be a password."""
    try:
        return site().accounts.user(name).name
    except usher_engine.NotFound:
        return ""
