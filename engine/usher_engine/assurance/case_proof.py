"""Proof of one case: its hash chain, its checkpoints, its re-execution. Results are cached until a row changes.

`checkpoints.case_coverage` and `reexecution.Verifier` do the work; this module combines the two for one case.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path

from ..checkpoints import Between, Coverage, coverage, public_key_of
from ..context import Context
from ..core.errors import Misconfigured
from ..core.findings import Finding
from ..reexecution import Verifier
from ..store import Transaction, checkpoint_rows, from_text, stored_cases, version_rows
from ..store.stored_cases import Record
from .verification import Verification

KEPT = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseProof:
    """
    The result of checking one case.

    *steps* is the number of steps; the first *signed* of them are covered by signed checkpoints, the newest of which
    was signed at *signed_at*. *without_key*: there was no key to check the signatures with.
    """

    steps: int
    signed: int
    signed_at: datetime | None
    without_key: bool
    findings: tuple[Finding, ...]
    checked_at: datetime
    #: When each step was written, by the checkpoints before and after it.
    written: tuple[Between, ...] = ()

    @property
    def is_proven(self) -> bool:
        return self.proven_steps == self.steps > 0 and not self.findings

    @property
    def proven_steps(self) -> int:
        """How many steps, from the first on, are signed and precede all findings."""
        if self.without_key:
            return 0
        return min([self.signed, *((finding.revision or 1) - 1 for finding in self.findings)])


class Prover:
    """Checks single cases and lives as long as the process; reads each definition once per content."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._verifiers: dict[bytes, Verifier] = {}
        self._kept: OrderedDict[str, tuple[bytes, CaseProof]] = OrderedDict()
        self._lock = threading.Lock()

    def cached_proof(self, instance: str) -> CaseProof | None:
        """The cached result for *instance*, if there is one and nothing it depends on has changed."""
        if instance not in self._kept:
            return None
        with self.context.database.read() as tx:
            return self._cached(tx, stored_cases.one(tx, instance))

    def prove(self, instance: str, *, again: bool = False) -> CaseProof:
        """Check *instance* unless a cached result is valid (*again*: always check); raises `NotFound`."""
        with self.context.database.read() as tx:
            record = stored_cases.one(tx, instance)
            known = None if again else self._cached(tx, record)
            return known or self._check(tx, record)

    def _cached(self, tx: Transaction, record: Record) -> CaseProof | None:
        kept = self._kept.get(record.row.id)
        return kept[1] if kept and kept[0] == _fingerprint(tx, record) else None

    def _check(self, tx: Transaction, record: Record) -> CaseProof:
        row = record.row
        content = version_rows.fingerprint(tx, row.process, row.version, row.definition)
        verifier = self._verifiers.setdefault(content, Verification(self.context).verifier())
        signed, without_key = self._coverage(tx, record)
        findings = dict.fromkeys([*verifier.check(tx, record), *signed.findings])
        proof = CaseProof(
            steps=max(row.revision if type(row.revision) is int else 0, len(record.steps)),
            signed=signed.steps,
            signed_at=from_text(signed.signed_at) if signed.signed_at else None,
            without_key=without_key,
            findings=tuple(findings),
            written=signed.written,
            checked_at=self.context.clock(),
        )
        with self._lock:
            self._kept[row.id] = (_fingerprint(tx, record), proof)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return proof

    def _coverage(self, tx: Transaction, record: Record) -> tuple[Coverage, bool]:
        settings = self.context.settings
        try:
            key = public_key_of(settings)
        except Misconfigured:
            key = None
        file = Path(settings.checkpoint_file)
        covered = coverage(tx, record.row.id, record.steps, key=key, file=file if file.exists() else None)
        return covered, key is None and covered.steps > 0


def _fingerprint(tx: Transaction, record: Record) -> bytes:
    """A digest over everything a result depends on."""
    row = record.row
    newest = checkpoint_rows.last(tx)
    parts = (
        astuple(row),
        record.steps,
        record.tasks,
        record.jobs,
        version_rows.fingerprint(tx, row.process, row.version, row.definition),
        checkpoint_rows.leaves_of(tx, row.id),
        newest.line if newest else "",
    )
    return hashlib.sha256(repr(parts).encode()).digest()
