"""Lets windows listen to changes. The stream itself is held by the server; this view decides who may open it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import usher_engine
from flask import Blueprint, request, url_for
from usher_engine.accounts import Role
from usher_engine.core import whole_number

from .. import audit_logging, auth
from ..site import site
from .live_rows import Viewer

blueprint = Blueprint("live", __name__)

#: The WSGI environment's key of an admitted window.
WINDOW = "usher.window"
#: The most cases that the windows of one browser show; a page lists at most fifty.
MOST_CASES = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """
    What the pages of one browser show to *viewer*: the cases *watched*, as they were at *since* or later.

    *key* is the session's. *stale* are those of *watched* that have moved on since their page was made.
    """

    viewer: Viewer
    key: str
    watched: frozenset[str]
    stale: frozenset[str]
    since: datetime


@blueprint.get("/events")
@auth.policy(*Role, passive=True)
def events() -> tuple[str, int]:
    """
    Admit the windows of a browser, which show ``?cases=A:7,B:2``: case numbers with the revisions they show.

    ``since=1764558000`` is when the newest of their pages was made, in Unix seconds; without it they hear from now on.

    Cases that are not part of the person's work are left out. Answers 204, after which a browser fetches changes every
    few seconds; a server that can hold streams answers with one instead.
    """
    asked = dict(_number_and_revision(one) for one in request.args.get("cases", "").split(",") if one)
    if len(asked) > MOST_CASES:
        raise usher_engine.LimitExceeded(f"A browser may listen to {MOST_CASES} cases at once.")
    actor, account = auth.actor(), auth.session().account
    seen = site().engine.search.onlookers(asked).seen_by(actor) if asked else {}
    audit_logging.note_listed(sorted({sight.business_key for sight in seen.values()} - {""}))
    request.environ[WINDOW] = Window(
        viewer=Viewer(actor=actor, works=account.role is Role.STAFF),
        key=auth.session().key,
        watched=frozenset(seen),
        stale=frozenset(number for number, sight in seen.items() if asked[number] not in (None, sight.revision)),
        since=_moment(request.args.get("since", "")),
    )
    return "", 204


def address() -> str:
    """The address of the stream for a page that is being made now; what it shows may have been read a second ago."""
    return url_for("live.events", since=int(site().now().timestamp()) - 1)


def _moment(text: str) -> datetime:
    now = site().now()
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        return now
    return datetime.fromtimestamp(min(int(text), now.timestamp()), UTC)


def _number_and_revision(text: str) -> tuple[str, int | None]:
    number, _, revision = text.partition(":")
    return number[:20], whole_number(revision)
