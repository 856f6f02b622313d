"""The life of an invitation's link as a list of moments, for staff. Pure; what was typed is nowhere in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .invitations import Invitation, LinkState


class LinkMoment(StrEnum):
    """What happened to a link, or will."""

    #: The mail server accepted its mail.
    SENT = "sent"
    #: Something that runs the page opened it; a scanner that fetches it does not count.
    OPENED = "opened"
    #: Somebody tried in vain to identify.
    TRIED = "tried"
    #: Five wrong tries have locked it.
    LOCKED = "locked"
    #: The patient has answered.
    ANSWERED = "answered"
    #: A newer mail holds the link that works.
    REPLACED = "replaced"
    #: Staff have taken the invitation back.
    WITHDRAWN = "withdrawn"
    #: The patient asked for a new link.
    ASKED = "asked"
    #: Its last day is over.
    EXPIRED = "expired"
    #: It still works, until the end of this day.
    EXPIRES = "expires"


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkEvent:
    """
    One moment at *at*. *count* is how often (opened, tried), *last* the last time; *wrong_zip* and *wrong_birth* count
    which fact was wrong; *by* and *why* are those of a withdrawal.
    """

    kind: LinkMoment
    at: datetime
    last: datetime | None = None
    count: int = 1
    wrong_zip: int = 0
    wrong_birth: int = 0
    left: int = 0
    by: str = ""
    why: str = ""


def life_of(link: Invitation, now: datetime) -> tuple[LinkEvent, ...]:
    """The moments of *link* in the order they happened; the day until which it works comes last."""
    past = sorted(_past(link, now), key=lambda event: event.at)
    ahead = [LinkEvent(kind=LinkMoment.EXPIRES, at=link.expires_at)] if link.state(now) is LinkState.OPEN else []
    return (*past, *ahead)


def _past(link: Invitation, now: datetime) -> Iterator[LinkEvent]:
    if link.sent_at:
        yield LinkEvent(kind=LinkMoment.SENT, at=link.sent_at)
    if link.opened_at:
        yield LinkEvent(kind=LinkMoment.OPENED, at=link.opened_at, last=link.opened_again_at, count=link.opens)
    if link.wrong_tries and (tried := link.wrong_at or link.locked_at):
        yield LinkEvent(
            kind=LinkMoment.TRIED,
            at=tried,
            count=link.wrong_tries,
            wrong_zip=link.wrong_zip,
            wrong_birth=link.wrong_birth,
            left=link.tries_left,
        )
    if link.withdrawn_at:
        by, why = link.withdrawn_by, link.withdrawn_reason
        yield LinkEvent(kind=LinkMoment.WITHDRAWN, at=link.withdrawn_at, by=by, why=why)
    for kind, at in (
        (LinkMoment.LOCKED, link.locked_at),
        (LinkMoment.ANSWERED, link.used_at),
        (LinkMoment.REPLACED, link.revoked_at),
        (LinkMoment.ASKED, link.asked_at),
    ):
        if at:
            yield LinkEvent(kind=kind, at=at)
    if link.state(now) is LinkState.EXPIRED and not link.used_at:
        yield LinkEvent(kind=LinkMoment.EXPIRED, at=link.expires_at)
