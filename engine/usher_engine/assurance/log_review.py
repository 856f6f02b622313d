"""Log review: an auditor signs off the audit events of a period and records what they found.

A sign-off is an audit event, so it can be neither altered nor withdrawn. 45 CFR 164.308(a)(1)(ii)(D) requires regular
reviews; the gaps show periods without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..audit.audit_log import AuditLog
from ..context import Context
from ..core.actor import Actor
from ..core.errors import InvalidSubmission, NotAllowed
from ..core.visible_text import trimmed
from ..store import audit_rows as rows
from ..store import from_text, to_text
from ..store.audit_rows import AuditEvent

MAX_NOTE = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """*by* reviewed the events from *since* up to but not including *until*."""

    since: datetime
    until: datetime
    at: datetime
    by: str
    note: str


class LogReviews:
    """Records reviews and finds the periods not reviewed."""

    def __init__(self, context: Context, audit: AuditLog) -> None:
        self.context, self.audit = context, audit

    def sign_off(self, since: datetime, until: datetime, note: str, *, actor: Actor) -> None:
        """
        Record that *actor* reviewed the events of a period.

        Raises:
            NotAllowed: *actor* is not an auditor.
            InvalidSubmission: The period is reversed or not over yet, or the note is empty or too long.
        """
        if actor.role != "auditor":
            raise NotAllowed("Only auditors sign off what they have looked through.")
        wrong = {}
        if until <= since:
            wrong["until"] = "This is before the first moment. Swap the two."
        elif until > self.context.clock():
            wrong["until"] = "This is still to come; only what has happened can be looked through."
        if not trimmed(note) or len(note) > MAX_NOTE:
            wrong["note"] = f"Say in 1 to {MAX_NOTE} characters what you looked at and what you found."
        if wrong:
            raise InvalidSubmission(fields=wrong)
        details = {"since": to_text(since), "until": to_text(until)}
        self.audit.record("LogReviewed", details, actor=actor, why=note.strip())

    def reviews(self, limit: int = 500) -> list[Review]:
        """The recorded reviews, newest first."""
        with self.context.database.read() as tx:
            found = rows.select_events(tx, kind="LogReviewed", limit=limit)
        return [_review(event) for event in found]

    def gaps(self) -> list[tuple[datetime, datetime]]:
        """The periods not signed off, from the first event until now, oldest first."""
        with self.context.database.read() as tx:
            begin = rows.first_at(tx)
        now = self.context.clock()
        return left_over(begin, now, [(one.since, one.until) for one in self.reviews()]) if begin else []


def left_over(
    begin: datetime, end: datetime, covered: list[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """The parts of the period from *begin* to *end* that *covered* leaves out."""
    gaps, at = [], begin
    for since, until in sorted(covered):
        if since > at:
            gaps.append((at, min(since, end)))
        at = max(at, until)
    return [*gaps, (at, end)] if at < end else gaps


def _review(event: AuditEvent) -> Review:
    details = event.details
    since, until = from_text(details["since"]), from_text(details["until"])
    return Review(since=since, until=until, at=event.at, by=event.actor, note=event.why)
