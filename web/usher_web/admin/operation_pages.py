"""Where administrators resume or end stopped cases and pause processes. Shows no patients."""

from __future__ import annotations

from dataclasses import dataclass

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine import Instance
from usher_engine.accounts import Role
from usher_engine.authoring import EVERY, Pause, Version
from usher_engine.cases import Repaired
from usher_engine.core import whole_number
from werkzeug.wrappers import Response

from .. import audit_logging, auth
from ..site import site
from ..words.case_narrative import Names
from ..words.element_names import names_of

blueprint = Blueprint("operating", __name__, url_prefix="/admin")

Page = str | tuple[str, int]
AT_ONCE = 50


@blueprint.get("/cases")
@auth.policy(Role.ADMIN)
def cases() -> Page | Response:
    """The stopped cases, newest first, and a search for any other by its number."""
    number = request.args.get("number", "").strip()
    if number:
        found = site().engine.queries.instances(numbered=number, limit=2)
        if len(found) == 1:
            return redirect(url_for("operating.case", instance_id=found[0].id))
    stopped = site().engine.queries.instances(status="incident", limit=AT_ONCE)
    page = render_template("admin_cases.html", stopped=stopped, number=number, at_once=AT_ONCE)
    return (page, 404) if number else page


@blueprint.get("/cases/<instance_id>")
@auth.policy(Role.ADMIN)
def case(instance_id: str) -> str:
    return _case(_viewed_case(instance_id))


@blueprint.post("/cases/<instance_id>/retry")
@auth.policy(Role.ADMIN)
def retry(instance_id: str) -> Response:
    after = site().engine.cases.retry(_viewed_case(instance_id).id, actor=auth.actor())
    if after.incident:
        auth.say_failed("It stopped again; the reason is below.")
    else:
        auth.say("It is being tried again.")
    return redirect(url_for("operating.case", instance_id=after.id), 303)


@blueprint.post("/cases/<instance_id>/cancel")
@auth.policy(Role.ADMIN)
def cancel(instance_id: str) -> Page | Response:
    found = _viewed_case(instance_id)
    try:
        site().engine.cases.cancel(found.id, request.form.get("reason", ""), actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        return _case(found, wrong.fields), 422
    auth.say("The case was cancelled.")
    return redirect(url_for("operating.case", instance_id=found.id), 303)


@blueprint.post("/cases/<instance_id>/repair")
@auth.policy(Role.ADMIN)
def repair(instance_id: str) -> Page | Response:
    """Show what a repair would do; do it when ``confirmed`` is sent, by the button shown next to it."""
    found, confirmed = _viewed_case(instance_id), request.form.get("confirmed") == "yes"
    seen = whole_number(request.form.get("revision", ""))
    try:
        done = site().engine.repairs.repair(found.id, actor=auth.actor(), dry_run=not confirmed, revision=seen)
    except (usher_engine.Conflict, usher_engine.Corrupt) as refused:
        return _case(found, unrepaired=refused.message), 409
    if not confirmed:
        return _case(found, tried=done)
    auth.say("The case was repaired.")
    return redirect(url_for("operating.case", instance_id=found.id), 303)


def _viewed_case(instance_id: str) -> Instance:
    found = site().engine.instance(instance_id)
    audit_logging.record_view("CaseViewed", found.id, business_key=found.business_key)
    return found


def _case(
    found: Instance, errors: dict[str, str] | None = None, *, tried: Repaired | None = None, unrepaired: str = ""
) -> str:
    names = names_of(found.id)
    sentences = _repair_sentences(tried, names) if tried else None
    at, waits = [names.of(element) for element in found.at], [(names.of(wait.element), wait) for wait in found.waits]
    paused = None if found.ended_at else site().engine.pauses.in_force(found.process, found.version)
    return render_template(
        "admin_case.html",
        case=found,
        at=at,
        waits=waits,
        paused=paused,
        errors=errors or {},
        tried=sentences,
        unrepaired=unrepaired,
    )


def _repair_sentences(tried: Repaired, names: Names) -> list[str]:
    """Sentences that describe what a repair would do."""
    parted = f"From step {tried.parted} on, the diagram leads another way than the history says."
    sentences = [
        parted if tried.parted else "The diagram leads the way the history says; only the stored state is replaced."
    ]
    for what, elements in (("Opens", tried.opened), ("Closes", tried.closed)):
        if elements:
            sentences.append(f"{what}: {', '.join(map(names.of, elements))}.")
    return sentences


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One version in the list of processes, or a process as a whole (`EVERY`)."""

    process: str
    version: int
    in_force: bool = False
    cases: int
    pause: Pause | None
    #: A pause of all versions also pauses this one.
    held: bool = False


@blueprint.get("/processes")
@auth.policy(Role.ADMIN)
def processes() -> str:
    return _processes()


@blueprint.post("/processes/<process>/pause")
@auth.policy(Role.ADMIN)
def pause(process: str) -> Page | Response:
    try:
        made = site().engine.pauses.pause(process, _reason(), actor=auth.actor(), version=_version())
    except usher_engine.InvalidSubmission as refused:
        return _processes(refused), 422
    except usher_engine.Conflict as refused:
        return _processes(refused), 409
    auth.say(f"{made.what} is paused.")
    return redirect(url_for("operating.processes"), 303)


@blueprint.post("/processes/<process>/resume")
@auth.policy(Role.ADMIN)
def resume(process: str) -> Page | Response:
    try:
        freed = site().engine.pauses.resume(process, _reason(), actor=auth.actor(), version=_version())
    except usher_engine.InvalidSubmission as refused:
        return _processes(refused), 422
    held = f" Usher now does what was held back: {freed} job{'' if freed == 1 else 's'}." if freed else ""
    auth.say(f"It goes on.{held}")
    return redirect(url_for("operating.processes"), 303)


def _reason() -> str:
    return request.form.get("reason", "")


def _version() -> int:
    number = whole_number(request.form.get("version", ""))
    if number is None:
        words = "Say which version: its number, or 0 for all of them."
        raise usher_engine.InvalidSubmission(words, fields={"version": words})
    return number


def _processes(refused: usher_engine.EngineError | None = None) -> str:
    every: dict[str, list[Version]] = {}
    for version in site().engine.versions.all():
        every.setdefault(version.process, []).append(version)
    paused = {(one.process, one.version): one for one in site().engine.pauses.all()}
    lines = [line for process, versions in every.items() for line in _lines(process, versions, paused)]
    return render_template("admin_processes.html", lines=lines, refused=refused, every=EVERY)


def _lines(process: str, versions: list[Version], paused: dict[tuple[str, int], Pause]) -> list[Line]:
    """The process as a whole, then its versions that are in force, paused or in use by cases."""
    live = site().engine.migrations.live_versions(process)
    whole = Line(process=process, version=EVERY, cases=sum(live.values()), pause=paused.get((process, EVERY)))
    shown = [v.number for v in versions if v is versions[0] or live.get(v.number) or (process, v.number) in paused]
    return [
        whole,
        *(
            Line(
                process=process,
                version=number,
                in_force=number == versions[0].number,
                cases=live.get(number, 0),
                pause=paused.get((process, number)),
                held=whole.pause is not None,
            )
            for number in shown
        ),
    ]
