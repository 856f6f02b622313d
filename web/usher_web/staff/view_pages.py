"""Save, share, order and delete views of the inbox: named sets of filters, order and columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

import usher_engine
from flask import Blueprint, redirect, request, url_for
from usher_engine.accounts import Role, SavedSearch, SavedSearches, SearchPlace
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from .list_query import ListQuery, parse_list

blueprint = Blueprint("views", __name__, url_prefix="/inbox/views")


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedView:
    """A view as its reader sees it: *query* is the list it shows, *mine* whether they may rename and delete it."""

    id: int
    name: str
    owner: str
    query: ListQuery
    mine: bool
    shared: bool


def saved_views() -> list[SavedView]:
    """The views of the signed-in person, in their order."""
    return [_view(one) for one in _searches().seen_by(auth.actor())]


def _view(saved: SavedSearch) -> SavedView:
    query = parse_list(MultiDict(parse_qsl(saved.query)))
    return SavedView(
        id=saved.id,
        name=saved.name,
        owner=saved.owner,
        query=replace(query, saved=str(saved.id), gone=tuple(f"“{saved.name}”: {note}" for note in query.gone)),
        mine=saved.owner == auth.actor().name,
        shared=saved.shared is not None,
    )


@blueprint.post("")
@auth.policy(Role.STAFF)
def add() -> Response:
    """Save the list whose address came with the form."""
    query = replace(parse_list(MultiDict(parse_qsl(request.form.get("query", "")))).first_page, saved="")
    if query.text:
        reason = "A view for a patient is not saved, so that names lie nowhere but in the record. Leave the words out."
        raise usher_engine.InvalidSubmission(reason, fields={"query": reason})
    shared = Role.STAFF if request.form.get("shared") else None
    # Also the usual list may be worth a name: the order of its parameters is then all there is.
    saved = _searches().add(
        request.form.get("name", ""), query.query() or "view=all", shared=shared, actor=auth.actor()
    )
    auth.say(f"The view “{saved.name}” was saved.")
    return _to(replace(query, saved=str(saved.id)))


@blueprint.post("/<int:view_id>/move")
@auth.policy(Role.STAFF)
def move(view_id: int) -> Response:
    """One place towards the beginning or the end, for this person alone."""
    _searches().move(view_id, actor=auth.actor(), by=-1 if request.form.get("way") == "first" else 1)
    return redirect(url_for("inbox.show", saved=view_id), 303)


@blueprint.post("/<int:view_id>/delete")
@auth.policy(Role.STAFF)
def delete(view_id: int) -> Response:
    _searches().delete(view_id, actor=auth.actor())
    auth.say("The view was deleted.")
    return redirect(url_for("inbox.show"), 303)


def _searches() -> SavedSearches:
    return SavedSearches(site().accounts.database, site().accounts.clock, SearchPlace.DESK)


def _to(query: ListQuery) -> Response:
    return redirect(f"{url_for('inbox.show')}?{query.query()}", 303)
