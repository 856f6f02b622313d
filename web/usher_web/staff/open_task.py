"""The open task as its page shows it: the message, the form with missing fields first, and who may act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import usher_engine
from usher_engine import Actor, UserTask
from usher_engine.accounts import StandIn
from usher_engine.cases import TaskDraft, is_held_by_another, readable_steps
from usher_engine.forms import Field, Form, deployed_form

from .. import audit_logging
from ..casework.comment_views import CommentSection, comment_section
from ..casework.link_views import LinkView, newest_link
from ..casework.patient_labels import Subject, subject
from ..site import site
from ..words.case_narrative import Line, lines_of
from ..words.element_names import names_of
from ..words.presentation import people_day
from .desk_pages import Colleague, colleagues
from .field_names import PREFIX
from .task_list import headline, what_to_do
from .typed_over_record import Difference, Merged, as_text, in_words, merged


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
    #: The reader's right to act for who has claimed it, if they have one.
    stand_in: StandIn | None
    values: Mapping[str, Any]
    asked: tuple[Field, ...]
    filled: tuple[Field, ...]
    lines: list[Line]
    comments: CommentSection
    #: The newest invitation of the patient, as a list of one.
    links: list[LinkView] = field(default_factory=list)
    errors: Mapping[str, str] = field(default_factory=dict)
    #: What the person typed that is not in the record, and fields whose values the record changed meanwhile.
    disputed: tuple[Difference, ...] = ()
    followed: tuple[str, ...] = ()
    moved: bool = False
    #: Whether the reader may arrange the task though somebody else has claimed it.
    leads: bool = False
    #: Who else could do it.
    colleagues: tuple[Colleague, ...] = ()
    #: The day it is and the next one, for fields of days.
    today: str = ""
    tomorrow: str = ""
    #: Addresses that look like slips and were asked about; sent again, they count as typed.
    taken: str = ""
    draft_at: datetime | None = None

    @property
    def on_behalf_of(self) -> str:
        """For whom the reader acts; empty if for nobody."""
        return self.stand_in.person if self.stand_in else ""

    @property
    def stands_in_until(self) -> str:
        return people_day(self.stand_in.last, site().today()) if self.stand_in else ""

    @property
    def name_prefix(self) -> str:
        """What the names of the form's inputs begin with."""
        return PREFIX

    @property
    def stamp(self) -> str:
        """Tells the draft of this task from later ones; empty if there is none."""
        return self.task.draft.stamp if self.task.draft else ""

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
        shown = (_filled_in(found, self.values.get(found.key)) for found in self.filled)
        return " · ".join(words for words in shown if words)


def open_task(
    task: UserTask,
    actor: Actor,
    *,
    typed: Mapping[str, Any] | None = None,
    revision: int | None = None,
    errors: Mapping[str, str] | None = None,
    moved: bool = False,
    taken: str = "",
) -> OpenTask:
    """
    The open *task* for *actor*.

    *typed* was sent from a form rendered at *revision*, and refused with *errors*; without it the draft of *actor*
    fills the form. *moved* is whether the case went on meanwhile.
    """
    audit_logging.record_view("TaskViewed", task.id, business_key=task.business_key)
    engine, today, wrong = site().engine, site().today(), dict(errors or {})
    form = form_of(task)
    draft = draft_of(task, actor) if typed is None else None
    if draft is not None:
        typed, revision = draft.typed, draft.revision
    filled = filled_form(task, form, typed, revision)
    fields, names = form.fields if form else (), names_of(task.instance)
    asked = _asked(form, task, filled.values, {*wrong}, is_typed=typed is not None)
    steps, _ = readable_steps(engine.context, task.instance)
    return OpenTask(
        task=task,
        process=names.process or task.process,
        patient=subject(task.business_key),
        say=headline(task.message),
        then=what_to_do(task.message),
        form=form,
        direct=form is None or form.submit == task.title,
        mine=bool(task.assignee) and not is_held_by_another(actor, task),
        taken_by=task.assignee if is_held_by_another(actor, task) else "",
        stand_in=next((s for s in actor.stands_in if s.person == task.assignee and s.covers(task.groups)), None),
        values=filled.values,
        asked=asked,
        filled=tuple(f for f in fields if f not in asked),
        lines=list(reversed(lines_of(steps, names))),
        comments=comment_section(task.instance, steps, task=task.id, draft=task.comment),
        links=newest_link(task.business_key),
        errors=wrong,
        disputed=filled.disputed,
        followed=filled.followed,
        moved=moved,
        taken=taken,
        draft_at=draft.at if draft else None,
        leads=engine.desk.leads(actor, task),
        colleagues=tuple(colleagues(task)),
        today=today.isoformat(),
        tomorrow=(today + timedelta(days=1)).isoformat(),
    )


def _asked(
    form: Form | None, task: UserTask, values: Mapping[str, Any], wrong: set[str], *, is_typed: bool
) -> tuple[Field, ...]:
    """The fields that need a person. A missing one stays visible while it is filled, in a draft or a refused answer."""
    if form is None:
        return ()
    today, fields = site().today(), form.fields
    missing = {f.key for known in (task.initial, values) for f in form.missing(known, today=today)}
    own = {f.key for f in fields if as_text(f, values.get(f.key)) != as_text(f, task.initial.get(f.key))}
    asked = tuple(f for f in fields if f.key in missing | wrong or (is_typed and f.key in own))
    return fields if len(fields) - len(asked) < 2 else asked


def form_of(task: UserTask) -> Form | None:
    """The form of *task*, as its case's version has it."""
    return deployed_form(site().engine.queries.package_of(task.instance).text(task.form)) if task.form else None


def draft_of(task: UserTask, actor: Actor) -> TaskDraft | None:
    """What *actor* has typed and not sent, into *task* or into the one that ended so that it could be asked again."""
    return task.draft or site().engine.task_drafts.carried(task, actor)


def filled_form(task: UserTask, form: Form | None, typed: Mapping[str, Any] | None, revision: int | None) -> Merged:
    """The values of the fields: what was *typed* into the form as of *revision*, over the record and the defaults."""
    if form is None:
        return Merged(values={})
    defaults = {f.key: f.default for f in form.fields if f.default is not None}
    now = {**defaults, **task.initial}
    if typed is None:
        return Merged(values=now)
    if revision is None or revision >= task.revision:
        return Merged(values={**now, **{f.key: typed[f.key] for f in form.fields if f.key in typed}})
    try:
        before = {**defaults, **site().engine.inbox.initial_at(task.id, revision)}
    except usher_engine.EngineError:  # the form did not exist at that revision: all of it counts as typed
        before = {}
    return merged(form, typed, before, now)


def _filled_in(found: Field, value: Any) -> str:
    if found.kind == "checkbox":
        return found.label if value in (True, "true") else ""
    return in_words(found, value)
