"""Settings of administrators for a patient: the portal status another system reported, and opt-outs from e-mail.

Every change records an audit event with its reason, in the same transaction. Steps of cases also change the portal
status (`enrollment_operators`, `patient_response`); `PortalStanding.history` reads both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ..audit.audit_log import AuditKind
from ..core.actor import Actor
from ..core.canonical import check_input
from ..core.email_address import comparable_email_address
from ..core.errors import Conflict, Corrupt, InvalidSubmission, NotAllowed
from ..core.visible_text import trimmed
from ..engine import Engine
from ..store import Step, Transaction, activity_rows, audit_rows
from . import patient_registry, portal_status
from .link_facts import OPTED_OUT, PATIENT
from .patient_directory import PatientRecord
from .patient_registry import Registry
from .reconciliation import REPORTED, Known, recorded_in, reported_statuses
from .status_following import tell_status_changed
from .statuses import REPORTABLE, RESPONSES, PortalStatus

MAX_REASON = 2_000
#: The longest address the opt-out list holds.
MAX_ADDRESS = 320
#: The largest number of entries in a history.
MAX_CASES, MAX_EVENTS = 50, 100
#: The roles that may record what another system reported or the patient asked for.
SETTERS = frozenset({"admin", "system"})


class OptOutScope(StrEnum):
    """The scope of an opt-out."""

    #: The practice sends this patient no e-mail, whatever the address.
    PRACTICE = "practice"
    #: The practice sends no e-mail to the patient's current address.
    ADDRESS = "address"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A patient's portal status and opt-outs; *version* is the patient's, for `set_status`."""

    patient: str
    status: str
    version: int
    has_address: bool
    opted_out: bool
    address_opted_out: bool
    #: When the address was put on the opt-out list, and by whom.
    address_since: datetime | None = None
    address_by: str = ""
    altered: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change: of the portal status (*scope* is None) to *status*, or of an opt-out to *opted_out*."""

    at: datetime
    by: str
    source: str = ""
    why: str = ""
    case: str = ""
    status: str = ""
    scope: OptOutScope | None = None
    opted_out: bool = False


class PortalStanding:
    """Reads and sets portal status and opt-outs of patients."""

    def __init__(self, engine: Engine, patients: Registry) -> None:
        self._engine = engine
        self._registry = patients

    def of(self, patient_id: str) -> Standing:
        """The patient's current portal status and opt-outs; raises `NotFound`."""
        with self._engine.database.read() as tx:
            return self._standing(tx, self._record(tx, patient_id))

    def history(self, patient_id: str) -> list[Change]:
        """The recorded changes of portal status and opt-outs, newest first, without those in purged cases."""
        with self._engine.database.read() as tx:
            cases = activity_rows.cases_about(tx, patient_id, MAX_CASES)
            steps = [step for case in cases for step in activity_rows.steps_of(tx, case)]
            found = [*_statuses(tx, patient_id, steps), *_opt_outs(tx, patient_id), *_patient_opt_outs(steps)]
        return sorted(found, key=lambda change: change.at, reverse=True)[:MAX_EVENTS]

    def set_status(
        self, patient_id: str, status: str, reason: str, *, actor: Actor, source: str = "", version: int | None = None
    ) -> Standing:
        """
        Set the portal status as another system reports it; setting the current status changes nothing.

        Args:
            patient_id: Id of the patient.
            status: One of `REPORTABLE`; Unavailable if it is no longer known.
            reason: Why; recorded with the change.
            actor: The administrator.
            source: Where the change was made, for example the API.
            version: The version of the patient that *actor* saw; None sets the status in any case.

        Raises:
            NotFound: No such patient.
            InvalidSubmission: Another status, no reason, or Not Enrolled while an answer of the patient is in force.
            Conflict: Someone changed the patient since *version*.
            NotAllowed: *actor* is not an administrator.
        """
        _require_setter(actor)
        wrong = {} if status in REPORTABLE else {"status": f"Choose one of: {', '.join(REPORTABLE)}."}
        reason = _checked_reason(reason, wrong)
        with self._engine.database.begin() as tx:
            row = patient_registry.find(tx, patient_id, lock=True)
            before = self._intact(tx, row.id)
            if before.status != status:
                _require_version(before, version)
                _require_no_answer(before, status)
                known = None if status == PortalStatus.UNAVAILABLE.value else status
                portal_status.set_status(tx, row, known, by=actor.name, now=self._engine.clock())
                details = _with_source({"setting": REPORTED, "status": known or ""}, source)
                self._engine.audit.record("SettingChanged", details, actor=actor, **_about(row.id, reason, tx))
            standing = self._standing(tx, self._record(tx, row.id))
        if before.status != status:
            tell_status_changed(self._engine, patient_id, status)
        return standing

    def set_opt_out(
        self, patient_id: str, scope: str, opted_out: bool, reason: str, *, actor: Actor, source: str = ""
    ) -> Standing:
        """
        Opt a patient out of e-mail, or undo that at the patient's request; setting the current value changes nothing.

        Args:
            patient_id: Id of the patient.
            scope: One of `OptOutScope`.
            opted_out: False undoes it.
            reason: Why; recorded with the change.
            actor: The administrator.
            source: Where the change was made, for example the API.

        Raises:
            NotFound: No such patient.
            InvalidSubmission: Another scope, no reason, or the patient has no address.
            NotAllowed: *actor* is not an administrator.
        """
        _require_setter(actor)
        wrong = {} if scope in list(OptOutScope) else {"scope": f"Choose one of: {', '.join(OptOutScope)}."}
        reason = _checked_reason(reason, wrong)
        with self._engine.database.begin() as tx:
            row = patient_registry.find(tx, patient_id, lock=True)
            before = self._intact(tx, row.id)
            changed = self._change_opt_out(tx, before, OptOutScope(scope), opted_out, by=actor.name)
            if changed:
                kind: AuditKind = "OptOutSet" if opted_out else "OptOutLifted"
                details = _with_source(changed, source)
                self._engine.audit.record(kind, details, actor=actor, **_about(row.id, reason, tx))
            return self._standing(tx, self._record(tx, row.id))

    def _change_opt_out(
        self, tx: Transaction, before: PatientRecord, scope: OptOutScope, opted_out: bool, *, by: str
    ) -> dict[str, Any]:
        """Change an opt-out; return the details of the audit event, nothing if it had that value already."""
        now = self._engine.clock()
        if scope is OptOutScope.ADDRESS:
            address = self._address(before)
            if not address or len(comparable_email_address(address)) > MAX_ADDRESS:
                words = "The patient has no e-mail address that could be on the opt-out list."
                raise InvalidSubmission(words, fields={"scope": words})
            if opted_out:
                return portal_status.opt_out_address(tx, address, by=by, now=now)
            return portal_status.opt_in_address(tx, address)
        if before.opted_out == opted_out:
            return {}
        portal_status.set_practice_opt_out(tx, before.id, opted_out, by=by, now=now)
        return {"scope": str(scope)}

    def _record(self, tx: Transaction, patient_id: str) -> PatientRecord:
        return self._registry.load(tx, patient_id, now=self._engine.clock())

    def _intact(self, tx: Transaction, patient_id: str) -> PatientRecord:
        """The patient, read for a change; raises `Corrupt` for a row altered outside Usher."""
        found = self._record(tx, patient_id)
        if found.altered:
            raise Corrupt(found.altered)
        return found

    def _address(self, record: PatientRecord) -> str:
        return record.spelled_email(self._engine.clock(), self._engine.settings)

    def _standing(self, tx: Transaction, record: PatientRecord) -> Standing:
        address = self._address(record)
        since = portal_status.opted_out_since(tx, address) if address else None
        return Standing(
            patient=record.id,
            status=record.status,
            version=record.version,
            has_address=bool(address),
            opted_out=record.opted_out,
            address_opted_out=since is not None,
            address_since=since[0] if since else None,
            address_by=since[1] if since else "",
            altered=record.altered,
        )


def _statuses(tx: Transaction, patient: str, steps: Sequence[Step]) -> Iterator[Change]:
    """Each change of the portal status; steps that only read it or left it as it was are skipped."""
    recorded = [known for step in steps for known in recorded_in(step)]
    everything = [*recorded, *reported_statuses(tx, patient, limit=MAX_EVENTS)]
    last = ""
    for known in sorted(everything, key=lambda one: (one.at, one.revision or 0)):
        if not known.is_read and known.status != last:
            yield _change_to(known)
        last = known.status


def _change_to(known: Known) -> Change:
    return Change(at=known.at, status=known.status, by=known.by, source=known.source, why=known.why, case=known.case)


def _opt_outs(tx: Transaction, patient: str) -> Iterator[Change]:
    """The opt-outs that administrators set and undid."""
    kinds: tuple[tuple[AuditKind, bool], ...] = (("OptOutSet", True), ("OptOutLifted", False))
    for kind, opted_out in kinds:
        for event in audit_rows.select_events(tx, business_key=patient, kind=kind, limit=MAX_EVENTS):
            scope, source = event.details.get("scope"), str(event.details.get("from") or "")
            if scope in list(OptOutScope) and event.actor != PATIENT.name:  # theirs are told from the step
                yield Change(
                    at=event.at,
                    by=event.actor,
                    source=source,
                    why=event.why,
                    scope=OptOutScope(scope),
                    opted_out=opted_out,
                )


def _patient_opt_outs(steps: Sequence[Step]) -> Iterator[Change]:
    """The opt-outs that patients made with the link in a mail."""
    for step in steps:
        if any(event.get("kind") == "FactRecorded" and event.get("name") == OPTED_OUT for event in step.events):
            yield Change(at=step.at, by=step.actor, case=step.instance, scope=OptOutScope.ADDRESS, opted_out=True)


def _with_source(details: dict[str, Any], source: str) -> dict[str, Any]:
    return {**details, "from": source} if source else details


def _about(patient: str, why: str, tx: Transaction) -> dict[str, Any]:
    return {"subject": patient, "business_key": patient, "why": why, "transaction": tx}


def _require_setter(actor: Actor) -> None:
    if actor.role not in SETTERS:
        raise NotAllowed("Only administrators set a patient's portal status and opt-outs.")


def _checked_reason(reason: str, wrong: dict[str, str]) -> str:
    """The stripped reason; raises `InvalidSubmission` for a bad reason and for the other *wrong* fields."""
    reason = trimmed(reason)
    if not reason or len(reason) > MAX_REASON:
        wrong = {**wrong, "reason": f"Say why, in 1 to {MAX_REASON} characters."}
    if wrong:
        raise InvalidSubmission(next(iter(wrong.values())), fields=wrong)
    check_input(reason, where="reason")
    return reason


def _require_version(before: PatientRecord, version: int | None) -> None:
    if version is not None and before.version != version:
        raise Conflict("Somebody else changed this patient meanwhile. Look at the status again before you set it.")


def _require_no_answer(before: PatientRecord, status: str) -> None:
    if status == PortalStatus.NOT_ENROLLED.value and before.status in RESPONSES:
        words = f"The patient's answer “{before.status}” stands. Staff remove it with the task Enroll Now."
        raise InvalidSubmission(words, fields={"status": words})
