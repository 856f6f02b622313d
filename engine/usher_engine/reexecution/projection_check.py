"""Checks that the inbox rows and jobs of a case are exactly those its history opened.

People and the worker act on these rows, so an altered one would misdirect a task or a mail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ..core.canonical import Json
from ..core.events import InstanceMigrated, ServiceRequested, TimerStarted, UserTaskOpened, from_json
from ..core.findings import Finding
from ..core.state import InstanceState, place
from ..store import Row, job_rows, task_rows
from ..store.stored_cases import Record
from .hash_chain import ReadStep, finding_about


def check_projections(record: Record, steps: list[ReadStep], state: InstanceState) -> Iterator[Finding]:
    """Compare the task and job rows of *record* with the *state* that its *steps* lead to."""
    row, last = record.row, steps[-1][0] if steps else None
    wanted = _tasks(row, steps, state), _requests(steps, state)
    given = (
        {place(t["element"], t["visit"]): t for t in record.tasks},
        {place(j["element"], j["visit"]): _job(j) for j in record.jobs if j["operator"] != job_rows.MESSAGE},
    )
    for what, expected, there in zip(("task in the inbox", "job"), wanted, given, strict=True):
        for here in sorted({*expected, *there}):
            message = _difference(what, expected.get(here), there.get(here))
            if message:
                yield finding_about(row, last, "waiting", message, here.rpartition(":")[0])


def _difference(what: str, expected: dict[str, Any] | None, there: dict[str, Any] | None) -> str:
    if there is None:
        return f"The {what} this case waits for was removed."
    if expected is None:
        return f"The {what} was inserted: the history of the case opened none."
    names = [name.replace("_", " ") for name in expected if expected[name] != there.get(name)]
    return f"The {what} is not the one its history opened; this was altered: {', '.join(names)}." if names else ""


def _tasks(row: Row, steps: list[ReadStep], state: InstanceState) -> dict[str, dict[str, Any]]:
    """Return the rows of the open tasks, as `task_rows.project` writes them; a migrated task keeps its opening time."""
    rows: dict[str, dict[str, Any]] = {}
    since: dict[str, str] = {}
    if not state.tasks:
        return rows
    for _, body, _ in steps:
        before: dict[str, str] = {}  # first opening times of tasks that a migration reopens
        for event in map(from_json, body["events"]):
            if isinstance(event, InstanceMigrated):
                before = {event.places.get(here, here): at for here, at in since.items()}
            elif isinstance(event, UserTaskOpened):
                here = place(event.element, event.visit)
                since[here] = before.get(here) or str(body["at"])
                if here in state.tasks:
                    rows[here] = task_rows.opened_row(row, event, datetime.fromisoformat(since[here]))
                    rows[here]["assignee"] = state.tasks[here].assignee
                    rows[here] |= task_rows.arranged(rows[here], state.tasks[here].desk)
    return rows


def _requests(steps: list[ReadStep], state: InstanceState) -> dict[str, dict[str, Any]]:
    asked: dict[str, dict[str, Any]] = {}
    if not state.requests and not state.waits:
        return asked
    for _, body, _ in steps:
        for event in map(from_json, body["events"]):
            if isinstance(event, InstanceMigrated):
                asked = {event.places.get(here, here): request for here, request in asked.items()}
            elif isinstance(event, ServiceRequested):
                request = {"operator": event.operator, "parameters": event.parameters, "actor": body["actor"]["name"]}
                asked[place(event.element, event.visit)] = request
            elif isinstance(event, TimerStarted):
                request = {"operator": job_rows.TIMER, "parameters": {}, "actor": body["actor"]["name"]}
                asked[place(event.element, event.visit)] = request
    return {here: request for here, request in asked.items() if here in state.requests or here in state.waits}


def _job(stored: dict[str, Any]) -> dict[str, Any]:
    return {"operator": stored["operator"], "parameters": _parsed(stored["parameters"]), "actor": stored["actor"]}


def _parsed(text: Any) -> Json:
    try:
        read: Json = json.loads(text)
    except (TypeError, ValueError):  # someone altered the row
        return None
    return read
