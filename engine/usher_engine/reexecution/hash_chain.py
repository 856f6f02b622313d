"""Reads the hash chain of a case: every step is present, readable, and hashed with the one before it."""

from __future__ import annotations

import zlib
from typing import Any

from ..core.canonical import parse_canonical
from ..core.findings import Finding
from ..store import Row
from ..store.instance_rows import GENESIS, chain_hash
from ..store.step_codec import MAX_STEP, is_step
from ..store.stored_cases import Record

#: Revision, parsed body, and the bytes that were hashed.
ReadStep = tuple[int, dict[str, Any], bytes]


def finding_about(row: Row, revision: int | None, kind: str, message: str, element: str = "") -> Finding:
    return Finding(instance=row.id, revision=revision, element=element, kind=kind, message=message)


def read_chain(record: Record) -> tuple[list[ReadStep], list[Finding]]:
    """Return the steps up to the first missing or unreadable one, and the findings about the chain."""
    row, previous = record.row, GENESIS
    steps: list[ReadStep] = []
    findings: list[Finding] = []
    for expected, (revision, packed, digest) in enumerate(record.steps, start=1):
        if revision != expected:
            words = f"Step {expected} is missing; the history goes on with step {revision}."
            return steps, [*findings, finding_about(row, expected, "missing", words)]
        written, body = unpack_step(packed)
        if written is None or body is None:
            words = f"Step {revision} cannot be read; its text was altered."
            return steps, [*findings, finding_about(row, revision, "unreadable", words)]
        if chain_hash(previous, written) != digest:
            words = f"Step {revision} does not fit its hash: the step, its hash or the step before it was altered."
            findings.append(finding_about(row, revision, "chain", words))
        steps.append((revision, body, written))
        previous = digest if isinstance(digest, bytes) else b""
    return steps, findings + _check_head(row, len(steps), previous)


def unpack_step(packed: Any) -> tuple[bytes | None, dict[str, Any] | None]:
    """Return the bytes of a stored body and its contents; None for bytes that Usher never writes."""
    try:
        stream = zlib.decompressobj()
        written = stream.decompress(packed, MAX_STEP)
        if not stream.eof or stream.unused_data or packed[:2] != _HEADER:
            return None, None
        body = parse_canonical(written)
    except (ValueError, TypeError, zlib.error, RecursionError):
        return None, None
    return written, body if is_step(body) else None


#: First bytes of every deflated body; others would decompress too, but Usher never writes them.
_HEADER = zlib.compress(b"")[:2]


def _check_head(row: Row, steps: int, last: bytes) -> list[Finding]:
    if type(row.revision) is not int:
        words = "The number of steps kept with the case cannot be read; it was altered."
        return [finding_about(row, steps, "missing", words)]
    if row.revision != steps:
        words = f"The case was at step {row.revision}; its history has {steps}."
        removed = " The newest steps were removed." if row.revision > steps else ""
        return [finding_about(row, steps + 1 if row.revision > steps else steps, "missing", words + removed)]
    if row.head != last:
        words = "The head hash kept with the case is not the hash of its newest step."
        return [finding_about(row, steps, "head", words)]
    return []
