"""Tells open cases that a patient's portal status has changed: a task whose reason has gone closes or asks again."""

from __future__ import annotations

import logging

from ..cases.queries import Instance
from ..core.actor import SYSTEM
from ..core.errors import EngineError
from ..engine import Engine

log = logging.getLogger("usher.enrollment")

#: The message that a diagram may wait for, at a boundary event of a user task for example. Its payload: ``status``.
STATUS_CHANGED = "portal status changed"

#: Live cases of one patient; more there are not.
MOST = 50


def tell_status_changed(engine: Engine, patient: str, status: str) -> list[Instance]:
    """
    Deliver `STATUS_CHANGED` to every open case of *patient* that waits for it; call it after the change's commit.

    Each delivery is a step of its own by the system, in the history of its case. One that fails is logged and changes
    nothing else: what sends mail looks at the status once more before it does.
    """
    told = []
    for case in engine.queries.instances(business_key=patient, limit=MOST):
        if case.ended_at is None and any(wait.message == STATUS_CHANGED for wait in case.waits):
            try:
                payload = {"status": status}
                told.append(engine.incoming.deliver_message(STATUS_CHANGED, payload, actor=SYSTEM, instance=case.id))
            except EngineError as failure:
                log.warning("case %s was not told of a new portal status: %s", case.id, type(failure).__name__)
    return told
