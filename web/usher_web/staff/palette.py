"""What Ctrl K finds from any page: patients, and their open tasks. The actions stand in the page already."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, render_template, request, url_for
from usher_engine.accounts import Role
from usher_engine.cases import TaskFilter, TaskPage

from .. import auth
from ..casework.patient_labels import describe
from ..site import site
from .list_query import ListQuery
from .task_list import rows_of, with_text

blueprint = Blueprint("palette", __name__, url_prefix="/palette")

#: How many of each kind are offered.
MOST = 6


@blueprint.get("")
@auth.policy(Role.STAFF)
def find() -> str:
    text = " ".join(request.args.get("q", "").split())[:200]
    records = site().enrollment.patients(text, limit=MOST) if text else []
    actor, inbox = auth.actor(), site().engine.inbox
    wanted = with_text(TaskFilter(), text, []) if text else None
    tasks = inbox.page(actor, wanted, TaskPage(limit=MOST)) if wanted else []
    return render_template(
        "palette_found.html",
        patients=[describe(record) for record in records],
        tasks=rows_of(tasks, actor),
        in_all=inbox.count(actor, wanted) if wanted else 0,
        all_url=f"{url_for('inbox.show')}?{replace(ListQuery(), text=text).query()}",
    )
