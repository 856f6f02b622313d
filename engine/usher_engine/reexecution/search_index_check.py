"""Whether what searches look in says of a case what its history tells; read only where the history itself is whole."""

from __future__ import annotations

from typing import Any

from ..core.findings import Finding
from ..store import Transaction, case_signatures
from ..store.stored_cases import Record
from .hash_chain import ReadStep, found


def check_index(tx: Transaction, record: Record, steps: list[ReadStep]) -> list[Finding]:
    """What searches would get wrong about this case."""
    row, bodies = record.row, [body for _, body, _ in steps]
    kind, people = case_signatures.of_history(row, bodies)
    findings = []
    if not case_signatures.is_indexed(tx, row, kind, people):
        words = "Searches would not find this case as its history tells it; mend that with: usher db reindex"
        findings.append(found(row, None, "index", words))
    for (revision, body, _), maker in zip(steps, record.makers, strict=True):
        if maker != _maker(body):
            words = f"The columns that say who made step {revision} are not what the step tells."
            findings.append(found(row, revision, "row", words))
    return findings


def _maker(body: dict[str, Any]) -> tuple[str, str]:
    return (body["actor"]["name"], body["at"]) if case_signatures.is_person(body["actor"].get("role", "")) else ("", "")
