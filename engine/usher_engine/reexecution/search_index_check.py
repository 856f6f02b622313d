"""Checks a case's search-index rows against its history. Call only if the history is intact."""

from __future__ import annotations

from typing import Any

from ..core.findings import Finding
from ..store import Transaction, case_signatures
from ..store.stored_cases import Record
from .hash_chain import ReadStep, finding_about


def check_index(tx: Transaction, record: Record, steps: list[ReadStep]) -> list[Finding]:
    """Return findings about rows that would make searches wrong about this case."""
    row, bodies = record.row, [body for _, body, _ in steps]
    kind, people = case_signatures.from_history(row, bodies)
    findings = []
    if not case_signatures.is_indexed(tx, row, kind, people):
        words = "The search index does not match the history of this case; rebuild it with: usher db reindex"
        findings.append(finding_about(row, None, "index", words))
    for (revision, body, _), maker in zip(steps, record.makers, strict=True):
        if maker != _maker(body):
            words = f"The columns with the actor and time of step {revision} do not match the step."
            findings.append(finding_about(row, revision, "row", words))
    return findings


def _maker(body: dict[str, Any]) -> tuple[str, str]:
    return (body["actor"]["name"], body["at"]) if case_signatures.is_person(body["actor"].get("role", "")) else ("", "")
