"""What a case begins with: the data that was sent, validated by the start form, and what the case is about."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from ..bpmn import Diagram
from ..core.canonical import check_input, is_storable
from ..core.errors import ExpressionError, InvalidSubmission, NotFound
from ..core.practice_calendar import Calendar
from ..expressions import compile_expression
from ..forms import first_data, start_form
from .start_request import StartRequest

MAX_BUSINESS_KEY = 200


def not_offered(process: str) -> NotFound:
    """The error for a process that a person may not start: for them it is not there."""
    return NotFound(f"There is no process “{process}” that you may start.")


def checked_data(diagram: Diagram, asked: StartRequest, *, today: date) -> dict[str, Any]:
    """The data of *asked* as the case begins with it; raises `InvalidSubmission` like `forms.first_data`."""
    form = start_form(diagram.package, diagram.start)
    if form is None and asked.by_person and asked.data:
        known = dict.fromkeys(asked.data, "is not asked for")
        raise InvalidSubmission("This process has no start form; send no fields.", fields=known)
    return first_data(form, asked.data, keeps_others=asked.keeps_others, today=today)


def business_key(
    diagram: Diagram, asked: StartRequest, data: dict[str, Any], *, now: datetime, calendar: Calendar
) -> str:
    """What the case is about: as it was sent, or else by the start event's expression over *data*."""
    if asked.business_key or not diagram.start.business_key:
        return asked.business_key
    try:
        found = compile_expression(diagram.start.business_key).evaluate(data, now, calendar=calendar)
    except ExpressionError as error:
        raise _unusable(error.message) from error
    text = "" if found is None else str(found).strip()
    if isinstance(found, dict | list | bool) or not is_storable(text) or len(text) > MAX_BUSINESS_KEY:
        raise _unusable(f"it must be a text of at most {MAX_BUSINESS_KEY} characters, or a number.")
    check_input(text, where="businessKey")
    return text


def _unusable(reason: str) -> InvalidSubmission:
    message = f"What the case is about (businessKey) cannot be worked out from this: {reason}"
    return InvalidSubmission(message, fields={"businessKey": reason})
