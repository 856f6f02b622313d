"""Pause a version of a process, or all of it: nothing begins, nothing goes out, nothing is lost (decisions/0019)."""

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
#: Who may stop what runs for everybody.
PAUSERS = frozenset({"admin", "system"})


class Pauses:
    """What is paused on the database."""

    def __init__(self, context: Context, audit: AuditLog) -> None:
        self.context, self.audit = context, audit

    def every(self) -> list[Pause]:
        """All that is paused, by process and version."""
        with self.context.database.read() as tx:
            return pause_rows.every(tx)

    def standing(self, process: str, version: int) -> Pause | None:
        """The pause that holds for this version, if one does."""
        with self.context.database.read() as tx:
            return pause_rows.standing(tx, process, version)

    def pause(self, process: str, reason: str, *, actor: Actor, version: int = EVERY) -> Pause:
        """
        Let no case of *version* (`EVERY`: of any) begin, and hold back what its cases would do by themselves.

        Raises:
            NotFound: There is no such process or version.
            Conflict: It is paused already.
            InvalidSubmission: No reason was given.
            NotAllowed: *actor* is no administrator.
        """
        said, now = _checked(reason, actor), self.context.clock()
        with self.context.database.begin() as tx:
            if version == EVERY:
                version_rows.latest(tx, process)
            else:
                version_rows.find(tx, process, version)
            before = pause_rows.exact(tx, process, version)
            if before is not None:
                raise Conflict(before.words, winner=before.by, at=before.at)
            made = Pause(process=process, version=version, at=now, by=actor.name, reason=said)
            pause_rows.add(tx, made)
            told = {"version": version}
            self.audit.record("ProcessPaused", told, actor=actor, subject=process, why=said, transaction=tx)
            return made

    def resume(self, process: str, reason: str, *, actor: Actor, version: int = EVERY) -> int:
        """End a pause; returns how many jobs go on that were held back. Raises `NotFound` where there is none."""
        said = _checked(reason, actor)
        with self.context.database.begin() as tx:
            before = pause_rows.exact(tx, process, version)
            if before is None:
                what = f"Version {version} of “{process}”" if version else f"“{process}” as a whole"
                raise NotFound(f"{what} is not paused.")
            freed = pause_rows.lift(tx, before, self.context.clock())
            told = {"version": version, "jobs": freed}
            self.audit.record("ProcessResumed", told, actor=actor, subject=process, why=said, transaction=tx)
            return freed


def _checked(reason: str, actor: Actor) -> str:
    if actor.role not in PAUSERS:
        raise NotAllowed("Only administrators pause and resume a process.")
    said = trimmed(reason)
    if not said or len(said) > MAX_REASON:
        words = f"Say why, in 1 to {MAX_REASON} characters."
        raise InvalidSubmission(words, fields={"reason": words})
    check_input(said, where="reason")
    return said
