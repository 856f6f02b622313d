"""The shapes the API takes and answers (DESIGN 7). `openapi` derives its description from here; names are stable."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, NotRequired, TypeAlias, TypedDict

import usher_engine as engine
from usher_engine import authoring, cases, enrollment
from usher_engine.enrollment import MAX_REASON, REPORTABLE, OptOutScope

Moment: TypeAlias = Annotated[str, {"format": "date-time"}]
Status: TypeAlias = Annotated[str, {"enum": ["waiting", "incident", "finished", "cancelled"]}]

# answers


class OpenTask(TypedDict):
    id: str
    element: str
    title: str


class Wait(TypedDict):
    """A time or a message that the case waits for."""

    element: str
    due: Annotated[str | None, {"format": "date-time"}]
    message: str | None


class Outcome(TypedDict):
    """Where a case stands after a command; at names the elements."""

    instance: str
    revision: int
    status: Status
    at: list[str]
    tasks: list[OpenTask]
    waits: list[Wait]


class Instance(TypedDict):
    """A case: outcome is the end event it reached, incident is what is wrong."""

    instance: str
    revision: int
    status: Status
    at: list[str]
    tasks: list[OpenTask]
    waits: list[Wait]
    process: str
    version: int
    business_key: str
    started_at: Moment
    ended_at: Annotated[str | None, {"format": "date-time"}]
    outcome: str | None
    explanation: str | None
    incident: str | None


class Instances(TypedDict):
    """A page of cases; next and previous lead to its neighbours."""

    instances: list[Instance]
    next: str | None
    previous: str | None


class Task(TypedDict):
    id: str
    instance: str
    element: str
    title: str
    message: str
    group: str
    assignee: str | None
    created: Moment
    due: Annotated[str | None, {"format": "date-time"}]
    priority: int
    revision: int


class Tasks(TypedDict):
    """A page of tasks; next leads to the page after it."""

    tasks: list[Task]
    next: str | None


class Step(TypedDict):
    """One command carried out. docs/events.md explains events and packages; hash covers the step and previous."""

    revision: int
    at: Moment
    actor: str
    on_behalf_of: str | None
    command: dict[str, Any]
    events: list[dict[str, Any]]
    packages: dict[str, str]
    previous: str
    hash: str


class History(TypedDict):
    instance: str
    steps: list[Step]


class Version(TypedDict):
    process: str
    version: int
    name: str
    hash: str
    note: str
    deployed_at: Moment
    deployed_by: str


class Standing(TypedDict):
    """Where a patient stands with the portal and with e-mail; version goes up with every change of the patient."""

    patient: str
    status: str
    opted_out: bool
    address_opted_out: bool
    version: int


class Definitions(TypedDict):
    definitions: list[Version]


class Health(TypedDict):
    status: Annotated[str, {"enum": ["ok"]}]


class ElementProblem(TypedDict):
    element: str
    reason: str


class Problem(TypedDict):
    """
    RFC 9457. fields and problems name what is wrong where; winner and at are who was faster, and when; allowed lists
    the methods of the address; reference is the number of the entry in the log.
    """

    type: str
    title: str
    status: int
    detail: str
    fields: NotRequired[dict[str, str]]
    problems: NotRequired[list[ElementProblem]]
    winner: NotRequired[str | None]
    at: NotRequired[Annotated[str | None, {"format": "date-time"}]]
    allowed: NotRequired[list[str]]
    reference: NotRequired[str]


# request bodies


class Trigger(TypedDict):
    patient_id: str
    template: str
    field: str
    action: Annotated[str, {"minLength": 1, "maxLength": 60}]


class Start(TypedDict):
    """What the start form of the process asks for: field key to value; nothing where it has no form."""

    data: NotRequired[dict[str, Any]]


class Message(TypedDict):
    """The case is named by its number (instance) or by what it is about (business_key)."""

    name: str
    data: NotRequired[dict[str, Any]]
    business_key: NotRequired[str]
    instance: NotRequired[str]


class Seen(TypedDict):
    """The revision that the caller saw."""

    revision: NotRequired[int | None]


class Answer(TypedDict):
    """The answer to a task: field key to value, as its form defines them."""

    data: NotRequired[dict[str, Any]]
    revision: NotRequired[int | None]


class Cancellation(TypedDict):
    reason: str
    revision: NotRequired[int | None]


class StatusReport(TypedDict):
    """The portal status another system reports; version is the patient's, as the caller saw it."""

    status: Annotated[str, {"enum": list(REPORTABLE)}]
    reason: Annotated[str, {"minLength": 1, "maxLength": MAX_REASON}]
    version: NotRequired[int | None]


class OptOut(TypedDict):
    """Whether the practice writes to the patient, or to the address the patient has today."""

    scope: Annotated[str, {"enum": [scope.value for scope in OptOutScope]}]
    opted_out: bool
    reason: Annotated[str, {"minLength": 1, "maxLength": MAX_REASON}]


# from the engine's values


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _iso(moment: datetime | None) -> str | None:
    return iso(moment) if moment else None


def outcome(instance: engine.Instance) -> Outcome:
    """Where a case stands after a command."""
    return {
        "instance": instance.id,
        "revision": instance.revision,
        "status": instance.status,
        "at": list(instance.at),
        "tasks": [{"id": task.id, "element": task.element, "title": task.title} for task in instance.tasks],
        "waits": [_wait(wait) for wait in instance.waits],
    }


def _wait(wait: cases.Wait) -> Wait:
    return {"element": wait.element, "due": _iso(wait.due), "message": wait.message or None}


def full_instance(instance: engine.Instance) -> Instance:
    return {
        **outcome(instance),
        "process": instance.process,
        "version": instance.version,
        "business_key": instance.business_key,
        "started_at": iso(instance.started_at),
        "ended_at": _iso(instance.ended_at),
        "outcome": instance.outcome,
        "explanation": instance.explanation,
        "incident": instance.incident,
    }


def full_task(task: engine.UserTask) -> Task:
    return {
        "id": task.id,
        "instance": task.instance,
        "element": task.element,
        "title": task.title,
        "message": task.message,
        "group": task.group,
        "assignee": task.assignee or None,
        "created": iso(task.created),
        "due": _iso(task.due),
        "priority": task.priority,
        "revision": task.revision,
    }


def full_step(step: engine.Step) -> Step:
    return {
        "revision": step.revision,
        "at": iso(step.at),
        "actor": step.actor,
        "on_behalf_of": step.on_behalf_of or None,
        "command": step.command,
        "events": list(step.events),
        "packages": step.body.get("packages", {}),
        "previous": step.previous.hex(),
        "hash": step.hash.hex(),
    }


def full_version(version: authoring.Version) -> Version:
    return {
        "process": version.process,
        "version": version.number,
        "name": version.name,
        "hash": version.hash,
        "note": version.note,
        "deployed_at": iso(version.deployed_at),
        "deployed_by": version.deployed_by,
    }


def full_standing(standing: enrollment.Standing) -> Standing:
    return {
        "patient": standing.patient,
        "status": standing.status,
        "opted_out": standing.opted_out,
        "address_opted_out": standing.address_opted_out,
        "version": standing.version,
    }
