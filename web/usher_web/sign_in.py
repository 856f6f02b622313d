"""Sign in and out. Wrong name and wrong password look alike; guessing is limited (decisions/0023).

Failures count for the address, for the account from that address, and for the account from all unknown browsers.
A known browser has a limit of its own, so strangers cannot lock people out of their own desk.
"""

from __future__ import annotations

from dataclasses import replace

import usher_engine
from flask import Blueprint, g, jsonify, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from . import audit_logging, auth
from .addresses import inside
from .guess_limits import Limit, account_called, count_all, source
from .kept_text_key import forget_key
from .known_browsers import known_browser, remember
from .problems import wants_json
from .session_end import session_facts
from .site import site

blueprint = Blueprint("sign_in", __name__)

WINDOW_S = 900
PER_ACCOUNT_AND_ADDRESS, PER_ADDRESS, PER_KNOWN_BROWSER = 10, 50, 10
#: From all unknown browsers together, against guessing from many addresses.
PER_ACCOUNT = 100

WRONG = "This name and password do not belong together."


@blueprint.get("/sign-in")
@auth.public
def show() -> str | Response:
    if g.session is not None:
        return redirect(url_for("start"))
    onward = inside(request.args.get("next", ""))
    return render_template("sign_in.html", name="", wrong="", next=onward, ended=auth.had_session())


@blueprint.post("/sign-in")
@auth.public
def sign_in() -> Response | tuple[str, int]:
    name, password = request.form.get("name", "").strip()[:60], request.form.get("password", "")
    onward = inside(request.form.get("next", ""))
    accounts, limits = site().accounts, _limits(name)
    if not count_all(limits):
        raise TooManyRequests("Too many tries to sign in. Wait a quarter of an hour, or ask your administrator.")
    try:
        account = accounts.verify(name, password)
    except usher_engine.Corrupt:
        details = {"from": request.remote_addr, "reason": "the account was altered outside Usher"}
        audit_logging.record("LogInFailed", details, subject=account_called(name), actor=audit_logging.STRANGER)
        raise
    if account is None:
        details = {"from": request.remote_addr}
        audit_logging.record("LogInFailed", details, subject=account_called(name), actor=audit_logging.STRANGER)
        if wants_json():
            raise usher_engine.InvalidSubmission(WRONG, fields={"password": WRONG})
        return render_template("sign_in.html", name=name, wrong=WRONG, next=onward, ended=False), 422
    for limit in limits:
        limit.take_back()
    session = accounts.begin_session(account.name, instead_of=g.session.secret if g.session else "")
    audit_logging.record("LoggedIn", {"from": request.remote_addr}, subject=account.name, actor=auth.acting(account))
    # A page whose session has ended signs in by itself and stays (session-end.js).
    response = jsonify(session_facts(session)) if wants_json() else redirect(onward or url_for("start"), 303)
    auth.set_cookie(response, session)
    remember(response, account.name, request.path)
    return response


@blueprint.post("/sign-out")
@auth.policy(*Role)
def sign_out() -> Response:
    audit_logging.record("LoggedOut", {}, subject=auth.actor().name)
    site().accounts.end_session(auth.session().secret)
    response = redirect(url_for("sign_in.show"), 303)
    auth.clear_cookie(response)
    forget_key(response, auth.actor().name)
    return response


def _limits(name: str) -> list[Limit]:
    """The limits that apply to this browser signing in as *name*."""
    browser = known_browser(name)
    if browser:
        own = _limit("known", browser, PER_KNOWN_BROWSER, "the browser for the account")
        return [replace(own, typed=name, forgives=True)]
    whose, address = name.lower(), source()
    both = _limit("both", f"{address}|{whose}", PER_ACCOUNT_AND_ADDRESS, "the address for the account")
    return [
        _limit("from", address, PER_ADDRESS, "the address"),
        replace(both, typed=name, forgives=True),
        replace(_limit("account", whose, PER_ACCOUNT, "the account for unknown browsers"), typed=name),
    ]


def _limit(kind: str, of: str, most: int, what: str) -> Limit:
    return Limit(key=f"sign-in|{kind}|{of}", most=most, window_s=WINDOW_S, what=what)
