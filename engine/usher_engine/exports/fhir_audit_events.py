"""FHIR R4 AuditEvent as NDJSON, in the shapes of IHE BALP 1.1.4: steps and audit events that concern a patient.

Names keep parity with what an EHR's audit log calls them. Nothing of a patient's record is in it but the id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..core.canonical import Json, parsed
from ..core.errors import Corrupt
from ..store import Row
from ..store.export_rows import ExportedEvent, ExportedStep
from .export_source import Source, read

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTIONS = "http://hl7.org/fhir/restful-interaction"
ENTITIES = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
USHER = "urn:usher:"

SOURCE_ROLE = {"system": DICOM, "code": "110153", "display": "Source Role ID"}
DESTINATION_ROLE = {"system": DICOM, "code": "110152", "display": "Destination Role ID"}
USER_ROLE = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
    "code": "IRCP",
    "display": "information recipient",
}

SENT = "Account Enrollment Invitation Sent"
ACCEPTED = "Account Enrollment Invitation Accepted by Mail Server"
FAILED = "Account Enrollment Invitation Failed"
REMOVED = "Patient Enrollment Response Removed"

#: Names an EHR's log has for what services do, by operator and kind of event.
NAMES = {
    ("invitation/send", "ServiceRequested"): SENT,
    ("invitation/send", "ServiceCompleted"): ACCEPTED,
    ("invitation/send", "ServiceFailed"): FAILED,
    ("invitation/send", "ServiceRefused"): FAILED,
    ("patient/remove-response", "ServiceCalled"): REMOVED,
}

#: What a FHIR id may be; patients known under another one are named by identifier.
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

#: Views; everything else that concerns a patient is a change or a try.
VIEWS = frozenset({"PatientViewed", "CaseViewed", "TaskViewed", "PatientsListed", "Exported"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """One AuditEvent before it is written. *interaction* is the FHIR one it is alike to, *names* what happened."""

    id: str
    at: str
    actor: Mapping[str, Any]
    interaction: str
    names: Sequence[str]
    patient: str
    case: str
    failed: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


def fhir_lines(source: Source) -> Iterator[bytes]:
    """One AuditEvent in each line: the steps of the cases, then the audit events."""
    site = urlsplit(source.engine.settings.base_url).hostname or "usher"
    for row, steps in source.cases():
        if row.business_key:
            for told in _steps(row, steps):
                yield _line(told, site)
    for event in source.events():
        for told in _event(event):
            yield _line(told, site)


def _line(told: Told, site: str) -> bytes:
    return json.dumps(resource(told, site), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


# what is told


def _steps(row: Row, steps: Sequence[ExportedStep]) -> Iterator[Told]:
    operators: dict[tuple[str, int], str] = {}
    for step in steps:
        body = read(row, step)
        for event in body["events"]:
            if event["kind"] in ("ServiceRequested", "ServiceCalled"):
                operators[event["element"], event["visit"]] = event["operator"]
        failed = next((event for event in body["events"] if event["kind"] == "IncidentRaised"), None)
        yield Told(
            id=f"{row.id}-{step.revision}",
            at=body["at"],
            actor=body["actor"],
            interaction="create" if step.revision == 1 else "update",
            names=tuple(_names(body["command"]["kind"], body["events"], operators)),
            patient=row.business_key,
            case=row.id,
            failed=f"{failed.get('code')} at {failed.get('element')}" if failed else "",
            details={
                "step": str(step.revision),
                "process": f"{row.process} version {row.version}",
                "elements": ", ".join(_elements(body["events"])),
                "hash": step.hash.hex(),
            },
        )


def _names(
    command: str, events: Iterable[Mapping[str, Any]], operators: Mapping[tuple[str, int], str]
) -> Iterator[str]:
    yield command
    for event in events:
        if event["kind"] == "FactRecorded":
            yield str(event.get("name"))
        operator = operators.get((event.get("element", ""), event.get("visit", 0)), "")
        name = NAMES.get((operator, event["kind"]))
        if name is not None and not (event["kind"] == "ServiceCalled" and event.get("error")):
            yield name


def _elements(events: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(str(event["element"]) for event in events if event.get("element")))[:20]


def _event(event: ExportedEvent) -> Iterator[Told]:
    """One for each patient an audit event names; none where it concerns no patient."""
    try:
        body = parsed(event.body)
        details, subject = body["details"], str(body["subject"])
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"Audit event {event.seq} cannot be read; it was altered. Nothing more was exported.") from error
    listed = details.get("patients") if body["kind"] == "PatientsListed" else None
    patients = listed if isinstance(listed, list) else [body.get("business_key") or ""]
    status = details.get("status") if body["kind"] == "Refused" else None
    for number, patient in enumerate(patients, start=1):
        if patient:
            yield Told(
                id=f"audit-{event.seq}-{number}" if len(patients) > 1 else f"audit-{event.seq}",
                at=body["at"],
                actor=body["actor"],
                interaction=_interaction(body["kind"], details),
                names=(body["kind"],),
                patient=str(patient),
                case=subject or str(details.get("page") or body["kind"]),
                failed=f"refused with {status}" if status else "",
                details={"event": str(event.seq), "page": str(details.get("page") or ""), "hash": event.hash.hex()},
            )


def _interaction(kind: str, details: Mapping[str, Any]) -> str:
    return "read" if kind in VIEWS or details.get("method") in ("GET", "HEAD") else "update"


# the resource


def resource(told: Told, site: str) -> dict[str, Json]:
    """The AuditEvent; a failed try claims no BALP profile, for those fix the outcome to success."""
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": told.id,
        "type": {"system": TYPES, "code": "rest", "display": "Restful Operation"},
        "subtype": [
            {"system": INTERACTIONS, "code": told.interaction, "display": told.interaction},
            *({"system": f"{USHER}event", "code": _code(name), "display": name} for name in dict.fromkeys(told.names)),
        ],
        "action": {"create": "C", "read": "R", "update": "U"}[told.interaction],
        "recorded": told.at,
        "outcome": "4" if told.failed else "0",
        "agent": list(_agents(told, site)),
        "source": {
            "site": site,
            "observer": {"display": site},
            "type": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                    "code": "4",
                    "display": "Application Server",
                }
            ],
        },
        "entity": list(_entities(told)),
    }
    if told.failed:
        made["outcomeDesc"] = told.failed
    else:
        made["meta"] = {"profile": [f"{PROFILE}Patient{told.interaction.capitalize()}"]}
    return made


def _code(name: str) -> str:
    return name.strip().replace(" ", "-") or "unknown"


def _agents(told: Told, site: str) -> Iterator[dict[str, Any]]:
    """Client, server and, where a person acted, user. Network addresses of clients are not recorded."""
    reading = told.interaction == "read"
    nowhere = {"address": "not recorded"}
    yield _agent(DESTINATION_ROLE if reading else SOURCE_ROLE, {"display": "Usher client"}, nowhere)
    yield _agent(SOURCE_ROLE if reading else DESTINATION_ROLE, {"display": site}, {"address": site, "type": "1"})
    name, role = str(told.actor.get("name") or ""), str(told.actor.get("role") or "staff")
    if name and role != "system":
        who = {"identifier": {"system": f"{USHER}account", "value": name}, "display": name}
        roles = [{"coding": [{"system": f"{USHER}role", "code": role}]}]
        yield {"type": {"coding": [USER_ROLE]}, "who": who, "requestor": True, "role": roles, "name": name}
        behalf = told.actor.get("on_behalf_of")
        if behalf:
            other = {"identifier": {"system": f"{USHER}account", "value": str(behalf)}}
            yield {"type": {"text": "on behalf of"}, "who": other, "requestor": False}


def _agent(role: dict[str, str], who: dict[str, Any], network: dict[str, str]) -> dict[str, Any]:
    return {"type": {"coding": [role]}, "who": who, "requestor": False, "network": network}


def _entities(told: Told) -> Iterator[dict[str, Any]]:
    known = FHIR_ID.fullmatch(told.patient) is not None
    named = {"type": "Patient", "identifier": {"system": f"{USHER}patient", "value": told.patient}}
    yield {
        "what": {"reference": f"Patient/{told.patient}"} if known else named,
        "type": {"system": ENTITIES, "code": "1", "display": "Person"},
        "role": {"system": ROLES, "code": "1", "display": "Patient"},
    }
    yield {
        "what": {"identifier": {"system": f"{USHER}record", "value": told.case}},
        "type": {"system": ENTITIES, "code": "2", "display": "System Object"},
        "role": {"system": ROLES, "code": "4", "display": "Domain Resource"},
    }
    details = [{"type": name, "valueString": value} for name, value in told.details.items() if value]
    yield {
        "what": {"identifier": {"system": f"{USHER}entry", "value": told.id}},
        "type": {"system": f"{USHER}entity", "code": "entry", "display": "Entry of the history"},
        "detail": details,
    }
