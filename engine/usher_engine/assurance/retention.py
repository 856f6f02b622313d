"""Retention of ended cases, legal holds, and the purge that leaves a proof behind.

A case that is younger than `retention_years`, running, under a legal hold or not signed yet cannot be purged: this
module refuses it, and so does the database (`store.tables.append_only`). Each case is purged in its own transaction.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from ..audit.audit_log import AuditLog, audit_body
from ..checkpoints import check_events
from ..context import Context
from ..core.actor import Actor
from ..core.errors import Conflict, Corrupt, InvalidSubmission, Misconfigured, NotAllowed, NotFound
from ..core.practice_calendar import years_before
from ..core.visible_text import trimmed
from ..store import Row, Transaction, instance_rows, stored_cases, tombstones
from ..store import hold_rows as holds
from ..store.audit_rows import append
from ..store.hold_rows import Hold
from ..store.instance_rows import GENESIS, chain_hash, one_at_a_time
from ..store.step_codec import MAX_STEP
from ..store.tombstones import Tombstone

CASES_AT_ONCE = 100
MAX_REASON = 2_000

#: The roles that may purge, and those that may set and lift holds.
PURGERS = frozenset({"admin", "system"})
HOLDERS = frozenset({"admin", "auditor", "system"})

#: Deletes the domain's own data about a case, in the same transaction.
Forget = Callable[[Transaction, Row], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a purge of the cases that ended before *before* would do, as numbers of cases."""

    before: datetime
    purgeable: int
    held: int
    unsigned: int


@dataclass(kw_only=True, slots=True)
class Done:
    """What a purge did: the number of purged cases, and of those left, by reason."""

    before: datetime
    purged: int = 0
    left: Counter[str] = field(default_factory=Counter)
    #: Whether the deleted text is out of the database's files, too (`Database.remove_traces`).
    traces_removed: bool = False


class Retention:
    """The retention policy; *forget* deletes the domain's own data about a case."""

    def __init__(self, context: Context, audit: AuditLog, forget: Forget = lambda _tx, _row: None) -> None:
        self.context, self.audit, self._forget = context, audit, forget

    # how long

    @property
    def years(self) -> int:
        if self.context.settings.retention_years < 1:
            raise Misconfigured("USHER_RETENTION_YEARS must be 1 or more.")
        return self.context.settings.retention_years

    def cutoff(self, before: date | None = None) -> datetime:
        """
        Cases that ended before this moment may be purged: the beginning of a day where the practice is.

        Raises:
            InvalidSubmission: *before* lies within the retention time.
        """
        calendar = self.context.settings.calendar
        latest = years_before(calendar.day_of(self.context.clock()), self.years)
        if before is not None and before > latest:
            words = f"Cases are kept for {self.years} years: the day must be {latest.isoformat()} or earlier."
            raise InvalidSubmission(words, fields={"before": words})
        return calendar.begin_of(before or latest)

    # holds

    def hold(self, business_key: str, reason: str, *, actor: Actor) -> None:
        """Put a legal hold on *business_key*; raises `NotAllowed`, `InvalidSubmission` or `Conflict`."""
        reason = self._checked_reason(reason, actor)
        if not trimmed(business_key):
            raise InvalidSubmission(fields={"patient": "Say whom the hold is for."})
        with self.context.database.begin() as tx:
            one_at_a_time(tx, "retention")
            if holds.in_force(tx, business_key) is not None:
                raise Conflict("There is a legal hold on this patient already.")
            left = holds.add(tx, business_key, reason, by=actor.name, at=self.context.clock())
            about = {"subject": business_key, "business_key": business_key, "why": reason}
            self.audit.record("HoldSet", left, actor=actor, transaction=tx, **about)

    def lift(self, business_key: str, reason: str, *, actor: Actor) -> None:
        """Lift the hold on *business_key*; raises `NotAllowed`, `InvalidSubmission` or `NotFound`."""
        reason = self._checked_reason(reason, actor)
        with self.context.database.begin() as tx:
            one_at_a_time(tx, "retention")
            if holds.in_force(tx, business_key) is None:
                raise NotFound("There is no legal hold on this patient.")
            left = holds.lift(tx, business_key, reason, by=actor.name, at=self.context.clock())
            about = {"subject": business_key, "business_key": business_key, "why": reason}
            self.audit.record("HoldLifted", left, actor=actor, transaction=tx, **about)

    def hold_on(self, business_key: str) -> Hold | None:
        """The hold in force on *business_key*, if any."""
        with self.context.database.read() as tx:
            return holds.in_force(tx, business_key) if business_key else None

    def holds(self) -> list[Hold]:
        """All holds, those in force first."""
        with self.context.database.read() as tx:
            return holds.all_holds(tx)

    def _checked_reason(self, reason: str, actor: Actor) -> str:
        if actor.role not in HOLDERS:
            raise NotAllowed("Only auditors and administrators set and lift legal holds.")
        reason = trimmed(reason)
        if not reason or len(reason) > MAX_REASON:
            raise InvalidSubmission(fields={"reason": f"Say why, in 1 to {MAX_REASON} characters."})
        return reason

    # purge

    def plan(self, before: date | None = None) -> Plan:
        """What `purge` would do; changes nothing. Raises `InvalidSubmission` as `cutoff` does."""
        moment = self.cutoff(before)
        with self.context.database.read() as tx:
            purgeable, held, unsigned = tombstones.counts(tx, moment)
        return Plan(before=moment, purgeable=purgeable, held=held, unsigned=unsigned)

    def purge(self, before: date | None = None, *, actor: Actor, vacuum: bool = False) -> Done:
        """
        Empty the steps of every case that may be purged, and delete what identifies its patient; the hashes stay.

        A case whose record does not match its hashes is left as it is: a purge must not hide a forgery. *vacuum* also
        gives back the space on PostgreSQL, which takes long.

        Raises:
            NotAllowed: *actor* is not an administrator.
            InvalidSubmission: *before* lies within the retention time.
            Corrupt: The audit events, which say what is under a legal hold, were altered.
        """
        if actor.role not in PURGERS:
            raise NotAllowed("Only administrators purge.")
        done, after = Done(before=self.cutoff(before)), ""
        self._refuse_altered_events()
        while True:
            with self.context.database.read() as tx:
                found = tombstones.purgeable(tx, done.before, after, CASES_AT_ONCE)
            if not found:
                break
            for instance in found:
                self._one(instance, done, actor)
            after = found[-1]
        done.traces_removed = self.context.database.remove_traces(vacuum=vacuum)
        plan = self.plan(before)
        done.left.update(
            {
                reason: number
                for reason, number in (("under a legal hold", plan.held), ("not signed yet", plan.unsigned))
                if number
            }
        )
        return done

    def _refuse_altered_events(self) -> None:
        """What may be purged is decided by the holds in the audit events, so these must be whole."""
        with self.context.database.read() as tx:
            found = next(check_events(tx), None)
        if found is not None:
            raise Corrupt(f"{found.message} Nothing was purged, because the legal holds stand in these events.")

    def _one(self, instance: str, done: Done, actor: Actor) -> None:
        with self.context.database.begin() as tx:
            one_at_a_time(tx, "retention")
            row = instance_rows.lock(tx, instance)
            if not tombstones.is_purgeable(tx, instance, done.before):
                done.left["changed meanwhile"] += 1
                return
            if holds.told_in_force(tx, row.business_key):
                done.left["under a legal hold that is missing in its table: run usher verify"] += 1
                return
            if not _is_whole(tx, row):
                done.left["damaged: run usher verify"] += 1
                return
            now = self.context.clock()
            left = {name: getattr(row, name) for name in tombstones.LEFT}
            details = {"steps": row.revision, "head": row.head.hex(), **left}
            body = audit_body("Purged", details, at=now, actor=actor, subject=instance, business_key=row.business_key)
            seq = append(tx, body)
            self._forget(tx, row)
            tombstones.set_up(tx, row, at=now, by=actor.name, before=done.before, seq=seq)
            done.purged += 1

    def tombstone(self, instance: str) -> Tombstone | None:
        """The tombstone of *instance*, if it was purged."""
        with self.context.database.read() as tx:
            return tombstones.find(tx, instance)

    def count(self) -> int:
        """The number of purged cases."""
        with self.context.database.read() as tx:
            return tombstones.count(tx)


def _is_whole(tx: Transaction, row: Row) -> bool:
    """Whether the steps match their hashes, up to the head."""
    previous, steps = GENESIS, stored_cases.one(tx, row.id).steps
    for expected, (revision, body, digest) in enumerate(steps, start=1):
        try:
            written = zlib.decompressobj().decompress(body, MAX_STEP)
        except (zlib.error, TypeError):
            return False
        previous = chain_hash(previous, written)
        if revision != expected or previous != digest:
            return False
    return previous == row.head and len(steps) == row.revision
