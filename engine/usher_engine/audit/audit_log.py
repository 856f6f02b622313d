"""The audit stream: sign-ins, views, refused attempts, changes and exports, hash-chained like the steps of cases.

This module writes events; each view and command decides which event it records (engine/decisions/0006).
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
    "FileViewed",
    "PatientsListed",
    "Refused",
    "Deployed",
    "DraftStarted",
    "DraftDiscarded",
    "SignOffAsked",
    "SignOffSentBack",
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
    "ClaimReleased",
    "ProcessPaused",
    "ProcessResumed",
    "RunStarted",
    "RunStopped",
    "OptOutSet",
    "OptOutLifted",
    "SampleMailSent",
    "ImportConflictDecided",
    "LookAlikeSeen",
    "EvidenceRepaired",
]

#: All kinds of audit events.
KINDS: tuple[AuditKind, ...] = get_args(AuditKind)

MAX_ID = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a page showed or refused: an audit event without time and actor, which the page supplies."""

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
        Record what *actor* did or saw, in a separate transaction or inside *transaction*.

        Args:
            kind: What happened.
            details: More about it, JSON; ids and counts, never contents of a patient's record.
            actor: The person or program.
            subject: Id of the case, task, patient or account concerned.
            business_key: Business key of that case, so that everything about a patient can be found.
            why: The reason given, if any.
            transaction: The transaction of the recorded change: both are committed, or neither is.
        """
        at = self.clock()
        body = audit_body(kind, details, at=at, actor=actor, subject=subject, business_key=business_key, why=why)
        if transaction is not None:
            append(transaction, body)
            return
        with self.database.begin() as tx:
            append(tx, body)

    def record_page(self, looks: Iterable[Look], *, actor: Actor) -> None:
        """Record what *actor* saw or was refused on one page, in one transaction; otherwise like `record`."""
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
        Audit events, newest first; *before* is the ``seq`` of the last one on the previous page.

        *about* is a patient: the one an event concerns, or one of several it names.
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
        """The number of events of *kind* in the last *hours*, counted up to 1,000."""
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
    """The body of an event, which is hashed and stored; raises `InvalidSubmission` unless *details* are JSON."""
    checked: dict[str, Any] = dict(details)
    check_input(checked, where="details")
    body: dict[str, Json] = {
        "at": to_text(at),
        "actor": who(actor),
        "kind": kind,
        "subject": subject[:MAX_ID],
        "details": checked,
    }
    if business_key:
        body["business_key"] = business_key[:MAX_ID]
    if why:
        body["why"] = why
    return body


def who(actor: Actor) -> dict[str, Json]:
    """*actor* as recorded in steps and audit events."""
    named: dict[str, Json] = {"name": actor.name, "role": actor.role}
    if actor.on_behalf_of:
        named["on_behalf_of"] = actor.on_behalf_of
    return named
