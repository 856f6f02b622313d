"""Sentences of the audit events that say which setting was changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from usher_engine.audit import AuditEvent

from .presentation import joined


def setting_sentence(event: AuditEvent) -> str:
    """Say what a SettingChanged changed."""
    details = event.details
    if details.get("setting") == "portal status":
        why = f": {event.why}" if event.why else ", as another system reported it."
        return f"Set the portal status to “{details.get('status') or 'Unavailable'}”{why}"
    if details.get("setting") == "trigger":
        return _trigger(details)
    if details.get("setting") in ("substitute named", "substitute ended"):
        return _substitute(event)
    if details.get("setting") == "role and groups":
        return _rights(event)
    if details.get("setting") == "working days":
        return _working_days(details)
    told = (str(value) for name, value in details.items() if name not in ("setting", "rows") and value)
    rest = ", ".join(part for part in (event.subject, *told) if part)
    return f"Changed a setting: {details.get('setting')}{' (' + rest + ')' if rest else ''}."


def _trigger(details: Mapping[str, Any]) -> str:
    place = f"{details.get('field')} of {details.get('template')}"
    if details.get("action") is None:
        return f"Took the trigger off {place}."
    process = details.get("process")
    return f"Put the trigger “{details.get('action')}” on {place}{f'; it starts {process}' if process else ''}."


def _working_days(details: Mapping[str, Any]) -> str:
    if "weekdays" in details:
        return f"Set the working days of the week to {joined(details['weekdays'])}."
    did, days = ("Took off", details["removed"]) if "removed" in details else ("Added", details.get("added", {}))
    listed = ", ".join(f"{name} ({day})" for day, name in days.items())
    return f"{did} {'a holiday' if len(days) == 1 else f'{len(days)} holidays'}: {listed}."


def _rights(event: AuditEvent) -> str:
    """The new role and groups; before them those there were, as far as they changed."""
    details = event.details
    now = f"{details.get('role')}, {details.get('groups') or 'no group'}"
    before = [str(details[name] or "no group") for name in ("role before", "groups before") if name in details]
    return f"Changed role and groups of {event.subject} to {now}{f' (before: {joined(before)})' if before else ''}."


def _substitute(event: AuditEvent) -> str:
    details = event.details
    did = "Named" if details.get("setting") == "substitute named" else "Ended"
    groups = f", in {details.get('groups')}" if details.get("groups") else ""
    days = f"{details.get('from')} to {details.get('to')}"
    return f"{did} {details.get('substitute')} as substitute of {event.subject}: {days}{groups}."
