"""The life of an invitation's link in words: a heading and a line for each moment, and who made it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from usher_engine.enrollment import LinkEvent, LinkMoment

#: Heading, mark (as in the replay: square the system, rhombus the patient, circle a person, triangle what went wrong),
#: and the hidden word for the mark.
HEADINGS = {
    LinkMoment.SENT: ("Sent", "system", "system"),
    LinkMoment.OPENED: ("Opened", "patient", "the patient"),
    LinkMoment.TRIED: ("Wrong tries", "incident", "warning"),
    LinkMoment.LOCKED: ("Locked", "incident", "warning"),
    LinkMoment.ANSWERED: ("Answered", "patient", "the patient"),
    LinkMoment.REPLACED: ("Replaced by a newer mail", "system", "system"),
    LinkMoment.WITHDRAWN: ("Withdrawn", "person", "staff"),
    LinkMoment.ASKED: ("Asked for a new link", "patient", "the patient"),
    LinkMoment.EXPIRED: ("Expired", "incident", "warning"),
    LinkMoment.EXPIRES: ("Expires", "system", "ahead"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkLine:
    """One moment as the page shows it: *mark* is a glyph, *said* the word for it, *more* are lines below the time."""

    heading: str
    mark: str
    said: str
    at: datetime
    more: tuple[str, ...]
    is_warning: bool
    is_ahead: bool


def link_lines(events: tuple[LinkEvent, ...]) -> list[LinkLine]:
    """The moments of a link as lines, in their order."""
    return [_line(event) for event in events]


def _line(event: LinkEvent) -> LinkLine:
    heading, mark, said = HEADINGS[event.kind]
    if event.kind is LinkMoment.TRIED:
        heading = f"{event.count} wrong {'try' if event.count == 1 else 'tries'}"
    return LinkLine(
        heading=heading,
        mark=mark,
        said=said,
        at=event.at,
        more=_more(event),
        is_warning=mark == "incident",
        is_ahead=event.kind is LinkMoment.EXPIRES,
    )


def _more(event: LinkEvent) -> tuple[str, ...]:
    match event.kind:
        case LinkMoment.OPENED if event.count > 1:
            return (f"{event.count} times",)
        case LinkMoment.TRIED:
            return tuple(filter(None, (_which(event), f"{event.left} left" if event.left else "")))
        case LinkMoment.WITHDRAWN:
            return (f"by {event.by}", f"“{event.why}”")
        case LinkMoment.EXPIRES:
            return ("at the end of that day", "then staff are asked")
        case _:
            return ()


def _which(event: LinkEvent) -> str:
    """Which facts were wrong, and how often; never what was typed."""
    wrong = (("ZIP code", event.wrong_zip), ("date of birth", event.wrong_birth))
    return ", ".join(f"{name} {number}×" for name, number in wrong if number)
