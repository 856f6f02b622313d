"""Cases: the list, and the page of one case: the diagram with the way it took, its story, its facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import Instance, Step
from usher_engine.accounts import Role
from usher_engine.cases import ALTERED, InstanceState, calls_after, is_comment, readable_steps
from usher_engine.core import whole_number
from usher_engine.enrollment import STATUS_CHANGED
from werkzeug.wrappers import Response

from .. import auth
from ..site import site
from ..words.case_narrative import Line, Names, lines_of
from ..words.element_names import names_of
from ..words.mail_status import mailing
from .act_following import follow
from .call_views import call_views
from .case_search_page import search_page
from .comment_views import comment_section
from .diagram_files import bpmn_response, drawing_views, drawings_of_case
from .held_mails import held_mails
from .link_views import link_views
from .patient_labels import subject
from .saved_search_access import query_of, usable_searches
from .visibility import may_work_on, visible_case

blueprint = Blueprint("cases", __name__, url_prefix="/cases")

#: Who ended a case may still be asked what went wrong; only a live one can be moved.
LIVE = ("waiting", "incident")


@blueprint.get("")
@auth.policy(Role.STAFF, Role.AUDITOR)
def show() -> str | tuple[str, int] | Response:
    found = search_page()
    search = found["search"]
    if len(search.patients) == 1 and search.given["patient"] != search.patients[0].id:
        # A name that matches only one patient: from here on the address holds the id instead.
        return redirect(url_for("cases.show", **{**search.given, "patient": search.patients[0].id}))
    saved, query = usable_searches(), query_of(search)
    own = next((one for one in saved if one.query == query and one.owner == auth.actor().name), None)
    page = render_template("cases.html", **found, saved=saved, query=query, own=own)
    return (page, 422) if search.errors else page


@blueprint.get("/<instance_id>")
@auth.policy(Role.STAFF, Role.AUDITOR)
def case(instance_id: str) -> str:
    return _page(visible_case(instance_id))


@blueprint.get("/<instance_id>/onward")
@auth.policy(Role.STAFF)
def onward(instance_id: str) -> Response:
    """Redirect after a trigger: to the task it opened, if this person may work on it; else to the case."""
    found = visible_case(instance_id)
    for task in found.tasks:
        if may_work_on(auth.actor(), task):
            return redirect(f"{url_for('inbox.task', task_id=task.id)}#task", 303)
    if found.id not in {act.instance for act in auth.session().account.followed}:  # else the page is loaded once more
        follow(found, "The trigger was selected.", since=1)
    return redirect(url_for("cases.case", instance_id=instance_id), 303)


@blueprint.get("/<instance_id>/diagram.bpmn")
@auth.policy(Role.STAFF, Role.AUDITOR)
def diagram(instance_id: str) -> Response:
    """The diagram the case runs on, or ran on at step ``?at=N``: cases move between versions."""
    case, revision = visible_case(instance_id), whole_number(request.args.get("at", ""))
    try:
        return bpmn_response(site().engine.queries.diagram_of(case.id, revision).package)
    except usher_engine.Corrupt:  # an altered step names no version; its case is still drawn
        return bpmn_response(site().engine.queries.package_of(case.id))


@blueprint.post("/<instance_id>/retry")
@auth.policy(Role.STAFF)
def retry(instance_id: str) -> Response:
    after = site().engine.cases.retry(visible_case(instance_id).id, actor=auth.actor())
    follow(after, "It is being tried again.")
    return redirect(url_for("cases.case", instance_id=instance_id), 303)


@blueprint.post("/<instance_id>/cancel")
@auth.policy(Role.STAFF)
def cancel(instance_id: str) -> Response | tuple[str, int]:
    instance = visible_case(instance_id)
    try:
        site().engine.cases.cancel(instance.id, request.form.get("reason", ""), actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        return _page(instance, errors=wrong.fields), 422
    auth.say("The case was cancelled.")
    return redirect(url_for("cases.case", instance_id=instance_id), 303)


def _page(instance: Instance, errors: dict[str, str] | None = None) -> str:
    names = names_of(instance.id)
    steps, unreadable = readable_steps(site().engine.context, instance.id)
    pauses = site().engine.pauses
    lines = lines_of(steps, names)
    is_staff = auth.session().account.role is Role.STAFF
    return render_template(
        "case.html",
        case=instance,
        process=names.process or instance.process,
        patient=subject(instance.business_key),
        lines=lines,
        since=_since(steps, lines),
        mailing=mailing(steps, names),
        answers=site().enrollment.answers(instance.business_key),
        links=[
            link
            for link in link_views(site().enrollment.invitations(instance.business_key))
            if link.case == instance.id
        ],
        links_of=instance.business_key,
        hold=site().enrollment.retention.hold_on(instance.business_key),
        paused=pauses.in_force(instance.process, instance.version) if instance.status in LIVE else None,
        steps=steps,
        unreadable=unreadable,
        at=[names.of(element) for element in instance.at],
        waits=[(names.of(wait.element), wait) for wait in instance.waits if wait.message != STATUS_CHANGED],
        ended=names.of(instance.outcome) if instance.outcome else "",
        path=way_taken(instance, steps, names),
        drawings=drawing_views(drawings_of_case(instance.id), "cases.diagram", instance_id=instance.id),
        comments=comment_section(
            instance.id, steps, draft=site().engine.comments.draft(instance.id, auth.actor()) if is_staff else None
        ),
        may_act=is_staff and instance.status in LIVE,
        held=[one for one in held_mails() if one.instance == instance.id] if instance.status in LIVE else [],
        mine=[task for task in instance.tasks if may_work_on(auth.actor(), task)],
        errors=errors or {},
    )


def _since(steps: list[Step], lines: list[Line]) -> list[Line]:
    """The newest line after the end of the case, if any, that is no comment; the explanation does not cover it."""
    ends = (step.revision for step in steps for event in step.events if event.get("kind") == "InstanceFinished")
    end = next(ends, None)
    said = {step.revision for step in steps if is_comment(step.events)}
    return [line for line in lines if end is not None and line.revision > end and line.revision not in said][-1:]


def way_taken(case: Instance, steps: Sequence[Step], names: Names) -> dict[str, Any]:
    """The marks of the diagrams: visited elements, flows taken, tokens, incidents, and the same for each call."""
    try:
        state = site().engine.queries.rebuild(case.id)
    except (usher_engine.Corrupt, *ALTERED):
        state = InstanceState()  # the page shows a notice about it
    calls, drawings = calls_after(steps, site().engine.queries.call_plan), drawings_of_case(case.id)
    return {
        "visited": [{"element": element, "visits": number} for element, number in state.visits.items()],
        "flows": state.flows,
        "at": [here.rpartition(":")[0] for here in state.at],
        "incident": [here.rpartition(":")[0] for here in state.incidents],
        "calls": call_views(calls, state, drawings, names),
    }
