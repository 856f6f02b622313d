"""What `patient/load` would have answered at a past moment, from Usher's own record: the row, the steps, the audit log.

Backtests ask it where a changed diagram reads the patient at a moment the case did not. It answers only what is
certain: every change of a patient's row raises its version by one, so that a change which no step or audit event
records is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ..core.canonical import Json
from ..services import Call, Recalled
from ..settings import Settings
from ..store import Step, Transaction, activity_rows, audit_rows, from_text, instance_rows
from . import patient_registry, portal_status
from .link_facts import OPTED_OUT, RESPONSE_ADDED, SETS_STATUS
from .patient_registry import Registry
from .reconciliation import reported_statuses
from .statuses import RESPONSES, PortalStatus
from .timestamps import iso

#: The most cases and audit events of one patient that are read; beyond them, nothing is recalled.
MAX_CASES, MAX_EVENTS = 50, 200


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mark:
    """
    One recorded thing about the patient: *read* is a whole record, *news* what a change made of it.

    *version* is that of the row before it, as far as it was recorded; *bumps*: it raised the version. *sends*: it
    recorded an invitation. *hides*: it changed something that only the next read tells.
    """

    at: datetime
    read: dict[str, Any] | None = None
    news: Mapping[str, Json] | None = None
    version: int | None = None
    bumps: bool = False
    sends: bool = False
    hides: bool = False


@dataclass(frozen=True, slots=True)
class PatientRecall:
    """The ``recall`` of the operator `patient/load`."""

    settings: Settings

    def __call__(self, given: Mapping[str, Any], call: Call) -> Recalled | None:
        tx, patient = call.transaction, str(given["patient_id"])
        row = patient_registry.find(tx, patient)
        if from_text(row.changed_at) <= call.now:
            return self._present(tx, patient, from_text(row.changed_at), call.now)
        marks = _marks(tx, patient)
        return None if marks is None else self._past(tx, marks, int(row.version), call.now)

    def _present(self, tx: Transaction, patient: str, since: datetime, at: datetime) -> Recalled | None:
        """The record as it is: nobody has changed it since."""
        record = Registry(self.settings).load(tx, patient, now=at)
        if record.altered:
            return None
        listed = portal_status.opted_out_since(tx, record.spelled_email(at, self.settings))
        if listed is not None and listed[0] > at:
            record = replace(record, address_opted_out=False)
        return Recalled(record.to_json(at, self.settings), since)

    def _past(self, tx: Transaction, marks: list[_Mark], version_now: int, at: datetime) -> Recalled | None:
        """The last read before *at* with every change up to then, if the versions say that there was no other."""
        until = [mark for mark in marks if mark.at <= at]
        begins = max((place for place, mark in enumerate(until) if mark.read is not None), default=None)
        if begins is None:
            return None
        read, known = until[begins], dict(until[begins].read or {})
        version = int(known["version"])
        for mark in until[begins + 1 :]:
            if mark.hides:
                return None
            known |= _news(known, mark)
            version += mark.bumps
        if not _is_whole(version, marks[len(until) :], version_now) or not self._guard_holds(tx, known, read.at, at):
            return None
        known.pop("link", None)  # what had become of a link at a past moment is not on record
        return Recalled({**known, "version": version}, read.at)

    def _guard_holds(self, tx: Transaction, known: Mapping[str, Any], read: datetime, at: datetime) -> bool:
        """Whether what stands against an invitation is at *at* what it was when *read*."""
        calendar = self.settings.calendar
        if known["guard"] is not None and calendar.day_of(read) != calendar.day_of(at):
            return False  # a patient grows older
        listed = portal_status.opted_out_since(tx, str(known["fields"].get("email") or ""))
        return listed is None or not read < listed[0] <= at


def _is_whole(version: int, later: list[_Mark], version_now: int) -> bool:
    """Whether *version* leads to the next version on record by the recorded changes alone."""
    for mark in later:
        if mark.version is not None:
            return mark.version == version
        version += mark.bumps
    return version == version_now


def _news(known: Mapping[str, Any], mark: _Mark) -> dict[str, Json]:
    """What *mark* changes in the record *known*; a repeated request keeps the name of the first."""
    news = dict(mark.news or {})
    if mark.sends:
        news["sends"] = int(known["sends"]) + 1
        if known["status"] == PortalStatus.PENDING.value and known["requested_at"]:
            news["requested_by"] = known["requested_by"]
    return news


def _marks(tx: Transaction, patient: str) -> list[_Mark] | None:
    """Everything recorded about the patient, oldest first; None where a case was purged or altered."""
    cases = activity_rows.cases_about(tx, patient, MAX_CASES + 1)
    if len(cases) > MAX_CASES:
        return None
    found: list[_Mark] = []
    for case in cases[::-1]:
        steps = activity_rows.steps_of(tx, case)
        if len(steps) != instance_rows.find(tx, case).revision:
            return None
        asked_by = next((str(d["requested_by"]) for d in _start_data(steps) if d.get("requested_by")), "")
        found += [mark for step in steps for event in step.events for mark in _of_event(step, event, asked_by)]
    reported = list(reported_statuses(tx, patient, limit=MAX_EVENTS))
    found += [_Mark(at=one.at, news={"status": one.status, "response": None}, bumps=True) for one in reported]
    opted = [
        event
        for kind in ("OptOutSet", "OptOutLifted")
        for event in audit_rows.select_events(tx, business_key=patient, kind=kind, limit=MAX_EVENTS)
    ]
    found += [_Mark(at=one.at, bumps=one.details.get("scope") == "practice", hides=True) for one in opted]
    return sorted(found, key=lambda mark: mark.at)


def _start_data(steps: list[Step]) -> Iterator[dict[str, Any]]:
    for event in steps[0].events if steps else ():
        if event.get("kind") == "InstanceStarted":
            yield dict(event.get("data") or {})


def _of_event(step: Step, event: Mapping[str, Any], asked_by: str) -> Iterator[_Mark]:
    """What an event of a step tells of the patient."""
    if event.get("kind") == "FactRecorded":
        yield from _of_fact(step, str(event.get("name")), event.get("details") or {})
    elif event.get("kind") == "ServiceUndone":
        yield _Mark(at=step.at, bumps=True, hides=True)
    elif event.get("kind") == "ServiceCalled" and not event.get("error") and isinstance(event.get("result"), dict):
        yield from _of_call(step, str(event.get("operator")), event["result"], asked_by)


def _of_fact(step: Step, name: str, details: Mapping[str, Any]) -> Iterator[_Mark]:
    if name == OPTED_OUT:
        yield _Mark(at=step.at, hides=True)
    elif name in SETS_STATUS and details.get("status"):
        yield _Mark(at=step.at, news={"status": str(details["status"]), "response": None}, bumps=True)
    elif name == RESPONSE_ADDED:
        status, until = str(details.get("response")), details.get("until") or None
        response = {"status": status, "at": iso(step.at), "until": until} if status in RESPONSES else None
        yield _Mark(at=step.at, news={"status": status, "response": response}, bumps=True)


def _of_call(step: Step, operator: str, result: Mapping[str, Any], asked_by: str) -> Iterator[_Mark]:
    status = result.get("status")
    if operator == "patient/load" and result.get("version"):  # 0: the directory did not respond
        yield _Mark(at=step.at, read=dict(result), version=int(result["version"]))
    elif operator == "patient/update" and result.get("changed"):
        yield _Mark(at=step.at, version=int(result["version"]) - 1, bumps=True, hides=True)
    elif operator == "patient/record-pending" and status == PortalStatus.PENDING.value:
        requested = {"requested_at": result.get("requested_at"), "requested_by": asked_by or step.actor}
        yield _Mark(at=step.at, news={"status": status, "response": None, **requested}, bumps=True, sends=True)
    elif _sets_back(operator, result):
        yield _Mark(at=step.at, news={"status": status, "response": None}, bumps=True)


def _sets_back(operator: str, result: Mapping[str, Any]) -> bool:
    """Whether a call has set the portal status back to Not Enrolled."""
    removed = operator == "patient/remove-response" and (result.get("removed") or {}).get("status")
    return bool(removed or (operator == "patient/reopen" and result.get("reopened")))
