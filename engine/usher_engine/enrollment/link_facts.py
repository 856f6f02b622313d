"""The names of facts about links and answers in the history of a case, and who makes those that patients make."""

from __future__ import annotations

from ..core.actor import Actor

PATIENT = Actor(name="patient", role="patient")

#: The first is the name that the EHR uses.
RESPONSE_ADDED = "Patient Enrollment Response Added"
RESPONSE_REFUSED = "Patient Enrollment Response Refused"
OPTED_OUT = "Email Opt Out Added"
LOCKED = "Enrollment Link Locked"
EXPIRED = "Enrollment Link Expired"
WITHDRAWN = "Invitation Withdrawn"
ASKED = "New Invitation Asked For"

#: The facts whose details may have a ``status``: the portal status they set.
SETS_STATUS = frozenset({LOCKED, EXPIRED, WITHDRAWN})
