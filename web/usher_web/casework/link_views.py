"""The links of a patient's invitations, as the pages for staff and auditors show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from usher_engine.enrollment import Invitation, LinkState, life_of

from ..site import site
from ..words.link_life import LinkLine, link_lines


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkView:
    """One link with its moments; *message_id* names its mail, *address* is where that went."""

    message_id: str
    case: str
    address: str
    lines: list[LinkLine]
    may_withdraw: bool


def link_views(links: Iterable[Invitation]) -> list[LinkView]:
    """The links whose mails have left, in the given order."""
    now = site().now()
    return [
        LinkView(
            message_id=link.message_id,
            case=link.instance,
            address=link.address,
            lines=link_lines(life_of(link, now)),
            may_withdraw=link.state(now) in (LinkState.OPEN, LinkState.LOCKED, LinkState.EXPIRED) and not link.used_at,
        )
        for link in links
        if link.sent_at
    ]


def newest_link(patient: str) -> list[LinkView]:
    """The newest link of a patient as a list of one; empty if no invitation has left."""
    return link_views(site().enrollment.invitations(patient))[:1] if patient else []
