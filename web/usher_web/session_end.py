"""How long a session lasts, for the pages that are open in it: asked without counting as work, and made longer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify
from usher_engine.accounts import Role, Session

from . import auth
from .kept_text_key import kept_text_key
from .site import site

blueprint = Blueprint("session_end", __name__, url_prefix="/session")


@blueprint.get("")
@auth.policy(*Role)
def show() -> Response:
    """Whose session it is and when it ends; our pages ask with `X-Usher-Poll`, which is no sign of life."""
    return jsonify(session_facts(auth.session()))


@blueprint.post("/stay")
@auth.policy(*Role)
def stay() -> Response:
    """The person is still there: the request itself makes the session longer."""
    return jsonify(session_facts(auth.session()))


def session_facts(session: Session) -> dict[str, Any]:
    """What a page must know of its session: the person, the token of its forms, and the seconds until it ends."""
    accounts = site().accounts
    left = session.ends_at(idle=accounts.idle, absolute=accounts.absolute) - site().now()
    return {"name": session.account.name, "csrf": session.csrf, "ends_in": max(0, int(left.total_seconds()))}


def page_session() -> dict[str, str]:
    """The `data-` attributes of a page for its session: whose it is, its end, the key of kept text."""
    session: Session | None = g.get("session")
    if session is None:
        return {}
    facts = session_facts(session)
    return {"who": facts["name"], "ends-in": str(facts["ends_in"]), "kept-key": kept_text_key()}
