"""The demo's mailbox: what the mail catcher took in instead of sending it. It exists only with `usher demo`."""

from __future__ import annotations

from flask import Blueprint, render_template

from .. import auth
from ..site import site

blueprint = Blueprint("outbox", __name__, url_prefix="/demo/outbox")


@blueprint.get("")
@auth.public
def show() -> str:
    catcher = site().outbox
    return render_template("outbox.html", mails=catcher.mails() if catcher else [])
