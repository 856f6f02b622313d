"""The audit event of a repair of the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..core.canonical import Json
from ..store import Transaction, to_text
from ..store.audit_rows import append

#: The kind of event, as `audit.KINDS` lists it.
KIND = "EvidenceRepaired"


def record_repair(
    tx: Transaction,
    now: datetime,
    *,
    by: str,
    why: str,
    peaks: Sequence[int] = (),
    triggers: Sequence[str] = (),
    heads: int = 0,
) -> None:
    """Record in *tx* that *by* set right what the arguments say."""
    actor: Json = {"name": by, "role": "system"}
    details: Json = {"peaks": [*peaks], "triggers": [*triggers], "heads": heads}
    body: dict[str, Json] = {"at": to_text(now), "actor": actor, "kind": KIND, "subject": ""}
    append(tx, {**body, "details": details, "why": why})
