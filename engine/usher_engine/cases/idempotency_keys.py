"""Requests that carry an idempotency key: the same key and content from one source answer with one case."""

from __future__ import annotations

from datetime import datetime

from ..core.errors import InvalidSubmission
from ..core.state import Status
from ..store import Row, Transaction, instance_rows, requests, to_text


def case_for_key(tx: Transaction, source: str, key: str | None, digest: bytes) -> Row | None:
    """
    The case that answered an earlier request under this key; later requests under it wait for this transaction.

    Raises:
        InvalidSubmission: The key was used for another request.
    """
    if key is None:
        return None
    instance_rows.one_at_a_time(tx, f"request {source} {key}")
    before = requests.find(tx, source=source, key=key)
    if before is None:
        return None
    _require_same(before[0], digest)
    return instance_rows.find(tx, before[1])


def case_for_key_or_live_case(
    tx: Transaction, source: str, key: str | None, digest: bytes, process: str, business_key: str
) -> tuple[Row, bool] | None:
    """The case for this key or else the live case of *process* with this business key, and whether the key is bound."""
    if key is not None:
        instance_rows.one_at_a_time(tx, f"request {source} {key}")
    instance_rows.one_at_a_time(tx, f"case {process} {business_key}")
    found = requests.answered_or_live(tx, source=source, key=key, process=process, business_key=business_key)
    if found is None:
        return None
    body, row = found
    if body is not None:
        _require_same(body, digest)
    return row, body is not None


def recent_case(tx: Transaction, source: str, key: str, *, since: datetime) -> Row | None:
    """The case last bound to this key, if it began after *since* and was not cancelled."""
    instance_rows.one_at_a_time(tx, f"request {source} {key}")
    before = requests.find(tx, source=source, key=key)
    if before is None:
        return None
    row = instance_rows.find(tx, before[1])
    return row if row.started_at > to_text(since) and row.status != Status.CANCELLED.value else None


def _require_same(before: bytes, digest: bytes) -> None:
    if before != digest:
        raise InvalidSubmission(
            "This Idempotency-Key was used for another request. Send a new key with new content.",
            fields={"Idempotency-Key": "was used for another request"},
        )
