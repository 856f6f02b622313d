"""Asks once more about an answer before it counts: a slip in an e-mail address, or a patient who looks like another.

Both are questions, not errors: what was typed stays, and sending it again takes it as typed.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import render_template, request
from usher_engine import InvalidSubmission, UserTask
from usher_engine.enrollment import meant_address
from usher_engine.forms import deployed_form

from ..site import site
from .field_names import SEEN, TAKEN, field_name
from .look_alike_question import question_about, record_warning


def slips(task: UserTask, typed: Mapping[str, str]) -> dict[str, str]:
    """A question for each e-mail address of the form that looks like a slip and was not asked about before."""
    asked = request.form.get(TAKEN, "").split("\n")
    found: dict[str, str] = {}
    for key, value in typed.items():
        meant = meant_address(value) if "@" in value and value not in asked else ""
        if meant and value != task.initial.get(key):
            found[key] = f"Did you mean {meant}? Correct it, or send it again to take it as typed."
    return found


def taken(questions: Mapping[str, str], typed: Mapping[str, str]) -> str:
    """The value of `TAKEN` after *questions* were asked."""
    return "\n".join(typed[key] for key in questions)


def look_alike(task: UserTask, typed: Mapping[str, str]) -> str | None:
    """The page that shows the patient beside those who look alike; None if nothing needs to be asked."""
    seen = request.form.get(SEEN, "")[:4000]
    question = question_about(task.business_key, seen)
    if question is not None and not _is_valid(task, typed):
        return None  # the fields come first
    if question is None:
        record_warning(task.business_key, seen)
        return None
    fields = {field_name(key): value for key, value in typed.items()}
    chosen = {**fields, "revision": request.form.get("revision", ""), TAKEN: request.form.get(TAKEN, "")}
    return render_template("look_alike.html", question=question, chosen=chosen, seen_field=SEEN, task=task)


def _is_valid(task: UserTask, typed: Mapping[str, str]) -> bool:
    if not task.form:
        return True
    form = deployed_form(site().engine.queries.package_of(task.instance).text(task.form))
    try:
        form.validate(typed, today=site().today())
    except InvalidSubmission:
        return False
    return True


def seen_look_alikes() -> str:
    """The look-alikes that this answer says were seen."""
    return request.form.get(SEEN, "")[:4000]
