"""The status of the e-mails of a case: queued, accepted, failed, each a fact with its time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from usher_engine import Step

from .case_narrative import Names
from .service_wording import MAILS


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """One fact; *kind* is wait, done, alarm or idle. *again_at* is when Usher retries a failed send."""

    kind: str
    words: str
    at: datetime
    again_at: datetime | None = None


def mailing(steps: Iterable[Step], names: Names) -> list[Posted]:
    """The facts, oldest first; empty if no mail was requested."""
    return [
        fact
        for step in steps
        for event in step.events
        if names.operators.get(event.get("element", "")) in MAILS and (fact := _fact_of(event, step.at))
    ]


def _fact_of(event: Mapping[str, Any], at: datetime) -> Posted | None:
    match event["kind"]:
        case "ServiceRequested":
            return Posted(kind="wait", words="Queued", at=at)
        case "IncidentResolved":
            return Posted(kind="wait", words="Tried again by hand", at=at)
        case "ServiceCompleted":
            return Posted(kind="done", words="Accepted by the mail server", at=at)
        case "ServiceFailed":
            again = datetime.fromisoformat(event["retry_at"]) if event.get("retry_at") else None
            return Posted(kind="alarm", words=f"Failed: {event['reason']}", at=at, again_at=again)
        case "ServiceRefused":
            return Posted(kind="alarm", words=f"Refused: {event['message']}", at=at)
        case "ElementCancelled":
            return Posted(kind="idle", words="Not sent: stopped before it left", at=at)
        case _:
            return None
