"""The mails of the signed-in person that have not left yet, each with the button that stops it (decisions/0042)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .. import auth
from ..site import site
from .patient_labels import subjects


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldView:
    """One held mail: who it goes to, and when it leaves; *seconds* are those left, 0 when it is about to go."""

    instance: str
    revision: int
    name: str
    leaves_at: datetime
    seconds: int


def held_mails() -> list[HeldView]:
    """What the signed-in person can still undo, the next to leave first; who did nothing lately costs nothing."""
    found = site().engine.undos.held(auth.actor()) if _has_acted() else []
    people = subjects(one.business_key for one in found) if found else {}
    return [
        HeldView(
            instance=one.instance,
            revision=one.revision,
            name=people[one.business_key].name if one.business_key in people else one.business_key,
            leaves_at=one.leaves_at,
            seconds=max(0, round((one.leaves_at - site().now()).total_seconds())),
        )
        for one in found
    ]


def _has_acted() -> bool:
    """Whether the person did something within the time that mails are held."""
    hold = timedelta(seconds=site().settings.mail_hold)
    return any(site().now() - act.at <= hold for act in auth.session().account.followed) and bool(hold)
