"""The search box: patients, cases by number and open tasks on one page, limited to what the account may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from flask import Blueprint, render_template, request
from usher_engine import Instance, UserTask
from usher_engine.accounts import Role

from .. import auth
from ..casework.case_list import Listed, as_listed
from ..casework.patient_labels import Subject, describe
from ..casework.visibility import may_see, may_work_on
from ..site import site
from .task_list import Row, rows_of

blueprint = Blueprint("search", __name__, url_prefix="/search")

MOST = 10
#: Titles are searched only among this many tasks, those due first.
TASKS_LOOKED_AT = 200
#: The shortest part of a case number to look up.
SHORTEST_NUMBER = 3
#: The fewest leading letters of a word that must match in a near match.
SHORTEST_NEAR = 2

Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """The results for a text; *near* if nothing matches it and these are only similar."""

    patients: list[Subject]
    cases: list[Listed]
    tasks: Sequence[Row]
    near: bool = False

    def __bool__(self) -> bool:
        return bool(self.patients or self.cases or self.tasks)


@blueprint.get("")
@auth.policy(Role.STAFF, Role.AUDITOR)
def show() -> str:
    text = " ".join(request.args.get("q", "").split())[:200]
    results = (_search(text) or _near(text)) if text else None
    return render_template("search.html", results=results, search_text=text)


def _search(text: str) -> Results:
    records = site().enrollment.patients(text, limit=MOST)
    numbered = [*_cases_by_number(text), *site().engine.queries.instances(business_key=text, limit=MOST)]
    about = site().engine.queries.instances(about=[record.id for record in records], limit=2 * MOST) if records else []
    cases = _visible([*numbered, *about])
    return Results(
        patients=[describe(record) for record in records],
        cases=as_listed(cases[:MOST]),
        tasks=_tasks(text, cases),
    )


def _cases_by_number(text: str) -> list[Instance]:
    plain = text.replace("-", "").replace(" ", "")
    if len(plain) < SHORTEST_NUMBER or not (plain.isascii() and plain.isalnum()):
        return []
    return site().engine.queries.instances(numbered=plain, limit=MOST)


def _visible(cases: Sequence[Instance]) -> list[Instance]:
    once = {instance.id: instance for instance in cases}
    return [instance for instance in once.values() if may_see(auth.actor(), instance)]


def _tasks(text: str, cases: Sequence[Instance]) -> Sequence[Row]:
    """Open tasks of the cases found, and those whose title holds *text*; only staff work on tasks."""
    actor = auth.actor()
    if actor.role != Role.STAFF.value:
        return ()
    mine = [task for instance in cases for task in instance.tasks if may_work_on(actor, task)]
    titled = [
        task for task in site().engine.inbox.tasks(actor, limit=TASKS_LOOKED_AT) if text.lower() in task.title.lower()
    ]
    once: dict[str, UserTask] = {task.id: task for task in (*mine, *titled)}
    return rows_of(list(once.values())[:MOST], actor)


def _near(text: str) -> Results:
    """Patients and cases that begin like the typed text, dropping one letter at a time until something matches."""
    patients = _first_of(_shortened(max(text.split(), key=len)), lambda word: site().enrollment.patients(word, limit=5))
    cases = _visible(_first_of(_shortened(text), _cases_by_number))[:5]
    return Results(patients=[describe(record) for record in patients], cases=as_listed(cases), tasks=(), near=True)


def _shortened(word: str) -> Iterator[str]:
    return (word[:length] for length in range(min(len(word) - 1, 12), SHORTEST_NEAR - 1, -1))


def _first_of(words: Iterator[str], look: Callable[[str], list[Found]]) -> list[Found]:
    return next((found for word in words if (found := look(word))), [])
