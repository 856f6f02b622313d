"""The portal statuses of a patient, and how each looks at a glance."""

from __future__ import annotations

from enum import StrEnum


class PortalStatus(StrEnum):
    """Where a patient stands with the portal. Stored as text: an EHR may know statuses that are not listed here."""

    #: Nobody has invited the patient yet, or the response was removed.
    NOT_ENROLLED = "Not Enrolled"
    #: An invitation is out and not answered.
    PENDING = "Pending"
    #: The patient has accepted and has an account.
    COMPLETED = "Completed"
    #: The patient does not want an account.
    DECLINED = "Declined"
    #: The patient wants to decide later.
    DEFERRED = "Deferred"
    #: The account is locked, or the enrolment has run out.
    LOCKED = "Locked or Expired"
    #: The practice has switched the account off.
    DEACTIVATED = "Deactivated"
    #: The account was deleted.
    DELETED = "Account Deleted"
    #: The status is not known or could not be read just now.
    UNAVAILABLE = "Unavailable"


#: Statuses that are the patient's own answer and stand in the way of a new invitation.
RESPONSES = (PortalStatus.DECLINED.value, PortalStatus.DEFERRED.value)

#: Statuses another system may report. The others come about here: Pending with an invitation, the rest by an answer.
REPORTABLE = (
    PortalStatus.NOT_ENROLLED.value,
    PortalStatus.COMPLETED.value,
    PortalStatus.LOCKED.value,
    PortalStatus.DEACTIVATED.value,
    PortalStatus.DELETED.value,
    PortalStatus.UNAVAILABLE.value,
)

#: Statuses an invitation may be sent in, checked again at the moment of sending.
INVITABLE = (PortalStatus.NOT_ENROLLED.value, PortalStatus.PENDING.value)

_GLYPHS = {
    PortalStatus.NOT_ENROLLED: "empty",
    PortalStatus.PENDING: "waiting",
    PortalStatus.COMPLETED: "done",
    PortalStatus.DECLINED: "stopped",
    PortalStatus.DEFERRED: "later",
    PortalStatus.LOCKED: "locked",
    PortalStatus.DEACTIVATED: "stopped",
    PortalStatus.DELETED: "stopped",
    PortalStatus.UNAVAILABLE: "unknown",
}


def glyph(status: str) -> str:
    """The kind of sign shown beside *status*: empty, waiting, done, stopped, later, locked or unknown."""
    try:
        return _GLYPHS[PortalStatus(status)]
    except ValueError:
        return "unknown"
