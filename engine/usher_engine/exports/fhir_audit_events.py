"""FHIR R4 AuditEvent as NDJSON, in the shapes of IHE BALP 1.1.4: steps and audit events that concern a patient.

Names match those in an EHR's audit log. A patient's id is the only part of the patient's record in the export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..core.canonical import Json, parse_canonical
from ..core.errors import Corrupt
from ..store import Row
from ..store.export_rows import ExportedEvent, ExportedStep
from .export_source import Source, read_step

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

#: Names in an EHR's log for what services do, by operator and event kind.
NAMES = {
    ("invitation/send", "ServiceRequested"): SENT,
    ("invitation/send", "ServiceCompleted"): ACCEPTED,
    ("invitation/send", "ServiceFailed"): FAILED,
    ("invitation/send", "ServiceRefused"): FAILED,
    ("patient/remove-response", "ServiceCalled"): REMOVED,
}

#: A valid FHIR id; a patient with any other id appears by identifier.
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")

#: Kinds of views; any other event about a patient is a change or an attempt.
VIEWS = frozenset({"PatientViewed", "CaseViewed", "TaskViewed", "FileViewed", "PatientsListed", "Exported"})


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """The contents of one AuditEvent. *interaction* is the closest FHIR interaction, *names* describe what happened."""

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
    """Yield one AuditEvent a line: the steps of the cases, then the audit events."""
    site = urlsplit(source.engine.settings.base_url).hostname or "usher"
    for row, steps in source.cases():
        if row.business_key:
            for entry in _steps(row, steps):
                yield _line(entry, site)
    for event in source.events():
        for entry in _event(event):
            yield _line(entry, site)


def _line(entry: AuditEntry, site: str) -> bytes:
    return json.dumps(resource(entry, site), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


# entries


def _steps(row: Row, steps: Sequence[ExportedStep]) -> Iterator[AuditEntry]:
    operators: dict[tuple[str, int], str] = {}
    for step in steps:
        body = read_step(row, step)
        for event in body["events"]:
            if event["kind"] in ("ServiceRequested", "ServiceCalled"):
                operators[event["element"], event["visit"]] = event["operator"]
        failed = next((event for event in body["events"] if event["kind"] == "IncidentRaised"), None)
        yield AuditEntry(
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


def _event(event: ExportedEvent) -> Iterator[AuditEntry]:
    """Yield one entry for each patient that an audit event names."""
    try:
        body = parse_canonical(event.body)
        details, subject = body["details"], str(body["subject"])
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"Audit event {event.seq} cannot be read; it was altered. Nothing more was exported.") from error
    listed = details.get("patients") if body["kind"] == "PatientsListed" else None
    patients = listed if isinstance(listed, list) else [body.get("business_key") or ""]
    status = details.get("status") if body["kind"] == "Refused" else None
    for number, patient in enumerate(patients, start=1):
        if patient:
            yield AuditEntry(
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


def resource(entry: AuditEntry, site: str) -> dict[str, Json]:
    """Return the AuditEvent; a failed attempt claims no BALP profile, since these require success."""
    document: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": entry.id,
        "type": {"system": TYPES, "code": "rest", "display": "Restful Operation"},
        "subtype": [
            {"system": INTERACTIONS, "code": entry.interaction, "display": entry.interaction},
            *({"system": f"{USHER}event", "code": _code(name), "display": name} for name in dict.fromkeys(entry.names)),
        ],
        "action": {"create": "C", "read": "R", "update": "U"}[entry.interaction],
        "recorded": entry.at,
        "outcome": "4" if entry.failed else "0",
        "agent": list(_agents(entry, site)),
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
        "entity": list(_entities(entry)),
    }
    if entry.failed:
        document["outcomeDesc"] = entry.failed
    else:
        document["meta"] = {"profile": [f"{PROFILE}Patient{entry.interaction.capitalize()}"]}
    return document


def _code(name: str) -> str:
    return name.strip().replace(" ", "-") or "unknown"


def _agents(entry: AuditEntry, site: str) -> Iterator[dict[str, Any]]:
    """Yield client, server and, if a person acted, the user. Usher does not record network addresses of clients."""
    reading = entry.interaction == "read"
    nowhere = {"address": "not recorded"}
    yield _agent(DESTINATION_ROLE if reading else SOURCE_ROLE, {"display": "Usher client"}, nowhere)
    yield _agent(SOURCE_ROLE if reading else DESTINATION_ROLE, {"display": site}, {"address": site, "type": "1"})
    name, role = str(entry.actor.get("name") or ""), str(entry.actor.get("role") or "staff")
    if name and role != "system":
        who = {"identifier": {"system": f"{USHER}account", "value": name}, "display": name}
        roles = [{"coding": [{"system": f"{USHER}role", "code": role}]}]
        yield {"type": {"coding": [USER_ROLE]}, "who": who, "requestor": True, "role": roles, "name": name}
        behalf = entry.actor.get("on_behalf_of")
        if behalf:
            other = {"identifier": {"system": f"{USHER}account", "value": str(behalf)}}
            yield {"type": {"text": "on behalf of"}, "who": other, "requestor": False}


def _agent(role: dict[str, str], who: dict[str, Any], network: dict[str, str]) -> dict[str, Any]:
    return {"type": {"coding": [role]}, "who": who, "requestor": False, "network": network}


def _entities(entry: AuditEntry) -> Iterator[dict[str, Any]]:
    known = FHIR_ID.fullmatch(entry.patient) is not None
    named = {"type": "Patient", "identifier": {"system": f"{USHER}patient", "value": entry.patient}}
    yield {
        "what": {"reference": f"Patient/{entry.patient}"} if known else named,
        "type": {"system": ENTITIES, "code": "1", "display": "Person"},
        "role": {"system": ROLES, "code": "1", "display": "Patient"},
    }
    yield {
        "what": {"identifier": {"system": f"{USHER}record", "value": entry.case}},
        "type": {"system": ENTITIES, "code": "2", "display": "System Object"},
        "role": {"system": ROLES, "code": "4", "display": "Domain Resource"},
    }
    details = [{"type": name, "valueString": value} for name, value in entry.details.items() if value]
    yield {
        "what": {"identifier": {"system": f"{USHER}entry", "value": entry.id}},
        "type": {"system": f"{USHER}entity", "code": "entry", "display": "Entry of the history"},
        "detail": details,
    }
