"""Where administrators see which operators diagrams may call, what package each comes from, and what is put aside."""

from __future__ import annotations

from flask import Blueprint, render_template
from usher_engine.accounts import Role

from .. import auth
from ..site import site

blueprint = Blueprint("installed_operators", __name__, url_prefix="/admin")


@blueprint.get("/operators")
@auth.policy(Role.ADMIN)
def listed() -> str:
    """The operators of installed packages first, then Usher's own; and hosts, with the names of their secrets."""
    services, settings = site().engine.services, site().settings
    return render_template(
        "admin_operators.html",
        operators=sorted(services, key=lambda one: (one.origin is None, one.name)),
        refused_ones=services.refused,
        hosts=settings.web_hosts,
        secrets=settings.web_secrets,
    )
