"""What administrators manage: accounts, API tokens, and which template fields carry a trigger. Shows no patients."""

from __future__ import annotations

import secrets

import usher_engine
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.enrollment import PROCESS
from werkzeug.wrappers import Response

from .. import auth
from ..proxies import unknown_proxy
from ..site import site
from ..words.person_names import profiles
from ..words.presentation import joined
from ..words.substitute_choice import end_substitute, name_substitute, substitute_choice, why_refused

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

Page = str | tuple[str, int]
#: Errors that refuse a form; the page is shown again with the reason.
REFUSALS = (usher_engine.InvalidSubmission, usher_engine.Conflict, usher_engine.NotFound)


@blueprint.get("/people")
@auth.policy(Role.ADMIN)
def people() -> str:
    return _people()


@blueprint.post("/people")
@auth.policy(Role.ADMIN)
def add_person() -> Page:
    """Add an account with a generated password, shown once; the administrator passes it on in private."""
    name, password = request.form.get("name", ""), _new_password()
    try:
        role = Role.parse(request.form.get("role", ""))
        account = site().accounts.add_user(name, password, role=role, groups=_groups(), by=auth.actor().name)
    except REFUSALS as refused:
        return _people(refused=refused), 422
    return _people(shown=(account.name, password))


@blueprint.get("/people/<name>")
@auth.policy(Role.ADMIN)
def person(name: str) -> str:
    return _person(name)


@blueprint.post("/people/<name>")
@auth.policy(Role.ADMIN)
def change_person(name: str) -> Page | Response:
    """Change role and groups; their sessions end, so that the change takes effect at once."""
    before = site().accounts.user(name)
    try:
        role = Role.parse(request.form.get("role", ""))
        account = site().accounts.change_rights(name, role=role, groups=_groups(), by=auth.actor().name)
    except (usher_engine.InvalidSubmission, usher_engine.Conflict, usher_engine.NotAllowed) as refused:
        return _person(name, refused=refused), 422
    groups = joined(sorted(account.groups)) if account.groups else "no group"
    changed = "Their sessions have ended." if account != before else "That was so before; nothing was changed."
    auth.say(f"{name}: {account.role.value}, {groups}. {changed}")
    return redirect(url_for("admin.person", name=name), 303)


@blueprint.post("/people/<name>/name")
@auth.policy(Role.ADMIN)
def name_person(name: str) -> Page | Response:
    """Change the name colleagues see; the account's name, which the history records, never changes."""
    try:
        account = profiles().set_display_name(name, request.form.get("display_name", ""), actor=auth.actor())
    except (usher_engine.InvalidSubmission, usher_engine.Conflict) as refused:
        return _person(name, name_refused=refused.message), 422
    auth.say(f"Colleagues see {name} as {account.shown_name}.")
    return redirect(url_for("admin.person", name=name), 303)


@blueprint.post("/people/<name>/password")
@auth.policy(Role.ADMIN)
def reset_password(name: str) -> Page:
    password = _new_password()
    try:
        site().accounts.set_password(name, password, by=auth.actor().name)
    except REFUSALS as refused:
        return _people(refused=refused), 422
    return _people(shown=(name, password))


@blueprint.post("/people/<name>/disabled")
@auth.policy(Role.ADMIN)
def disable_person(name: str) -> Page | Response:
    disabled = request.form.get("disabled") == "yes"
    if disabled and name == auth.actor().name:
        own = usher_engine.InvalidSubmission("You cannot disable the account you are signed in with.")
        return _people(refused=own), 422
    try:
        site().accounts.disable(name, disabled=disabled, by=auth.actor().name)
    except REFUSALS as refused:
        return _people(refused=refused), 422
    auth.say(f"{name} can no longer sign in." if disabled else f"{name} can sign in again.")
    return redirect(url_for("admin.people"), 303)


@blueprint.post("/people/<name>/release")
@auth.policy(Role.ADMIN)
def release_claims(name: str) -> Page | Response:
    """Give every task that *name* has claimed back to its group: they are away, or have left."""
    site().accounts.user(name)
    try:
        number = site().engine.claims.release_all(name, request.form.get("reason", ""), actor=auth.actor())
    except usher_engine.InvalidSubmission as refused:
        return _person(name, unsaid=refused.fields.get("reason", refused.message)), 422
    auth.say(f"{number} task{' is' if number == 1 else 's are'} free for others again.")
    return redirect(url_for("admin.person", name=name), 303)


@blueprint.post("/people/<name>/substitutes")
@auth.policy(Role.ADMIN)
def name_substitute_of(name: str) -> Page | Response:
    """Let a colleague stand in for somebody who is away and did not say so themselves."""
    try:
        auth.say(name_substitute(name, actor=auth.actor()))
    except (usher_engine.InvalidSubmission, usher_engine.Conflict) as refused:
        return _person(name, substitute_errors=why_refused(refused)), 422
    return redirect(f"{url_for('admin.person', name=name)}#substitutes-title", 303)


@blueprint.post("/people/<name>/substitutes/<int:number>/end")
@auth.policy(Role.ADMIN)
def end_substitute_of(name: str, number: int) -> Response:
    auth.say(end_substitute(number, name, actor=auth.actor()))
    return redirect(f"{url_for('admin.person', name=name)}#substitutes-title", 303)


@blueprint.get("/tokens")
@auth.policy(Role.ADMIN)
def tokens() -> str:
    return _tokens()


@blueprint.post("/tokens")
@auth.policy(Role.ADMIN)
def add_token() -> Page:
    name = request.form.get("name", "")
    try:
        role = Role.parse(request.form.get("role", ""))
        secret = site().accounts.add_token(name, role=role, groups=_groups(), by=auth.actor().name)
    except REFUSALS as refused:
        return _tokens(refused=refused), 422
    return _tokens(shown=(name, secret))


@blueprint.post("/tokens/<name>/revoke")
@auth.policy(Role.ADMIN)
def revoke_token(name: str) -> Response:
    site().accounts.revoke_token(name, by=auth.actor().name)
    auth.say(f"The token {name} no longer works.")
    return redirect(url_for("admin.tokens"), 303)


@blueprint.get("/triggers")
@auth.policy(Role.ADMIN)
def triggers() -> str:
    return _triggers()


@blueprint.post("/triggers")
@auth.policy(Role.ADMIN)
def set_trigger() -> Page | Response:
    """Put the trigger on a field, with an action and the process it starts; an empty action removes it."""
    template, field = request.form.get("template", ""), request.form.get("field", "")
    action, process = request.form.get("action", "") or None, request.form.get("process", "") or PROCESS
    try:
        site().enrollment.set_trigger(template, field, action, process=process, actor=auth.actor())
    except REFUSALS as refused:
        return _triggers(refused=refused), 422
    auth.say("The trigger was set." if action else "The trigger was taken off.")
    return redirect(url_for("admin.triggers"), 303)


def _people(**shown: object) -> str:
    users = site().accounts.users()
    lists = {"users": users, "roles": list(Role), "unknown_proxy": unknown_proxy(current_app)}
    return render_template("admin_people.html", sent=request.form, **lists, **shown)


def _person(name: str, substitute_errors: dict[str, str] | None = None, **shown: object) -> str:
    """What a change would mean is said before it is made: the tasks they see and have claimed, the open sessions."""
    account = site().accounts.user(name)
    facts = {
        "account": account,
        "roles": list(Role),
        "own": name == auth.actor().name,
        "sessions": site().accounts.live_sessions(name),
        "tasks": site().engine.inbox.count_each(auth.acting(account)) if account.role is Role.STAFF else None,
        "groups": request.form.get("groups") or ", ".join(sorted(account.groups)),
        "role": request.form.get("role") or account.role.value,
        "display_name": request.form.get("display_name", account.display_name),
        "address": profiles().address(name),
        "choice": substitute_choice(account, substitute_errors),
    }
    return render_template("admin_person.html", **facts, **shown)


def _tokens(**shown: object) -> str:
    found = site().accounts.tokens()
    return render_template("admin_tokens.html", tokens=found, roles=list(Role), sent=request.form, **shown)


def _triggers(**shown: object) -> str:
    names = {version.process: version.name for version in reversed(site().engine.versions.all())}
    processes = sorted(({PROCESS: PROCESS} | names).items(), key=lambda named: named[1].lower())
    lists = {"templates": site().enrollment.templates(), "processes": processes, "names": names}
    return render_template("admin_triggers.html", sent=request.form, **lists, **shown)


def _groups() -> list[str]:
    return request.form.get("groups", "").split(",")


def _new_password() -> str:
    return secrets.token_urlsafe(12)
