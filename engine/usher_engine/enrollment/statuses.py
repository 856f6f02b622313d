"""The portal statuses of a patient, and the glyph of each."""

from __future__ import annotations

from enum import StrEnum


class PortalStatus(StrEnum):
    """A patient's portal status. Stored as text, because an EHR may have statuses that are not listed here."""

    #: The patient was not invited yet, or the response was removed.
    NOT_ENROLLED = "Not Enrolled"
    #: An invitation was sent and not answered.
    PENDING = "Pending"
    #: The patient has accepted and has an account.
    COMPLETED = "Completed"
    #: The patient does not want an account.
    DECLINED = "Declined"
    #: The patient wants to decide later.
    DEFERRED = "Deferred"
    #: The account is locked, or the enrolment has expired.
    LOCKED = "Locked or Expired"
    #: The practice has deactivated the account.
    DEACTIVATED = "Deactivated"
    #: The account was deleted.
    DELETED = "Account Deleted"
    #: The status is not known or could not be read just now.
    UNAVAILABLE = "Unavailable"


#: Statuses that are the patient's own answer and prevent a new invitation.
RESPONSES = (PortalStatus.DECLINED.value, PortalStatus.DEFERRED.value)

#: Statuses another system may report. Usher sets the others: Pending by an invitation, the rest by an answer.
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
    """The name of the sign shown with *status*: empty, waiting, done, stopped, later, locked or unknown."""
    try:
        return _GLYPHS[PortalStatus(status)]
    except ValueError:
        return "unknown"
