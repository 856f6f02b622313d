"""Checks of the whole record, started from a page: their progress, their result, and who started them.

A check runs in a thread of the process that received the request; its row shows the progress to every process. The
row also stores the findings, and an audit event records the check.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from ..audit.audit_log import AuditLog
from ..checkpoints import gather
from ..checkpoints.merkle import SignedHead
from ..context import Context
from ..core import faults
from ..core.actor import Actor
from ..core.errors import Conflict, Corrupt, EngineError, Fault
from ..core.findings import Finding
from ..reexecution import Verified
from ..store import Database, checkpoint_rows, from_text
from ..store import check_rows as rows
from ..store.check_rows import CheckRun
from .record_check import check_record
from .verification import Verification

#: A check without progress for this long has died with its process.
SILENT = timedelta(minutes=5)

#: How many findings are stored; nobody reads more than that on a page.
MOST_FINDINGS = 200


class Checker:
    """Starts checks of the database, and reads the last one."""

    def __init__(self, context: Context, audit: AuditLog, also: Callable[[], list[Finding]] = list) -> None:
        """*also* returns the findings of the domain's own checks."""
        self.context, self.audit, self._also = context, audit, also

    def last(self) -> CheckRun | None:
        """The newest check."""
        with self.context.database.read() as tx:
            return rows.last(tx)

    def is_running(self, run: CheckRun | None, now: datetime) -> bool:
        """Whether *run* is still running; one without progress for long has died with its process."""
        return run is not None and run.finished_at is None and now - run.seen_at < SILENT

    def start(self, *, actor: Actor) -> int:
        """Start a check and return its number immediately; raises `Conflict` while another one runs."""
        number = self.begin(actor=actor)
        threading.Thread(target=self.run, args=(number, actor), name=f"usher-check-{number}", daemon=True).start()
        return number

    def begin(self, *, actor: Actor) -> int:
        """Create the row of a check for `run` to carry out; return its number."""
        now = self.context.clock()
        with self.context.database.begin() as tx:
            before = rows.last(tx, lock=True)
            if before is not None and self.is_running(before, now):
                raise Conflict(f"{before.by} has a check running already.", winner=before.by, at=before.started_at)
            return rows.begin(tx, by=actor.name, at=now)

    def run(self, number: int, actor: Actor) -> None:
        """Check everything; never raises, because failures become the result."""
        try:
            self._finish(number, actor, self._check(number))
        except Exception as error:  # noqa: BLE001 - a thread has no caller to raise to; the text could contain patient data
            if isinstance(error, EngineError):
                reason = error.message
            else:
                reason = Fault("It broke off", reference=faults.report(error, where="checks")).message
            with self.context.database.begin() as tx:
                left = rows.finish(tx, number, at=self.context.clock(), equal=0, findings=[], failure=reason)
                details = {"cases": 0, "equal": 0, "findings": 0, "failure": reason, **left}
                self.audit.record("Verified", details, actor=actor, subject=f"check {number}", transaction=tx)

    def _check(self, number: int) -> Verified:
        context = self.context

        def progress(checked: int, total: int, _last: str) -> None:
            with context.database.begin() as tx:
                rows.update_progress(tx, number, at=context.clock(), checked=checked, total=total)

        evidence = gather(context.database, context.settings)
        result = Verification(context).verify_all(progress=progress)
        result.findings += [*check_record(context, evidence), *self._also()]
        result.findings = list(dict.fromkeys(result.findings))
        return result

    def _finish(self, number: int, actor: Actor, result: Verified) -> None:
        now = self.context.clock()
        found = [asdict(finding) for finding in result.findings[:MOST_FINDINGS]]
        details = {"cases": result.checked, "equal": result.equal, "findings": len(result.findings)}
        with self.context.database.begin() as tx:
            rows.update_progress(tx, number, at=now, checked=result.checked, total=result.checked)
            left = rows.finish(tx, number, at=now, equal=result.equal, findings=found, failure="")
            told = {**details, **left}
            self.audit.record("Verified", told, actor=actor, subject=f"check {number}", transaction=tx)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProofState:
    """The newest checkpoint: when it was signed, with which key, and how many steps and events it covers."""

    number: int
    at: datetime
    size: int
    fingerprint: str


def proof_state(database: Database) -> ProofState | None:
    """The newest checkpoint of *database*; None if there is none that can be read."""
    with database.read() as tx:
        stored = checkpoint_rows.last(tx)
    try:
        signed = SignedHead.from_line(stored.line) if stored else None
    except Corrupt:
        return None
    if signed is None:
        return None
    digest = hashlib.sha256(signed.key.encode()).hexdigest()
    head, groups = signed.head, " ".join(digest[at : at + 4] for at in range(0, 16, 4))
    return ProofState(number=head.number, at=from_text(head.at), size=head.size, fingerprint=groups)
