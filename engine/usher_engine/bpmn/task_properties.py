"""What a user task shows people, from its properties: title, message, form, candidate group and due date."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..core.errors import ElementFailed, ExpressionError
from ..core.events import UserTaskOpened
from ..core.practice_calendar import Calendar
from ..expressions import compile_expression, compile_template, parse_due
from ..forms import deployed_form
from .compiled_diagram import Diagram
from .step_context import Step
from .workflow import UsherTask


def opening_event(diagram: Diagram, task: UsherTask, step: Step) -> UserTaskOpened:
    """The event that puts *task* into the inbox; texts are evaluated on the task's data at the time of *step*."""
    element = diagram.elements[task.task_spec.bpmn_id]
    properties = element.properties
    try:
        instructions = compile_template(element.instructions)
        message = instructions.render(task.data, step.now, rules=step.rules, calendar=step.calendar)
        return UserTaskOpened(
            element=element.id,
            visit=task.visit,
            title=element.name or element.id,
            message=message.strip(),
            form=properties.get("form", ""),
            group=properties.get("candidateGroups") or element.lane,
            due=_due(properties.get("dueIn"), step),
            priority=int(properties.get("priority", "50")),
            cancel=element.cancel,
        )
    except ExpressionError as error:
        raise ElementFailed(element.id, error) from error


def _due(text: str | None, step: Step) -> str:
    """The moment until which the task is due (UTC); in working days, that is the end of the last of them."""
    if not text:
        return ""
    length = parse_due(text)
    if isinstance(length, int):
        at = step.calendar.end_of(step.calendar.working_day_after(step.calendar.day_of(step.now), length))
    else:
        at = step.now + length
    return at.isoformat().replace("+00:00", "Z")


def initial_values(
    diagram: Diagram, element: str, data: dict[str, Any], now: datetime, calendar: Calendar
) -> dict[str, Any]:
    """Return the initial values of the fields in the form of user task *element*; raise `ExpressionError`."""
    properties = diagram.elements[element].properties
    expression, form = properties.get("initialValues"), properties.get("form")
    if not expression or not form:
        return {}
    values = compile_expression(expression).evaluate(data, now, calendar=calendar)
    if not isinstance(values, dict):
        raise ExpressionError("initialValues must be a record of field names and values.")
    asked = {field.key for field in deployed_form(diagram.package.text(form)).fields}
    return {key: value for key, value in values.items() if key in asked}
