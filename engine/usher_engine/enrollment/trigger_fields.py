"""The template fields that carry the Patient Portal trigger, and their actions. An administrator sets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, select

from ..core.errors import InvalidSubmission
from ..core.visible_text import trimmed
from ..store import Transaction, to_text
from ..store.upserts import put
from .enrollment_tables import patient, portal_trigger

ENROLLMENT = "Enrollment"

#: The actions of a Patient Portal trigger.
ACTIONS = (ENROLLMENT,)

MAX_NAME = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class TriggerField:
    """A field of a template that carries the trigger."""

    field: str
    action: str


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
            fields=tuple(TriggerField(field=row.field, action=row.action) for row in rows if row.template == name),
        )
        for name in names
    ]


def set_trigger(tx: Transaction, template: str, field: str, action: str | None, *, by: str, now: datetime) -> None:
    """Put the trigger on a field of a template, or with action None remove it; raises `InvalidSubmission`."""
    template, field = _name("template", template), _name("field", field)
    ours = portal_trigger.c
    if action is not None:
        check_action(action)
        values = {"template": template, "field": field, "action": action, "set_at": to_text(now), "set_by": by}
        put(tx, portal_trigger, values)
    else:
        tx.execute(delete(portal_trigger).where(ours.template == template, ours.field == field))


def check(tx: Transaction, template: str, field: str, action: str, *, patient_id: str) -> bool:
    """
    Whether the patient is known; one statement reads both the trigger and the patient.

    Raises:
        InvalidSubmission: This field of this template does not carry the trigger with this action.
    """
    check_action(action)
    rows = tx.execute(_WITH_PATIENT, {"patient": patient_id}).all()
    known = {found.name: found.fields for found in _templates(rows)}
    if template not in known:
        reason = f"“{_short(template)}” carries no Patient Portal trigger. An administrator can put one on it."
        raise InvalidSubmission(f"The template {reason}", fields={"template": reason})
    if not any(f.field == field and f.action == action for f in known[template]):
        fields = ", ".join(f.field for f in known[template])
        reason = f"“{_short(field)}” of this template carries no Patient Portal trigger; it is on: {fields}."
        raise InvalidSubmission(f"The field {reason}", fields={"field": reason})
    return rows[0].patient is not None


_ROWS = select(portal_trigger).order_by(portal_trigger.c.template, portal_trigger.c.field)
_IS_KNOWN = patient.c.id == bindparam("patient")
_WITH_PATIENT = _ROWS.add_columns(patient.c.id.label("patient")).outerjoin(patient, _IS_KNOWN)


def check_action(action: str) -> None:
    if action not in ACTIONS:
        reason = f"“{_short(action)}” is no action of the Patient Portal trigger. Known: {', '.join(ACTIONS)}."
        raise InvalidSubmission(reason, fields={"action": reason})


def _name(what: str, text: str) -> str:
    name = trimmed(text)
    if not name or len(name) > MAX_NAME:
        reason = f"needs a name of 1 to {MAX_NAME} characters"
        raise InvalidSubmission(f"The {what} {reason}.", fields={what: reason})
    return name


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
