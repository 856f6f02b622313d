"""What became of a person's last acts: a line for each above the next task, until it is over or taken away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import usher_engine
from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from usher_engine import Instance, Step
from usher_engine.accounts import FollowedAct, Role, Session
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException
from werkzeug.wrappers import Response

from .. import auth
from ..casework.act_following import follow, followed_acts
from ..casework.held_mails import HeldView, held_mails
from ..casework.patient_labels import Subject, subjects
from ..casework.visibility import may_work_on, visible_case
from ..site import site
from ..words.element_names import names_of
from ..words.outcome_words import Outcome, OutcomeKind, outcome_of

blueprint = Blueprint("outcomes", __name__, url_prefix="/outcomes")

#: Lines above a task; failures beyond them are shown too.
MOST_LINES = 3
#: How long a line stays once it is over, for who has no script; with one it goes by itself.
OVER_S = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomeLine:
    """One act and what has become of it. *since* is when that was."""

    act: FollowedAct
    instance: Instance
    patient: Subject | None
    outcome: Outcome
    since: datetime
    email: str = ""
    #: While its mail has not left: how to undo the act.
    held: HeldView | None = None

    @property
    def is_over(self) -> bool:
        return self.outcome.kind in (OutcomeKind.DONE, OutcomeKind.NOTE)

    @property
    def about(self) -> str:
        """The patient of this line, else what its case is called."""
        return about(self.instance, self.patient)


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """
    The lines of a page: every failure, every act that can be undone, and the newest others.

    *way* and *over* count those that are folded.
    """

    lines: tuple[OutcomeLine, ...]
    way: int = 0
    over: int = 0


def strip() -> Strip | None:
    """What the page shows; None without a line. Reads nothing for a person who follows nothing."""
    session: Session | None = g.get("session")
    if session is None or not session.account.followed or session.account.role is not Role.STAFF or g.get("fault"):
        return None
    newest = site().now() - timedelta(seconds=OVER_S)
    found = _lines(session.account.followed, until=newest)
    lines = [line for line in found if not line.is_over or line.since >= newest]
    first = [line for line in lines if line.outcome.kind is OutcomeKind.BAD or line.held]
    others = [line for line in lines if line not in first]
    room = max(MOST_LINES - len(first), 0)
    shown, folded = [*first, *others[:room]], others[room:]
    over = sum(line.is_over for line in folded)
    return Strip(lines=tuple(_by_time(shown)), way=len(folded) - over, over=over) if lines else None


@blueprint.get("")
@auth.policy(Role.STAFF)
def show() -> str:
    """What the person did today, and what has become of it."""
    today = site().settings.calendar.day_of
    acts = [act for act in auth.session().account.followed if today(act.at) == site().today()]
    return render_template("outcomes.html", lines=_lines(acts))


@blueprint.get("/strip")
@auth.policy(Role.STAFF)
def lines_alone() -> str:
    """The lines alone, fetched when one of their cases has changed."""
    return render_template("outcome_strip.html")


@blueprint.post("/<instance_id>/away")
@auth.policy(Role.STAFF)
def away(instance_id: str) -> Response:
    """Take a line away. What is wrong with the case stays in the inbox."""
    followed_acts().forget(auth.actor().name, instance_id)
    return _back()


@blueprint.post("/<instance_id>/again")
@auth.policy(Role.STAFF)
def again(instance_id: str) -> Response:
    """Try again what has stopped."""
    case = visible_case(instance_id)
    follow(site().engine.cases.retry(case.id, actor=auth.actor()), "It is being tried again.")
    return _back()


@blueprint.post("/<instance_id>/address")
@auth.policy(Role.STAFF)
def address(instance_id: str) -> Response | tuple[str, int]:
    """Correct the address that stopped a mail, and send it again."""
    case, email = visible_case(instance_id), request.form.get("email", "")
    try:
        after = site().enrollment.address_corrections.correct(case.id, email, actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        (line,) = _lines([FollowedAct(instance=case.id, revision=case.revision, done="", at=site().now())])
        return render_template("outcome_address.html", line=line, email=email, wrong=wrong.message), 422
    follow(after, "The e-mail was changed.")
    return _back()


def about(instance: Instance, patient: Subject | None) -> str:
    """The patient of a case by name, else what the case is called."""
    return patient.name if patient else instance.business_key or names_of(instance.id).process or instance.process


def _lines(acts: Collection[FollowedAct], *, until: datetime | None = None) -> list[OutcomeLine]:
    """
    The lines of *acts*, without those on cases that are gone or not the person's any more.

    With *until* also without those on cases that had ended well before: a page reads no history for them.
    """
    numbers = [act.instance for act in acts]
    found = site().engine.queries.instances_by_id(numbers)
    seen = site().engine.search.onlookers(numbers).seen_by(auth.actor()) if numbers else {}
    wanted = [
        (act, one)
        for act in acts
        if (one := found.get(act.instance)) and act.instance in seen and not _ended_before(one, until)
    ]
    patients = subjects(one.business_key for _, one in wanted)
    steps = site().engine.queries.steps_since({act.instance: act.revision for act, _ in wanted})
    held = {one.instance: one for one in held_mails()}
    lines = [_line(act, one, patients.get(one.business_key), steps[one.id]) for act, one in wanted]
    return [replace(line, held=held.get(line.instance.id)) for line in lines]


def _ended_before(instance: Instance, until: datetime | None) -> bool:
    return until is not None and instance.ended_at is not None and instance.ended_at < until


def _line(act: FollowedAct, instance: Instance, patient: Subject | None, steps: list[Step]) -> OutcomeLine:
    names = names_of(instance.id)
    task = next((one.title for one in instance.tasks if may_work_on(auth.actor(), one)), "")
    outcome = outcome_of(instance, steps, names, who=about(instance, patient), task=task)
    return OutcomeLine(
        act=act,
        instance=instance,
        patient=patient,
        outcome=outcome,
        since=steps[-1].at if steps else act.at,
        email=_email(patient) if outcome.is_mail else "",
    )


def _email(patient: Subject | None) -> str:
    here = site()
    return here.enrollment.patient(patient.id).fields(here.now(), here.settings)["email"] if patient else ""


def _by_time(lines: list[OutcomeLine]) -> list[OutcomeLine]:
    return sorted(lines, key=lambda line: line.act.at, reverse=True)


def _back() -> Response:
    """Redirect to the page the line stood on, if that can be opened; else to the inbox."""
    path = auth.referring_path()
    try:
        current_app.url_map.bind("").match(path, "GET")
    except (HTTPException, RoutingException):
        path = url_for("inbox.show")
    return redirect(path, 303)
