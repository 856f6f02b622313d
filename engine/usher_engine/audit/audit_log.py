"""The audit stream: who signed in, saw, tried, set or took out what. Beside the steps of cases, chained like them.

The engine says how an event is written; which views and commands write one is decided where they are
(engine/decisions/0006).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias, get_args

from ..context import Context
from ..core.actor import Actor
from ..core.canonical import Json, check_input
from ..store import Transaction, to_text
from ..store.audit_rows import AuditEvent, append, count_since, select_events

AuditKind: TypeAlias = Literal[
    "LoggedIn",
    "LogInFailed",
    "LockedOut",
    "LoggedOut",
    "PatientViewed",
    "CaseViewed",
    "TaskViewed",
    "PatientsListed",
    "Refused",
    "Deployed",
    "DraftStarted",
    "DraftDiscarded",
    "SignOffAsked",
    "Exported",
    "Imported",
    "SettingChanged",
    "TrailViewed",
    "Verified",
    "LogReviewed",
    "HoldSet",
    "HoldLifted",
    "Purged",
    "CaseCancelled",
    "CaseRepaired",
    "ProcessPaused",
    "ProcessResumed",
    "RunStarted",
    "RunStopped",
    "OptOutSet",
    "OptOutLifted",
]

#: Every kind of audit event there is.
KINDS: tuple[AuditKind, ...] = get_args(AuditKind)

MAX_ID = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a page showed or refused: an audit event without its time and its actor, who are the page's."""

    kind: AuditKind
    details: Mapping[str, Any]
    subject: str = ""
    business_key: str = ""


class AuditLog:
    """Writes and finds audit events."""

    def __init__(self, context: Context) -> None:
        self.database, self.clock = context.database, context.clock

    def record(
        self,
        kind: AuditKind,
        details: Mapping[str, Any],
        *,
        actor: Actor,
        subject: str = "",
        business_key: str = "",
        why: str = "",
        transaction: Transaction | None = None,
    ) -> None:
        """
        Record what *actor* did or saw, in a transaction of its own, or inside *transaction*.

        Args:
            kind: What happened.
            details: More about it, JSON; ids and counts, never what a patient's record says.
            actor: Who.
            subject: Id of the case, task, patient or account it was about.
            business_key: What that case is about, so that everything about a patient can be found.
            why: The reason given, where there is one.
            transaction: The transaction whose change this tells of: both are kept, or neither is.
        """
        at = self.clock()
        body = audit_body(kind, details, at=at, actor=actor, subject=subject, business_key=business_key, why=why)
        if transaction is not None:
            append(transaction, body)
            return
        with self.database.begin() as tx:
            append(tx, body)

    def record_page(self, looks: Iterable[Look], *, actor: Actor) -> None:
        """Record what *actor* saw or was refused on one page, in one transaction; as `record` does."""
        at = self.clock()
        bodies = [
            audit_body(one.kind, one.details, at=at, actor=actor, subject=one.subject, business_key=one.business_key)
            for one in looks
        ]
        with self.database.begin() as tx:
            append(tx, *bodies)

    def events(
        self,
        *,
        actor: str | None = None,
        subject: str | None = None,
        business_key: str | None = None,
        about: str | None = None,
        kind: AuditKind | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[AuditEvent]:
        """
        Audit events, newest first; *before* is the ``seq`` of the last one seen.

        *about* is a patient who is what it is about, or one of several it names.
        """
        with self.database.read() as tx:
            return select_events(
                tx,
                actor=actor,
                subject=subject,
                business_key=business_key,
                about=about,
                kind=kind,
                since=since,
                until=until,
                before=before,
                limit=limit,
            )

    def count_lately(self, kind: AuditKind, hours: int) -> int:
        """How many events of *kind* there were in the last *hours*, counted up to 1,000."""
        with self.database.read() as tx:
            return count_since(tx, kind, self.clock() - timedelta(hours=hours))


def audit_body(
    kind: AuditKind,
    details: Mapping[str, Any],
    *,
    at: datetime,
    actor: Actor,
    subject: str = "",
    business_key: str = "",
    why: str = "",
) -> dict[str, Json]:
    """What is hashed and stored of an event; raises `InvalidSubmission` for *details* that are no JSON."""
    said: dict[str, Any] = dict(details)
    check_input(said, where="details")
    body: dict[str, Json] = {
        "at": to_text(at),
        "actor": who(actor),
        "kind": kind,
        "subject": subject[:MAX_ID],
        "details": said,
    }
    if business_key:
        body["business_key"] = business_key[:MAX_ID]
    if why:
        body["why"] = why
    return body


def who(actor: Actor) -> dict[str, Json]:
    """*actor* as steps and audit events name them."""
    named: dict[str, Json] = {"name": actor.name, "role": actor.role}
    if actor.on_behalf_of:
        named["on_behalf_of"] = actor.on_behalf_of
    return named
