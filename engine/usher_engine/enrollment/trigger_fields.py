"""The template fields that carry the Patient Portal trigger, its action there and the process that it starts.

An administrator sets them. Every process that a trigger starts is about the patient for whom it was selected.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, select

from ..core.errors import InvalidSubmission
from ..core.visible_text import trimmed
from ..store import Transaction, to_text
from ..store.told_rows import row_after
from ..store.upserts import put
from .enrollment_tables import patient, portal_trigger

#: Id of the process that enrols patients, and the only action with which a trigger starts it.
PROCESS = "enrollment"
ENROLLMENT = "Enrollment"

MAX_NAME = 200
MAX_ACTION = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class TriggerField:
    """A field of a template that carries the trigger."""

    field: str
    action: str
    process: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A template of the EHR with the fields that carry the trigger."""

    name: str
    fields: tuple[TriggerField, ...]


def templates(tx: Transaction) -> list[Template]:
    """All templates with a trigger, by name."""
    return _templates(tx.execute(_ROWS).all())


def _templates(rows: Sequence[Row[Any]]) -> list[Template]:
    names = dict.fromkeys(row.template for row in rows)
    return [
        Template(
            name=name,
            fields=tuple(
                TriggerField(field=row.field, action=row.action, process=row.process)
                for row in rows
                if row.template == name
            ),
        )
        for name in names
    ]


def set_trigger(
    tx: Transaction, template: str, field: str, action: str, *, process: str = PROCESS, by: str, now: datetime
) -> dict[str, Any]:
    """Put the trigger on a field, to start *process*; return the row for the event; raises `InvalidSubmission`."""
    template, field = _name("template", template), _name("field", field)
    action = _name("action", action, most=MAX_ACTION)
    if process == PROCESS:
        check_action(action)
    values = {"template": template, "field": field, "action": action, "process": process}
    put(tx, portal_trigger, {**values, "set_at": to_text(now), "set_by": by})
    return row_after(tx, portal_trigger, template, field)


def remove_trigger(tx: Transaction, template: str, field: str) -> dict[str, Any]:
    """Take the trigger off a field; return that it is gone, for the event. Raises `InvalidSubmission`."""
    ours, key = portal_trigger.c, (_name("template", template), _name("field", field))
    tx.execute(delete(portal_trigger).where(ours.template == key[0], ours.field == key[1]))
    return row_after(tx, portal_trigger, *key)


def bound_process(tx: Transaction, template: str, field: str, action: str, *, patient_id: str) -> str | None:
    """
    The process that this trigger starts, None if the patient is unknown; one statement reads both.

    Raises:
        InvalidSubmission: This field of this template does not carry the trigger with this action.
    """
    rows = tx.execute(_WITH_PATIENT, {"patient": patient_id}).all()
    _check_known(action, {ENROLLMENT, *(row.action for row in rows)})
    known = {found.name: found.fields for found in _templates(rows)}
    if template not in known:
        reason = f"“{_short(template)}” carries no Patient Portal trigger. An administrator can put one on it."
        raise InvalidSubmission(f"The template {reason}", fields={"template": reason})
    carried = next((f for f in known[template] if f.field == field), None)
    if carried is None:
        fields = ", ".join(f.field for f in known[template])
        reason = f"“{_short(field)}” of this template carries no Patient Portal trigger; it is on: {fields}."
        raise InvalidSubmission(f"The field {reason}", fields={"field": reason})
    if carried.action != action:
        reason = f"“{_short(action)}” is not the action of “{_short(field)}”; that is “{carried.action}”."
        raise InvalidSubmission(reason, fields={"action": reason})
    return None if rows[0].patient is None else carried.process


_ROWS = select(portal_trigger).order_by(portal_trigger.c.template, portal_trigger.c.field)
_IS_KNOWN = patient.c.id == bindparam("patient")
_WITH_PATIENT = _ROWS.add_columns(patient.c.id.label("patient")).outerjoin(patient, _IS_KNOWN)


def check_action(action: str) -> None:
    """Refuse an action that is not the enrolment's."""
    _check_known(action, {ENROLLMENT})


def _check_known(action: str, known: Collection[str]) -> None:
    if action not in known:
        listed = ", ".join(sorted(known))
        reason = f"“{_short(action)}” is no action of the Patient Portal trigger. Known: {listed}."
        raise InvalidSubmission(reason, fields={"action": reason})


def _name(what: str, text: str, *, most: int = MAX_NAME) -> str:
    name = trimmed(text)
    if not name or len(name) > most:
        reason = f"needs a name of 1 to {most} characters"
        raise InvalidSubmission(f"The {what} {reason}.", fields={what: reason})
    return name


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
