"""“Send to me”: the mail as it is typed, to the confirmed address of the person who writes it."""

from __future__ import annotations

import usher_engine
from flask import Blueprint, redirect, request, url_for
from usher_engine.accounts import Role
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from .. import audit_logging, auth
from ..site import site
from ..words.person_names import profiles

blueprint = Blueprint("samples", __name__)

#: Samples that one person may send themselves in `WINDOW_S` seconds.
MAILS, WINDOW_S = 20, 600


@blueprint.post("/processes/<process>/mail/send-to-me")
@auth.policy(Role.ANALYST)
def send_to_me(process: str) -> Response:
    """Send ``text``, the mail ``path`` of the draft, filled for a patient who does not exist; says how that went."""
    path, text = request.form.get("path", ""), request.form.get("text", "")
    package = site().engine.drafts.package(process)
    if path not in package.files:
        raise usher_engine.NotFound(f"The draft has no file {path}.")
    name = auth.actor().name
    address = profiles().address(name).address
    if not address:
        auth.say_failed("Nothing was sent: confirm an e-mail address on your profile first.")
        return redirect(url_for("profile.show"), 303)
    if not site().accounts.hit(f"sample-mail|{name}", MAILS, WINDOW_S):
        raise TooManyRequests("You have sent yourself many samples. Wait ten minutes; the preview always works.")
    try:
        site().enrollment.staff_mail.send_sample(address, path, text.replace("\r\n", "\n"), now=site().now())
    except usher_engine.EngineError as failed:
        auth.say_failed(f"The sample did not go out. {failed.message}")
    else:
        audit_logging.record("SampleMailSent", {"process": process}, subject=path)
        auth.say(f"A sample of {path} is on its way to {address}.")
    return redirect(url_for("modeler.file", process=process, path=path), 303)
