"""What staff do about an invitation that is on its way or out: undo it while it is held, withdraw it afterwards."""

from __future__ import annotations

import usher_engine
from flask import Blueprint, redirect, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.enrollment import Invitation
from werkzeug.wrappers import Response

from .. import audit_logging, auth
from ..casework.patient_labels import describe
from ..casework.visibility import may_work_on, visible_case
from ..site import site

blueprint = Blueprint("invitations", __name__, url_prefix="/invitations")

#: The reasons to choose from; for the last one words are needed.
ELSE = "else"
REASONS = {
    "wrong-person": "It went to the wrong person",
    "asked": "The patient asked for it",
    ELSE: "Something else",
}


@blueprint.post("/undo/<instance_id>/<int:revision>")
@auth.policy(Role.STAFF)
def undo(instance_id: str, revision: int) -> Response:
    """Undo the act that sends a mail, and go to the task that is open again; or say that it is too late."""
    case = visible_case(instance_id)
    try:
        after = site().engine.undos.undo(case.id, revision, actor=auth.actor())
    except (usher_engine.Conflict, usher_engine.NotAllowed) as lost:
        auth.say_failed(lost.message)
        return redirect(url_for("cases.case", instance_id=case.id), 303)
    mine = [task for task in after.tasks if may_work_on(auth.actor(), task)]
    if mine:
        auth.say(f"Nothing was sent. {mine[0].title} is open again, with what you typed.")
        return redirect(f"{url_for('inbox.task', task_id=mine[0].id)}#task", 303)
    auth.say("Nothing was sent. The case was ended.")
    return redirect(url_for("cases.case", instance_id=case.id), 303)


@blueprint.get("/<patient_id>/withdraw")
@auth.policy(Role.STAFF)
def ask_withdrawal(patient_id: str) -> str:
    return _withdrawal(patient_id, request.args.get("mail", ""))


@blueprint.post("/<patient_id>/withdraw")
@auth.policy(Role.STAFF)
def withdraw(patient_id: str) -> Response | tuple[str, int]:
    """Withdraw the invitation that the page showed, not a newer one that has left meanwhile."""
    mail, why = request.form.get("mail", ""), request.form.get("why", "")
    words = request.form.get("reason", "")
    link = _link(patient_id, mail)
    try:
        site().enrollment.links.withdraw(link.message_id, _reason(why, words), actor=auth.actor())
    except usher_engine.InvalidSubmission as wrong:
        return _withdrawal(patient_id, mail, errors=wrong.fields, said=why, words=words), 422
    except usher_engine.Conflict as late:
        auth.say_failed(late.message)
    else:
        auth.say("The invitation was withdrawn. Its link does not work any more, and the patient can be invited again.")
    return redirect(url_for("triggers.patient", patient_id=patient_id), 303)


def _reason(why: str, words: str) -> str:
    """The reason as one sentence: the one chosen, and what was written; raises for none."""
    words = words.strip()
    if why not in REASONS:
        raise usher_engine.InvalidSubmission("Choose why.", fields={"why": "Choose one of the reasons."})
    if why == ELSE:
        return words
    return f"{REASONS[why]}. {words}" if words else f"{REASONS[why]}."


def _withdrawal(patient_id: str, mail: str, **given: object) -> str:
    link = _link(patient_id, mail)
    person = describe(site().enrollment.patient(patient_id))
    audit_logging.record_view("PatientViewed", person.id, business_key=person.id)
    blank = {"errors": {}, "said": "", "words": ""}
    return render_template("withdraw.html", patient=person, link=link, reasons=REASONS, **{**blank, **given})


def _link(patient_id: str, mail: str) -> Invitation:
    """The invitation of this patient in the mail with this Message-ID; raises `NotFound`."""
    found = next((one for one in site().enrollment.invitations(patient_id) if one.message_id == mail), None)
    if found is None:
        raise usher_engine.NotFound("There is no such invitation of this patient.")
    return found
