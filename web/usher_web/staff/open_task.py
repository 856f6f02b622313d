"""The open task as its page shows it: the message, the form with missing fields first, and who may act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from usher_engine import Actor, UserTask
from usher_engine.accounts import Account
from usher_engine.cases import readable_steps
from usher_engine.forms import Field, Form, deployed_form

from .. import audit_logging
from ..casework.patient_labels import Subject, subject
from ..site import site
from ..words.case_narrative import Line, lines_of
from ..words.element_names import names_of
from .desk_pages import colleagues
from .task_list import headline, what_to_do

#: Our own form keys, which are not fields of the task's form.
OURS = ("csrf_token", "revision", "desk.then")


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTask:
    """
    The values of the task page.

    ``direct`` tasks are one decision: their button stands right under the message. Other tasks open their form after a
    button with the task's name has claimed them. ``asked`` are the fields that need a person, ``filled`` the rest.
    """

    task: UserTask
    #: The name of the process.
    process: str
    patient: Subject | None
    say: str
    then: list[str]
    form: Form | None
    direct: bool
    mine: bool
    taken_by: str
    values: Mapping[str, Any]
    asked: tuple[Field, ...]
    filled: tuple[Field, ...]
    lines: list[Line]
    errors: Mapping[str, str] = field(default_factory=dict)
    moved: bool = False
    #: Whether the reader may arrange the task though somebody else has claimed it.
    leads: bool = False
    #: Who else could do it.
    colleagues: tuple[Account, ...] = ()
    #: The day it is and the next one, for fields of days.
    today: str = ""
    tomorrow: str = ""

    @property
    def shows_form(self) -> bool:
        return not self.taken_by and (self.mine or self.direct)

    @property
    def filled_count(self) -> str:
        """ "9 more fields, all filled"; without "all filled" if optional ones are empty."""
        number = len(self.filled)
        complete = all(self.values.get(found.key) not in (None, "") for found in self.filled)
        return f"{number} more field{'' if number == 1 else 's'}{', all filled' if complete else ''}"

    @property
    def filled_words(self) -> str:
        """The values of the filled fields, with the labels of options."""
        shown = (_in_words(found, self.values.get(found.key)) for found in self.filled)
        return " · ".join(words for words in shown if words)


def open_task(
    task: UserTask,
    actor: Actor,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    moved: bool = False,
) -> OpenTask:
    """*typed* was sent and refused with *errors*; *moved* is whether the case went on meanwhile."""
    audit_logging.record_view("TaskViewed", task.id, business_key=task.business_key)
    engine, today, wrong = site().engine, site().today(), dict(errors or {})
    form = deployed_form(engine.queries.package_of(task.instance).text(task.form)) if task.form else None
    values = _values(task, form, typed)
    # A missing field stays visible while a person fills it, in a draft or in a refused answer.
    missing = {f.key for known in (task.initial, values) for f in form.missing(known, today=today)} if form else set()
    fields, names = form.fields if form else (), names_of(task.instance)
    asked = tuple(f for f in fields if f.key in missing or f.key in wrong)
    if len(fields) - len(asked) < 2:
        asked = fields
    return OpenTask(
        task=task,
        process=names.process or task.process,
        patient=subject(task.business_key),
        say=headline(task.message),
        then=what_to_do(task.message),
        form=form,
        direct=form is None or form.submit == task.title,
        mine=task.assignee == actor.name,
        taken_by="" if task.assignee in ("", actor.name) else task.assignee,
        values=values,
        asked=asked,
        filled=tuple(f for f in fields if f not in asked),
        lines=list(reversed(lines_of(readable_steps(engine.context, task.instance)[0], names))),
        errors=wrong,
        moved=moved,
        leads=engine.desk.leads(actor, task),
        colleagues=tuple(colleagues(task)),
        today=today.isoformat(),
        tomorrow=(today + timedelta(days=1)).isoformat(),
    )


def _values(task: UserTask, form: Form | None, typed: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values of the fields: the text just typed, else the draft, else the record, else the defaults."""
    defaults = {f.key: f.default for f in form.fields if f.default is not None} if form else {}
    return {**defaults, **task.initial, **(task.draft or {}), **(typed or {})}


def submitted(sent: Mapping[str, str]) -> dict[str, str]:
    """The fields of the task's form among what a browser sent."""
    return {key: value for key, value in sent.items() if key not in OURS}


def _in_words(found: Field, value: Any) -> str:
    if found.kind == "checkbox":
        return found.label if value in (True, "true") else ""
    return dict(found.options).get(str(value), str(value)) if value not in (None, "") else ""
