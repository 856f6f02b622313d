"""The workload for leads and administrators: how many tasks lie with whom; each number leads to the list it counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import usher_engine
from flask import Blueprint, render_template
from usher_engine import Actor
from usher_engine.accounts import Role
from usher_engine.cases import Load, TaskOrder, stored_time

from .. import auth
from ..site import site
from ..words.substitute_choice import away_words, substitutes
from .list_query import FREE, Due, ListQuery, View
from .task_list import address

blueprint = Blueprint("workload", __name__, url_prefix="/workload")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """
    One group or person, and where its numbers lead; without addresses for administrators, who have no list.

    *share* is how many of 100 parts of the longest bar it fills, *late_share* how many of these are overdue.
    """

    load: Load
    share: int
    late_share: int
    away: str = ""
    open: str = ""
    free: str = ""
    late: str = ""
    due: str = ""
    oldest: str = ""


def is_lead(actor: Actor) -> bool:
    """Whether *actor* leads: a member of the group of leads, or an administrator."""
    return actor.role == Role.ADMIN.value or site().settings.leads_group in actor.groups


@blueprint.get("")
@auth.policy(Role.STAFF, Role.ADMIN)
def show() -> str:
    """Open tasks by group and by person. Leads see those of their groups; no patient is named here."""
    actor = auth.actor()
    if not is_lead(actor):
        raise usher_engine.NotFound(f"The workload is for members of the group {site().settings.leads_group}.")
    has_list = actor.role == Role.STAFF.value
    before = stored_time(site().settings.calendar.begin_of(site().today() + timedelta(days=1)))
    found = site().engine.inbox.workload(actor if has_list else None, before)
    leads_group = site().settings.leads_group
    groups = [load for load in found.groups if load.name != leads_group or load.open]
    away = substitutes().absences()
    widest = max((load.open for load in (*groups, *found.people)), default=0)
    base = ListQuery()
    return render_template(
        "workload.html",
        all=_line(found.all, base, found.all.open, has_list=has_list),
        late_free=address(replace(base, view=View.OVERDUE, who=FREE)) if has_list else "",
        groups=[_line(load, replace(base, groups=(load.name,)), widest, has_list=has_list) for load in groups],
        people=[
            replace(
                _line(load, replace(base, who=load.name), widest, has_list=has_list),
                away=away_words(one for one in away if one.person == load.name),
            )
            for load in found.people
        ],
        at=site().now(),
    )


def _line(load: Load, query: ListQuery, widest: int, *, has_list: bool) -> Line:
    share = -(-100 * load.open // widest) if widest else 0
    late_share = -(-100 * load.late // widest) if widest else 0
    line = Line(load=load, share=share, late_share=late_share)
    if not has_list:
        return line
    return replace(
        line,
        open=address(query),
        free=address(replace(query, who=FREE)),
        late=address(replace(query, view=View.OVERDUE)),
        due=address(replace(query, due=Due.TODAY.value)),
        oldest=address(replace(query, sort=TaskOrder.OPENED)),
    )
