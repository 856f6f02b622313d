"""Save, rename and delete named searches of cases. The page of cases shows and uses them."""

from __future__ import annotations

import usher_engine
from flask import Blueprint, redirect, request, url_for
from usher_engine.accounts import Role
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from .. import auth
from .saved_search_access import query_of, saved_searches, usable_searches
from .search_query import parse_search

blueprint = Blueprint("searches", __name__, url_prefix="/cases/searches")


@blueprint.post("")
@auth.policy(Role.STAFF, Role.AUDITOR)
def add() -> Response:
    """Save the search whose parameters came with the form."""
    given = MultiDict(item for item in request.form.items() if item[0] not in ("name", "shared", "csrf_token"))
    search = parse_search(given)
    if "patient" in search.given:
        raise usher_engine.InvalidSubmission(
            "A search for a patient is not saved, so that names lie nowhere but in the record. Leave the patient out."
        )
    if search.errors:
        raise usher_engine.InvalidSubmission("This search cannot be saved as it is.", fields=search.errors)
    role = request.form.get("shared", "")
    shared = Role.parse(role) if role else None
    saved = saved_searches().add(request.form.get("name", ""), query_of(search), shared=shared, actor=auth.actor())
    auth.say("The search was saved.")
    return _back_to_cases(saved.query)


@blueprint.post("/<int:search_id>/name")
@auth.policy(Role.STAFF, Role.AUDITOR)
def rename(search_id: int) -> Response:
    saved_searches().rename(search_id, request.form.get("name", ""), actor=auth.actor())
    auth.say("The search was renamed.")
    return _back_to_cases(next((one.query for one in usable_searches() if one.id == search_id), ""))


@blueprint.post("/<int:search_id>/delete")
@auth.policy(Role.STAFF, Role.AUDITOR)
def delete(search_id: int) -> Response:
    saved_searches().delete(search_id, actor=auth.actor())
    auth.say("The saved search was deleted.")
    return _back_to_cases("")


def _back_to_cases(query: str) -> Response:
    return redirect(f"{url_for('cases.show')}{'?' if query else ''}{query}", 303)
