"""The search for audit events, and one page of the results in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask import url_for
from usher_engine.accounts import Role
from usher_engine.audit import KINDS as AUDIT_KINDS
from usher_engine.audit import AuditEvent, AuditKind

from .. import auth
from ..casework.patient_labels import Subject, subjects
from ..site import site
from ..words.audit_sentences import Sentence, kind_label, sentence_of
from ..words.date_range import begin_of, check_way, day_of, end_of
from ..words.presentation import period_words

PAGE = 50

PARAMETERS = ("kind", "who", "patient", "from", "to")
KINDS: tuple[AuditKind, ...] = AUDIT_KINDS


@dataclass(frozen=True, kw_only=True, slots=True)
class EventSearch:
    given: dict[str, str]
    first: date | None = None
    last: date | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """ "Refused attempts by bob, in May 2026"."""
        given = self.given
        words = kind_label(given["kind"]) if "kind" in given else "Everything"
        words += f" by {given['who']}" if "who" in given else ""
        words += f" about patient {given['patient']}" if "patient" in given else ""
        period = period_words(given.get("from", ""), given.get("to", ""))
        return f"{words}{', ' if period else ''}{period}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedEvent:
    """One event as the page shows it; *patient* is set only for readers who may see patients."""

    event: AuditEvent
    sentence: Sentence
    patient: Subject | None


def asked_events(args: Mapping[str, str]) -> EventSearch:
    given = {name: args[name].strip()[:200] for name in PARAMETERS if args.get(name, "").strip()}
    errors: dict[str, str] = {}
    first, last = (day_of(given.get(name, ""), name, errors) for name in ("from", "to"))
    check_way(first, last, "to", errors)
    if given.get("kind", KINDS[0]) not in KINDS:
        errors["kind"] = "There is no such kind of event."
    return EventSearch(given=given, first=first, last=last, errors=errors)


def page_of(search: EventSearch, before: int | None) -> dict[str, Any]:
    """The events of one page, and the address of the next older page."""
    if search.errors:
        return {"events": [], "older_url": ""}
    found = site().engine.audit.events(
        kind=next((kind for kind in KINDS if kind == search.given.get("kind")), None),
        actor=search.given.get("who"),
        about=search.given.get("patient"),
        since=begin_of(search.first) if search.first else None,
        until=end_of(search.last) if search.last else None,
        before=before,
        limit=PAGE + 1,
    )
    more = len(found) > PAGE
    given: dict[str, Any] = {**search.given}
    older = url_for("audit.show", **given, before=found[PAGE - 1].seq) if more else ""
    return {"events": in_words(found[:PAGE]), "older_url": older}


def in_words(events: Sequence[AuditEvent]) -> list[ListedEvent]:
    """*events* with their sentences; only auditors get the names of patients."""
    sees_patients = auth.actor().role == Role.AUDITOR.value
    known = subjects(event.business_key for event in events) if sees_patients else {}
    return [
        ListedEvent(event=event, sentence=sentence_of(event), patient=known.get(event.business_key)) for event in events
    ]
