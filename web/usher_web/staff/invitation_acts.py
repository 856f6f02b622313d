"""What staff do about an invitation that is on its way or out: undo it while it is held, withdraw it afterwards."""

from __future__ import annotations

import usher_engine
from flask import Blueprint, redirect, url_for
from usher_engine.accounts import Role
from werkzeug.wrappers import Response

from .. import auth
from ..casework.visibility import may_work_on, visible_case
from ..site import site

blueprint = Blueprint("invitations", __name__, url_prefix="/invitations")


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
