"""The search box: patients, cases by number and open tasks on one page, limited to what the account may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import Instance, UserTask
from usher_engine.accounts import Role
from usher_engine.cases import TaskFilter, TaskPage
from usher_engine.enrollment import FoundPatients, PatientRecord
from werkzeug.wrappers import Response

from .. import auth
from ..casework.case_list import Listed, as_listed
from ..casework.patient_hits import Hit, hits_of
from ..casework.patient_labels import Subject
from ..casework.visibility import may_see, may_work_on
from ..site import site
from .list_query import ListQuery
from .near_patients import first_of, near_patients, shortened
from .task_list import Row, address, filter_of, rows_of, with_text

blueprint = Blueprint("search", __name__, url_prefix="/search")

MOST = 10
#: The shortest part of a case number to look up.
SHORTEST_NUMBER = 3

#: Kinds of tasks, (process, element).
Kinds = frozenset[tuple[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """
    The results for a text, *total* patients in all and *others* that are closed.

    *near* are patients that are only similar; with *is_near* the cases are too, because nothing matches.
    """

    hits: list[Hit]
    total: int
    others: int
    cases: list[Listed]
    tasks: Sequence[Row]
    near: Sequence[Subject] = ()
    is_near: bool = False
    #: Where all open tasks are listed that the text finds, and how many they are.
    all_tasks: tuple[str, int] = ("", 0)

    def __bool__(self) -> bool:
        return bool(self.hits or self.near or self.others or self.cases or self.tasks)


@blueprint.get("")
@auth.policy(Role.STAFF, Role.AUDITOR)
def show() -> str | Response:
    """What fits the text; a whole record number leads straight to its patient."""
    text = " ".join(request.args.get("q", "").split())[:200]
    if not text:
        return render_template("search.html", results=None, search_text=text)
    found = site().enrollment.finder.find(text, limit=MOST)
    if found.exact:
        if auth.actor().role == Role.STAFF.value:
            return redirect(url_for("triggers.patient", patient_id=found.exact), 303)
        return redirect(url_for("cases.show", patient=found.exact), 303)
    return render_template("search.html", results=_search(text, found) or _near(text), search_text=text)


def _search(text: str, found: FoundPatients) -> Results:
    ids = [record.id for record in found.records]
    numbered = [*_cases_by_number(text), *site().engine.queries.instances(business_key=text, limit=MOST)]
    about = site().engine.queries.instances(about=ids, limit=2 * MOST) if ids else []
    cases = _visible([*numbered, *about])
    kinds = frozenset() if ids else _kinds_called(text)
    return Results(
        hits=hits_of(found),
        total=found.total,
        others=found.others,
        cases=as_listed(cases[:MOST]),
        tasks=_tasks(cases, kinds),
        all_tasks=_all_tasks(text, found.records, kinds),
    )


def _cases_by_number(text: str) -> list[Instance]:
    plain = text.replace("-", "").replace(" ", "")
    if len(plain) < SHORTEST_NUMBER or not (plain.isascii() and plain.isalnum()):
        return []
    return site().engine.queries.instances(numbered=plain, limit=MOST)


def _visible(cases: Sequence[Instance]) -> list[Instance]:
    once = {instance.id: instance for instance in cases}
    return [instance for instance in once.values() if may_see(auth.actor(), instance)]


def _tasks(cases: Sequence[Instance], kinds: Kinds) -> Sequence[Row]:
    """Open tasks of the cases found, and some of these kinds; only staff work on tasks."""
    actor = auth.actor()
    if actor.role != Role.STAFF.value:
        return ()
    mine = [task for instance in cases for task in instance.tasks if may_work_on(actor, task)]
    titled = site().engine.inbox.page(actor, TaskFilter(kinds=kinds), TaskPage(limit=MOST)) if kinds else []
    once: dict[str, UserTask] = {task.id: task for task in (*mine, *titled)}
    return rows_of(list(once.values())[:MOST], actor)


def _kinds_called(text: str) -> Kinds:
    """The kinds of open tasks whose title holds *text*."""
    if auth.actor().role != Role.STAFF.value:
        return frozenset()
    inbox = site().engine.inbox
    titles = inbox.titles(inbox.kinds(auth.actor()))
    return frozenset(kind for kind, (title, _) in titles.items() if text.lower() in title.lower())


def _all_tasks(text: str, records: Sequence[PatientRecord], kinds: Kinds) -> tuple[str, int]:
    """The list of all tasks of the patients found, else of the kinds so called, and its true number."""
    if auth.actor().role != Role.STAFF.value:
        return "", 0
    if not records and not kinds:
        return "", 0
    query = ListQuery(text=text if records else "", kinds=tuple(f"{one}/{element}" for one, element in sorted(kinds)))
    wanted = filter_of(auth.actor(), replace(query, text=""))
    if len(records) == MOST:  # there may be more of them
        found = with_text(wanted, text, [])
    else:
        found = replace(wanted, about=frozenset(record.id for record in records)) if records else wanted
    return (address(query), site().engine.inbox.count(auth.actor(), found)) if found else ("", 0)


def _near(text: str) -> Results:
    """Patients and cases that begin like the typed text, dropping one letter at a time until something matches."""
    cases = as_listed(_visible(first_of(shortened(text), _cases_by_number))[:5])
    near = near_patients(text)
    return Results(hits=[], total=0, others=0, cases=cases, tasks=(), near=near, is_near=True)
