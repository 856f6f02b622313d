"""What people typed into the form of a user task and have not sent: one row for each person and task.

A row outlives its task, so that a person who was too late still has the text. Nothing of it enters a case's history.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, bindparam, delete, exists, insert, or_, select

from ..core.canonical import compact
from ..core.state import place
from . import upserts
from .database import to_text
from .tables import engine_tables as t
from .tables.task_draft_table import task_draft
from .tampered_rows import moment, plausible_values

if TYPE_CHECKING:
    from .task_rows import UserTask

#: How long a draft is kept after its task was closed, counted from its last save.
KEPT_FOR = timedelta(days=30)

#: Someone whose draft is younger than this is working in the form.
TYPING_FOR = timedelta(minutes=2)

Place = tuple[str, str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskDraft:
    """*typed* is field key to text; *revision* is the instance's when the form was rendered, None if unknown."""

    person: str
    typed: dict[str, Any]
    revision: int | None
    at: datetime

    @property
    def stamp(self) -> str:
        """Tells this text from any other."""
        return hashlib.sha256(compact(self.typed).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftBasis:
    """
    What a page knows of the draft that it replaces.

    *stamp* is that of the last draft it has seen, empty if it saw none; *sent* the text it has sent since and has no
    answer to.
    """

    stamp: str
    sent: Mapping[str, Any] | None = None

    def includes(self, stored: TaskDraft | None) -> bool:
        """Whether the page knows the draft that is *stored*, so that what it sends now is newer."""
        if stored is None:
            return not self.stamp
        return self.stamp == stored.stamp or self.sent == stored.typed


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedDraft:
    """
    When it was saved and its stamp, and its task as it stands now; None if it is closed meanwhile.

    *is_stale* says that it was not saved, because another one, whose stamp this is, came in between.
    """

    at: datetime
    stamp: str
    is_stale: bool = False
    task: UserTask | None = None


_c = task_draft.c
#: The place of a comment that is being typed: beside the tasks of its case.
COMMENT = ("", 0)
_HERE = (_c.instance == bindparam("i"), _c.element == bindparam("e"), _c.visit == bindparam("v"))
_OF_TASK = select(task_draft).where(*_HERE).order_by(_c.person)
_OF_TASK_AND_COMMENTS = (
    select(task_draft)
    .where(
        _c.instance == bindparam("i"),
        or_(and_(*_HERE[1:]), and_(_c.element == COMMENT[0], _c.visit == COMMENT[1], _c.person == bindparam("p"))),
    )
    .order_by(_c.person)
)
_OF_CASE = select(task_draft).where(_c.instance == bindparam("i"))
_FORGET = delete(task_draft).where(*_HERE, _c.person == bindparam("p"))


def save(connection: Connection, at: Place, draft: TaskDraft) -> None:
    """Store *draft* of the task *at*; it replaces an earlier one of the same person."""
    upserts.put(connection, task_draft, _row(at, draft))


def save_newer(connection: Connection, at: Place, draft: TaskDraft, basis: DraftBasis | None) -> SavedDraft:
    """`save` and `sweep`, unless the draft that is stored is one that the page of this one did not know."""
    if basis is not None:
        stored = of_task(connection, at).get(draft.person)
        if not basis.includes(stored) and draft.typed != (stored and stored.typed):
            return SavedDraft(at=draft.at, stamp=stored.stamp if stored else "", is_stale=True)
    save(connection, at, draft)
    sweep(connection, draft.at)
    return SavedDraft(at=draft.at, stamp=draft.stamp)


def of_task(connection: Connection, at: Place) -> dict[str, TaskDraft]:
    """The drafts of the task *at*, by person."""
    return {found.person: found for found in map(_draft, connection.execute(_OF_TASK, _params(at)).mappings())}


def of_task_and_comment(
    connection: Connection, at: Place, person: str
) -> tuple[dict[str, TaskDraft], TaskDraft | None]:
    """`of_task`, and what *person* has typed as a comment on the case; one statement."""
    rows = list(connection.execute(_OF_TASK_AND_COMMENTS, {**_params(at), "p": person}).mappings())
    typed = [_draft(row) for row in rows if (row["element"], row["visit"]) == COMMENT]
    of_this_task = [_draft(row) for row in rows if (row["element"], row["visit"]) != COMMENT]
    return {found.person: found for found in of_this_task}, next(iter(typed), None)


def of_case(connection: Connection, instance: str) -> dict[str, list[TaskDraft]]:
    """All drafts of a case, by the place of their task."""
    found: dict[str, list[TaskDraft]] = {}
    for row in connection.execute(_OF_CASE, {"i": instance}).mappings():
        found.setdefault(place(row["element"], row["visit"]), []).append(_draft(row))
    return found


def forget(connection: Connection, at: Place, person: str) -> None:
    """Delete the draft of *person*, if there is one."""
    connection.execute(_FORGET, {**_params(at), "p": person})


def move(connection: Connection, instance: str, places: Mapping[str, str]) -> None:
    """Move the drafts of a case whose tasks got other places."""
    drafts = of_case(connection, instance) if places else {}
    if not any(here in places for here in drafts):
        return
    connection.execute(delete(task_draft).where(_c.instance == instance))
    rows = [_row(_place(instance, places.get(here, here)), one) for here, those in drafts.items() for one in those]
    connection.execute(insert(task_draft), rows)


def sweep(connection: Connection, now: datetime) -> None:
    """Delete old drafts whose tasks are closed."""
    u = t.user_task.c
    still_open = exists().where(u.instance == _c.instance, u.element == _c.element, u.visit == _c.visit)
    connection.execute(delete(task_draft).where(_c.saved_at < to_text(now - KEPT_FOR), ~still_open))


def typing(drafts: Iterable[TaskDraft], now: datetime) -> tuple[str, ...]:
    """The people who saved one of *drafts* just now."""
    return tuple(one.person for one in drafts if now - one.at < TYPING_FOR)


def _row(at: Place, draft: TaskDraft) -> dict[str, Any]:
    instance, element, visit = at
    return {
        "instance": instance,
        "element": element,
        "visit": visit,
        "person": draft.person,
        "typed": compact(draft.typed),
        "revision": draft.revision,
        "saved_at": to_text(draft.at),
    }


def _draft(found: Mapping[Any, Any]) -> TaskDraft:
    """The draft in a row; what cannot be read in a tampered row is left out."""
    row, _ = plausible_values(task_draft, found)
    try:
        typed = json.loads(row["typed"])
    except ValueError:
        typed = None
    return TaskDraft(
        person=row["person"],
        typed=typed if isinstance(typed, dict) else {},
        revision=row["revision"],
        at=moment(row["saved_at"]),
    )


def _params(at: Place) -> dict[str, Any]:
    return dict(zip("iev", at, strict=True))


def _place(instance: str, here: str) -> Place:
    element, _, visit = here.rpartition(":")
    return instance, element, int(visit)
