"""Searches of cases kept under a name: save, rename, delete. They are shown and used on the page of cases."""

from __future__ import annotations

import usher_engine
from flask import Blueprint, redirect, request, url_for
from usher_engine.accounts import Role
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from .. import auth
from .saved_search_access import kept, query_of, saved_searches
from .search_query import asked

blueprint = Blueprint("searches", __name__, url_prefix="/cases/searches")


@blueprint.post("")
@auth.policy(Role.STAFF, Role.AUDITOR)
def add() -> Response:
    """Save the search whose parameters came with the form."""
    search = asked(MultiDict(item for item in request.form.items() if item[0] not in ("name", "shared", "csrf_token")))
    if "patient" in search.given:
        raise usher_engine.InvalidSubmission(
            "A search for a patient is not saved, so that names lie nowhere but in the record. Leave the patient out."
        )
    if search.errors:
        raise usher_engine.InvalidSubmission("This search cannot be saved as it is.", fields=search.errors)
    role = request.form.get("shared", "")
    shared = Role.named(role) if role else None
    saved = saved_searches().add(request.form.get("name", ""), query_of(search), shared=shared, actor=auth.actor())
    auth.say("The search was saved.")
    return _back(saved.query)


@blueprint.post("/<int:search_id>/name")
@auth.policy(Role.STAFF, Role.AUDITOR)
def rename(search_id: int) -> Response:
    saved_searches().rename(search_id, request.form.get("name", ""), actor=auth.actor())
    auth.say("The search was renamed.")
    return _back(next((one.query for one in kept() if one.id == search_id), ""))


@blueprint.post("/<int:search_id>/delete")
@auth.policy(Role.STAFF, Role.AUDITOR)
def delete(search_id: int) -> Response:
    saved_searches().delete(search_id, actor=auth.actor())
    auth.say("The saved search was deleted.")
    return _back("")


def _back(query: str) -> Response:
    return redirect(f"{url_for('cases.show')}{'?' if query else ''}{query}", 303)
