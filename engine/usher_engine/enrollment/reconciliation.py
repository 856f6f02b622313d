"""Checks that the patient registry agrees with the history of the patients' cases (decisions/0016).

Every change of a portal status is recorded: in a step (a service's result, a patient's answer), or in an audit event
if another system reported it. The registry must hold the newest of these, and each recorded answer as it was given.
Findings name patients by id only. This module only reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from ..context import Context
from ..core.findings import Finding
from ..core.practice_calendar import Calendar
from ..store import Step, Transaction, activity_rows, audit_rows, instance_rows
from ..store.audit_rows import AuditEvent
from . import patient_registry, portal_status
from .link_facts import RESPONSE_ADDED, SETS_STATUS
from .statuses import PortalStatus
from .timestamps import iso_or_none

#: The setting name in audit events of a status that another system reported.
REPORTED = "portal status"

#: Opt-outs of administrators that are read at once.
MAX_OPT_OUTS = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """
    A recorded portal status of a patient; *requested_at* is None if that was not recorded.

    *is_read*: the step read the status without changing it. *by*, *source* and *why* are actor, origin and reason of
    the change, as far as they were recorded.
    """

    at: datetime
    status: str
    requested_at: str | None
    case: str
    revision: int | None
    is_read: bool = False
    by: str = ""
    source: str = ""
    why: str = ""


def disagreements(context: Context) -> list[Finding]:
    """One finding for each field of a patient that differs from the last recorded value."""
    with context.database.read() as tx:
        rows = list(patient_registry.standings(tx))
        differing = [found for row in rows for found in _of_patient(tx, row, context.settings.calendar)]
        return [*differing, *_opt_outs(tx, rows)]


def _opt_outs(tx: Transaction, rows: Sequence[Any]) -> Iterator[Finding]:
    """Findings about the practice's own flag, which only administrators set."""
    kinds = ("OptOutSet", "OptOutLifted")
    events = [event for kind in kinds for event in audit_rows.select_events(tx, kind=kind, limit=MAX_OPT_OUTS)]
    flags: dict[str, AuditEvent] = {}
    for event in sorted(events, key=lambda event: event.seq):
        if event.details.get("scope") == "practice":
            flags[event.subject] = event
    for row in rows:
        last = flags.get(row.id)
        if bool(row.opted_out) != (last is not None and last.kind == "OptOutSet"):
            told = f"audit event {last.seq} says otherwise" if last else "no audit event tells of it"
            state = "opted out of e-mail" if row.opted_out else "not opted out of e-mail"
            yield Finding("", None, "", "registry", f"The registry has patient {row.id} {state}; {told}.")


def _of_patient(tx: Transaction, row: Any, calendar: Calendar) -> Iterator[Finding]:
    cases = activity_rows.cases_about(tx, row.id)[::-1]
    if not cases:
        return
    steps = {case: activity_rows.steps_of(tx, case) for case in cases}
    if not all(len(readable) == instance_rows.find(tx, case).revision for case, readable in steps.items()):
        return  # purged or altered, for which other checks have findings
    recorded = [known for case in cases for step in steps[case] for known in recorded_in(step)]
    recorded = sorted([*recorded, *reported_statuses(tx, row.id, limit=1)], key=lambda known: known.at)
    if recorded:
        last = recorded[-1]
        day = calendar.day_of(last.at)
        status = row.portal_status or PortalStatus.UNAVAILABLE.value
        if status != last.status:
            yield _disagreement(row.id, last, day, "portal status", last.status, str(status))
        requested = iso_or_none(patient_registry.requested_at(row))
        if last.requested_at is not None and requested != last.requested_at:
            yield _disagreement(row.id, last, day, "time of the request", last.requested_at, str(requested or "none"))
    yield from _answers(tx, row.id, steps)


def recorded_in(step: Step) -> Iterator[Known]:
    """The portal statuses that the registry held according to the events of a step."""
    for event in step.events:
        result = event.get("result") if event.get("kind") == "ServiceCalled" and not event.get("error") else None
        if isinstance(result, dict) and str(event.get("operator", "")).startswith("patient/") and "status" in result:
            if result.get("version") != 0:  # 0: the directory did not respond
                requested_at = result.get("requested_at") if result["status"] == PortalStatus.PENDING.value else None
                is_read = event["operator"] == "patient/load"
                yield _recorded_status(step, result["status"], requested_at, is_read=is_read)
        elif event.get("kind") == "ServiceUndone" and "status" in (event.get("result") or {}):
            yield _recorded_status(step, event["result"]["status"], None)
        elif event.get("kind") == "FactRecorded" and event.get("name") in SETS_STATUS:
            if status := (event.get("details") or {}).get("status"):
                yield replace(_recorded_status(step, status, None), why=str(event["details"].get("reason") or ""))
        elif event.get("kind") == "FactRecorded" and event.get("name") == RESPONSE_ADDED:
            yield _recorded_status(step, (event.get("details") or {}).get("response"), None)


def _recorded_status(step: Step, status: Any, requested_at: Any, *, is_read: bool = False) -> Known:
    return Known(
        at=step.at,
        status=str(status),
        requested_at=str(requested_at) if requested_at else None,
        case=step.instance,
        revision=step.revision,
        is_read=is_read,
        by=step.actor,
    )


def reported_statuses(tx: Transaction, patient: str, *, limit: int) -> Iterator[Known]:
    """The statuses that another system reported, newest first."""
    for event in audit_rows.select_events(tx, business_key=patient, kind="SettingChanged", limit=limit):
        if event.details.get("setting") == REPORTED:
            yield Known(
                at=event.at,
                status=str(event.details.get("status") or PortalStatus.UNAVAILABLE.value),
                requested_at=None,
                case="",
                revision=None,
                by=event.actor,
                source=str(event.details.get("from") or ""),
                why=event.why,
            )


def _answers(tx: Transaction, patient: str, steps: dict[str, list[Step]]) -> Iterator[Finding]:
    """Findings about answers that are in the history but not in the registry, or the reverse."""
    recorded: dict[tuple[str, str, str], Step] = {}
    for case, readable in steps.items():
        for step in readable:
            for event in step.events:
                if event.get("kind") == "FactRecorded" and event.get("name") == RESPONSE_ADDED:
                    details = event.get("details") or {}
                    recorded[case, str(details.get("response")), str(details.get("until") or "")] = step
    kept = {(case, status, until) for case, status, until in portal_status.answers_given(tx, patient) if case in steps}
    for place, step in recorded.items():
        if place not in kept:
            words = f"The registry lacks the answer of patient {patient} that was recorded: “{place[1]}”."
            yield Finding(step.instance, step.revision, "", "registry", words)
    for case, status, _ in sorted(kept - recorded.keys()):
        words = f"The registry holds an answer of patient {patient} that was never recorded in this case: “{status}”."
        yield Finding(case, None, "", "registry", words)


def _disagreement(patient: str, last: Known, day: date, field: str, recorded: str, held: str) -> Finding:
    reported = f"“{recorded}” was reported {day}"
    where = f"the history last recorded “{recorded}”" if last.case else reported
    words = f"The registry differs from the record: patient {patient}, {field}: {where}, the registry holds “{held}”."
    return Finding(last.case, last.revision, "", "registry", words)
