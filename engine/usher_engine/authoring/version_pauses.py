"""Pauses a version of a process, or all of it: no case starts, no effect runs, nothing is lost (decisions/0019)."""

from __future__ import annotations

from ..audit.audit_log import AuditLog
from ..context import Context
from ..core.actor import Actor
from ..core.canonical import check_input
from ..core.errors import Conflict, InvalidSubmission, NotAllowed, NotFound
from ..core.visible_text import trimmed
from ..store import pause_rows, version_rows
from ..store.pause_rows import EVERY, Pause

MAX_REASON = 2_000
#: The roles that may stop a process for everyone.
PAUSERS = frozenset({"admin", "system"})


class Pauses:
    """Pauses of processes and versions."""

    def __init__(self, context: Context, audit: AuditLog) -> None:
        self.context, self.audit = context, audit

    def all(self) -> list[Pause]:
        """All pauses, by process and version."""
        with self.context.database.read() as tx:
            return pause_rows.all_pauses(tx)

    def in_force(self, process: str, version: int) -> Pause | None:
        """The pause in force for this version, if any."""
        with self.context.database.read() as tx:
            return pause_rows.in_force(tx, process, version)

    def pause(self, process: str, reason: str, *, actor: Actor, version: int = EVERY) -> Pause:
        """
        Prevent new cases of *version* (`EVERY`: of any version), and hold back the jobs of its cases.

        Raises:
            NotFound: There is no such process or version.
            Conflict: It is paused already.
            InvalidSubmission: No reason was given.
            NotAllowed: *actor* is not an administrator.
        """
        reason, now = _checked_reason(reason, actor), self.context.clock()
        with self.context.database.begin() as tx:
            if version == EVERY:
                version_rows.latest(tx, process)
            else:
                version_rows.find(tx, process, version)
            before = pause_rows.exact(tx, process, version)
            if before is not None:
                words = before.words(self.context.settings.calendar)
                raise Conflict(words, winner=before.by, at=before.at)
            made = Pause(process=process, version=version, at=now, by=actor.name, reason=reason)
            details = {"version": version, **pause_rows.add(tx, made)}
            self.audit.record("ProcessPaused", details, actor=actor, subject=process, why=reason, transaction=tx)
            return made

    def resume(self, process: str, reason: str, *, actor: Actor, version: int = EVERY) -> int:
        """End a pause; return how many held-back jobs continue. Raises `NotFound` if there is no pause."""
        reason = _checked_reason(reason, actor)
        with self.context.database.begin() as tx:
            before = pause_rows.exact(tx, process, version)
            if before is None:
                what = f"Version {version} of “{process}”" if version else f"“{process}” as a whole"
                raise NotFound(f"{what} is not paused.")
            freed = pause_rows.lift(tx, before, self.context.clock())
            details = {"version": version, "jobs": freed, **pause_rows.told(tx, process, version)}
            self.audit.record("ProcessResumed", details, actor=actor, subject=process, why=reason, transaction=tx)
            return freed


def _checked_reason(reason: str, actor: Actor) -> str:
    if actor.role not in PAUSERS:
        raise NotAllowed("Only administrators pause and resume a process.")
    reason = trimmed(reason)
    if not reason or len(reason) > MAX_REASON:
        words = f"Say why, in 1 to {MAX_REASON} characters."
        raise InvalidSubmission(words, fields={"reason": words})
    check_input(reason, where="reason")
    return reason
