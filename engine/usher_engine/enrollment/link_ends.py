"""How the life of a link ends without an answer: withdrawn by staff, locked, expired; and what follows from that.

Each end is a fact in the case of the mail, with the portal status it sets, in the transaction that marks the link.
Afterwards the enrolment starts again, so that staff have the task to decide what to do (decisions/0042).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ..core.actor import SYSTEM, Actor
from ..core.canonical import check_input
from ..core.errors import Conflict, EngineError, InvalidSubmission, NotAllowed, NotFound, Paused, Unavailable
from ..core.visible_text import trimmed
from ..engine import Engine
from ..settings import Settings
from ..store import Transaction, from_text, instance_rows
from . import invitations, link_marks, patient_registry, portal_status
from .invitations import MAX_WRONG_TRIES, Invitation, LinkState
from .link_facts import ASKED, EXPIRED, LOCKED, PATIENT, WITHDRAWN
from .statuses import PortalStatus

log = logging.getLogger(__name__)

#: The longest reason for withdrawing an invitation.
MAX_REASON = 1_000
#: How many links one sweep closes; the next goes on.
AT_ONCE = 200
#: The roles that may withdraw an invitation.
WITHDRAWERS = frozenset({"staff", "admin", "system"})
#: The statuses in which a patient who asks for a new link gets a task, and never a mail by itself.
ASKS_STAFF = frozenset({
    PortalStatus.PENDING.value, PortalStatus.LOCKED.value, PortalStatus.DECLINED.value, PortalStatus.DEFERRED.value,
})  # fmt: skip

#: Starts the enrolment of a patient, or finds the live case of it: `Enrollment.start`.
Start = Callable[..., Any]


class LinkEnds:
    """Withdraws invitations, closes dead links, and takes the wish for a new one."""

    def __init__(self, engine: Engine, settings: Settings, start: Start) -> None:
        self.engine, self.settings, self._start = engine, settings, start
        self.database = engine.database

    # by staff

    def withdraw(self, message_id: str, reason: str, *, actor: Actor) -> Invitation:
        """
        Withdraw the invitation in the mail *message_id*: its link is dead, and a Pending patient is Not Enrolled again.

        The mail itself cannot be called back; who opens the link reads that it was withdrawn.

        Raises:
            InvalidSubmission: No reason, or too long a one.
            Conflict: The patient has answered, or the link is withdrawn or replaced already.
            NotAllowed: *actor* is not staff.
            NotFound: There is no such invitation.
        """
        if actor.role not in WITHDRAWERS:
            raise NotAllowed("Only staff withdraw invitations.")
        reason = _checked_reason(reason)
        now = self.engine.clock()
        with self.database.begin() as tx:
            found = invitations.find_by_message(tx, message_id)
            if found is None:
                raise NotFound("There is no such invitation.")
            found = self._hold(tx, found)
            _require_withdrawable(found, now)
            status = self._status_after(tx, found, PortalStatus.NOT_ENROLLED, actor.name, now)
            link_marks.mark_withdrawn(tx, found, now, by=actor.name, reason=reason)
            details = {"reason": reason, "status": status}
            self.engine.steps.record(found.instance, WITHDRAWN, details, actor=actor, transaction=tx)
            return invitations.by_hash(tx, found.token_hash)

    # by itself

    def close(self, token_hash: str) -> bool:
        """
        Record that a link is locked or has expired; return whether it did. A second call changes nothing.

        A patient who is Pending under no other link becomes Locked or Expired, and staff are asked what to do.
        """
        now = self.engine.clock()
        with self.database.begin() as tx:
            found = self._hold(tx, invitations.by_hash(tx, token_hash))
            state = found.state(now)
            if found.closed_at or found.used_at or state not in (LinkState.LOCKED, LinkState.EXPIRED):
                return False
            status = self._status_after(tx, found, PortalStatus.LOCKED, SYSTEM.name, now)
            link_marks.mark_closed(tx, found, now)
            if not status:
                link_marks.mark_followed(tx, found, now)
            name, details, actor = _fact_of(state, found, status)
            self.engine.steps.record(found.instance, name, details, actor=actor, transaction=tx)
        if status:
            self._follow(found)
        return True

    def close_due(self) -> int:
        """Close every link whose end is not recorded yet, and ask staff about those nobody was asked about."""
        with self.database.read() as tx:
            due = link_marks.to_close(tx, self.engine.clock(), AT_ONCE)
        closed = sum(self.close(token_hash) for token_hash in due)
        with self.database.read() as tx:
            left = [invitations.by_hash(tx, token_hash) for token_hash in link_marks.to_follow(tx, AT_ONCE)]
        for found in left:
            self._follow(found)
        return closed

    def _follow(self, found: Invitation) -> None:
        """Start the enrolment that has the task for staff; once, whatever crashes."""
        with self.database.read() as tx:
            by = patient_registry.find(tx, found.patient).requested_by or SYSTEM.name
        asked = {"patient_id": found.patient, "requested_by": by}
        try:
            self._start(asked, actor=SYSTEM, key=found.token_hash, source="link-end")
        except (Unavailable, Paused) as later:
            log.warning("nobody was asked about the link of case %s yet: %s", found.instance, later.message)
            return
        except EngineError as error:
            log.warning("nobody is asked about the link of case %s: %s", found.instance, error.message)
        with self.database.begin() as tx:
            link_marks.mark_followed(tx, found, self.engine.clock())

    # by the patient

    def ask_for_new(self, token: str) -> None:
        """
        Ask staff for a new link, once a day and patient; no mail goes out by itself.

        Nothing tells the holder whether it was the first time that day. Raises `NotFound` for a link nobody was given.
        """
        now = self.engine.clock()
        with self.database.begin() as tx:
            found = self._hold(tx, invitations.by_token(tx, token))
            last = link_marks.last_asked(tx, found.patient)
            calendar = self.settings.calendar
            asks = found.state(now) in (LinkState.EXPIRED, LinkState.REPLACED)
            if not asks or (last and calendar.day_of(from_text(last)) == calendar.day_of(now)):
                return
            link_marks.mark_asked(tx, found, now)
            self.engine.steps.record(found.instance, ASKED, {}, actor=PATIENT, transaction=tx)
            status = patient_registry.find(tx, found.patient).portal_status
        if status in ASKS_STAFF:
            key = f"{found.token_hash}:{calendar.day_of(now).isoformat()}"
            asked = {"patient_id": found.patient, "requested_by": PATIENT.name}
            self._start(asked, actor=SYSTEM, key=key, source="link-asked")

    # all

    def _hold(self, tx: Transaction, found: Invitation) -> Invitation:
        """Lock case, patient and invitation, in the order that all code takes; return the invitation as it is now."""
        instance_rows.lock(tx, found.instance)
        portal_status.hold(tx, found.patient)
        return invitations.by_hash(tx, found.token_hash, lock=True)

    def _status_after(
        self, tx: Transaction, found: Invitation, status: PortalStatus, by: str, now: datetime
    ) -> str:
        """Set *status* if the patient is Pending under this link alone; return it, or empty where nothing changed."""
        others = (one for one in invitations.of_patient(tx, found.patient) if one.token_hash != found.token_hash)
        row = patient_registry.find(tx, found.patient, lock=True)
        if row.portal_status != PortalStatus.PENDING.value or any(one.sent_at and one.is_usable(now) for one in others):
            return ""
        portal_status.set_status(tx, row, status.value, by=by, now=now)
        return status.value


def _fact_of(state: LinkState, found: Invitation, status: str) -> tuple[str, Mapping[str, Any], Actor]:
    if state is LinkState.LOCKED:
        return LOCKED, {"wrong_tries": found.wrong_tries or MAX_WRONG_TRIES, "status": status}, PATIENT
    return EXPIRED, {"status": status}, SYSTEM


def _require_withdrawable(found: Invitation, now: datetime) -> None:
    if found.used_at:
        raise Conflict("The patient has answered already, so the invitation cannot be withdrawn.")
    if found.withdrawn_at:
        raise Conflict(f"{found.withdrawn_by} has withdrawn this invitation already.", winner=found.withdrawn_by)
    if found.state(now) is LinkState.REPLACED:
        raise Conflict("A newer mail has replaced this link already. Withdraw the invitation in that one.")


def _checked_reason(text: str) -> str:
    reason = trimmed(text)
    if not reason or len(reason) > MAX_REASON:
        words = f"Say why, in 1 to {MAX_REASON} characters."
        raise InvalidSubmission(words, fields={"reason": words})
    check_input(reason, where="reason")
    return reason
