"""Engine values as the API and the command line print them (DESIGN 7). Names here are a promise to programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from usher_engine import Instance, Step, UserTask, Version, Wait
from usher_engine.enrollment import Standing


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else None


def outcome(instance: Instance) -> dict[str, Any]:
    """Where a case stands after a command."""
    tasks = [{"id": task.id, "element": task.element, "title": task.title} for task in instance.tasks]
    return {
        "instance": instance.id,
        "revision": instance.revision,
        "status": instance.status,
        "at": list(instance.at),
        "tasks": tasks,
        "waits": [_wait(wait) for wait in instance.waits],
    }


def _wait(wait: Wait) -> dict[str, Any]:
    return {"element": wait.element, "due": iso(wait.due), "message": wait.message or None}


def full_instance(instance: Instance) -> dict[str, Any]:
    return outcome(instance) | {
        "process": instance.process,
        "version": instance.version,
        "business_key": instance.business_key,
        "started_at": iso(instance.started_at),
        "ended_at": iso(instance.ended_at),
        "outcome": instance.outcome,
        "explanation": instance.explanation,
        "incident": instance.incident,
    }


def full_task(task: UserTask) -> dict[str, Any]:
    return {
        "id": task.id,
        "instance": task.instance,
        "element": task.element,
        "title": task.title,
        "message": task.message,
        "group": task.group,
        "assignee": task.assignee or None,
        "created": iso(task.created),
        "due": iso(task.due),
        "priority": task.priority,
        "revision": task.revision,
    }


def full_step(step: Step) -> dict[str, Any]:
    return {
        "revision": step.revision,
        "at": iso(step.at),
        "actor": step.actor,
        "command": step.command,
        "events": list(step.events),
        "previous": step.previous.hex(),
        "hash": step.hash.hex(),
    }


def full_version(version: Version) -> dict[str, Any]:
    return {
        "process": version.process,
        "version": version.number,
        "name": version.name,
        "hash": version.hash,
        "note": version.note,
        "deployed_at": iso(version.deployed_at),
        "deployed_by": version.deployed_by,
    }


def full_standing(standing: Standing) -> dict[str, Any]:
    return {
        "patient": standing.patient,
        "status": standing.status,
        "opted_out": standing.opted_out,
        "address_opted_out": standing.address_opted_out,
        "version": standing.version,
    }
