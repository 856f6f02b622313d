"""The enrolment's figures for reports, in addition to its diagram: invited, answered, language of the patient."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from ..reporting import Figures
from ..reporting.tally import TimedEvent
from ..store import Transaction
from .enrollment import Enrollment
from .link_facts import RESPONSE_ADDED
from .statuses import PortalStatus

#: The operator whose success is an invitation.
SEND = "invitation/send"

#: In the order in which patients reach them; every case begins with “start”. An answer is one of the last three.
MILESTONES = ("start", "invited", "answered", "completed", "declined", "deferred")
_ANSWERS = {
    PortalStatus.COMPLETED.value: "completed",
    PortalStatus.DECLINED.value: "declined",
    PortalStatus.DEFERRED.value: "deferred",
}


def open_figures(enrollment: Enrollment) -> Figures:
    """The figures of the enrolment's cases."""

    def languages(tx: Transaction, patients: Collection[str]) -> Mapping[str, str]:
        """The preferred language of each patient (BCP 47); those without one are left out."""
        now = enrollment.engine.clock()
        found = enrollment.registry.load_all(tx, sorted(patients), now=now)
        spoken = {record.id: record.fields(now, enrollment.settings)["language"] for record in found}
        return {patient: language for patient, language in spoken.items() if language}

    return Figures(enrollment.engine.database, enrollment.settings, milestones, languages)


def milestones(events: Sequence[TimedEvent]) -> dict[str, datetime]:
    """When the mail server accepted the first invitation, and when the patient answered; the last answer counts."""
    reached: dict[str, datetime] = {}
    sending: set[object] = set()
    for at, event in events:
        here = (event.get("element"), event.get("visit"))
        if event.get("kind") == "ServiceRequested" and event.get("operator") == SEND:
            sending.add(here)
        elif event.get("kind") == "ServiceCompleted" and here in sending:
            reached.setdefault("invited", at)
        elif event.get("kind") == "FactRecorded" and event.get("name") == RESPONSE_ADDED:
            details = event.get("details")
            answer = _ANSWERS.get(str(details.get("response"))) if isinstance(details, dict) else None
            if answer:
                reached = {name: when for name, when in reached.items() if name not in _ANSWERS.values()}
                reached.setdefault("answered", at)
                reached[answer] = at
    return reached
