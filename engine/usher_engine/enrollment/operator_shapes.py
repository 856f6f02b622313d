"""The shapes of what the enrolment's operators take and give."""

from __future__ import annotations

from ..core.shapes import boolean, list_of, nullable, number, record, text
from .invitations import LinkState
from .patient_fields import FIELDS
from .statuses import RESPONSES, PortalStatus

_STATUSES = [status.value for status in PortalStatus]
_MOMENT = text(form="date-time")

STATUS = text("Portal status", known=_STATUSES, description="An EHR may report others, which are kept as they are.")

_RESPONSE = record(
    {
        "status": text("The answer", enum=RESPONSES),
        "at": text("When it was given", form="date-time"),
        "until": nullable(text("Deferred until", form="date")),
    },
    title="The patient's answer in force",
)

#: The newest invitation's link, as `patient/load` gives it.
LINK_OF_PATIENT = record(
    {
        "state": text("What has become of it", enum=tuple(state.value for state in LinkState)),
        "sent_at": nullable(text("When its mail was sent", form="date-time")),
        "opened_at": nullable(text("When it was opened first", form="date-time")),
        "wrong_tries": number("Wrong tries to identify", whole=True),
        "locked_at": nullable(text("When it was locked", form="date-time")),
        "expires_at": text("When it expires", form="date-time"),
        "asked_at": nullable(text("When the patient last asked for a new one", form="date-time")),
    },
    title="The link in the newest invitation",
    description="only while the patient is Pending or Locked or Expired; null otherwise",
)

#: The fields of a patient, each as text, empty where the record has none.
FIELDS_OF_PATIENT = record(
    {key: one.shape for key, one in FIELDS.items()}, title="What the record says of the person"
)

#: What `patient/load` gives.
PATIENT = record(
    {
        "id": text("Id of the patient"),
        "status": STATUS,
        "guard": nullable(text("Why the patient must not be invited", description="null if nothing stands against it")),
        "requested_at": nullable(text("When the enrolment was requested", form="date-time")),
        "requested_by": nullable(text("Who requested it")),
        "sends": number("How many invitations were sent", whole=True),
        "response": nullable(_RESPONSE),
        "fields": FIELDS_OF_PATIENT,
        "version": number("Version of the record", whole=True),
        "link": nullable(LINK_OF_PATIENT),
    },
    optional=("link",),
    title="The patient",
)

MISSING = record({
    "keys": list_of(text(), title="Keys of the fields that are missing"),
    "labels": list_of(text(), title="Their labels"),
    "text": text("The labels in a sentence", description="for example “e-mail and ZIP code”; empty if none is missing"),
})

#: What `patient/update` takes: any of the patient's fields that can be corrected.
CORRECTION = record({key: nullable(one.shape) for key, one in FIELDS.items() if one.write}, optional=tuple(FIELDS))
CORRECTED = record({
    "changed": list_of(text(), title="Keys of the fields that were changed"),
    "version": number("Version of the record", whole=True),
})

REMOVED = record({
    "removed": record({
        "status": text("The answer that was removed", enum=("", *RESPONSES), description="empty if there was none"),
        "at": nullable(_MOMENT),
        "until": nullable(text(form="date")),
    }),
    "status": STATUS,
})

REOPENED = record({"reopened": boolean("Whether it was Locked or Expired"), "status": STATUS})

_MAIL = {
    "message_id": text("Message-ID of the mail"),
    "sent_at": text("When it was sent", form="date-time"),
    "expires_at": text("When its link expires", form="date-time"),
    "to": text("The address it went to"),
    "template": text("The template it was made from"),
    "language": text("The language it was written in", description="a tag of BCP 47, such as es; und: not known"),
}
_RECIPIENTS = {
    "recipients": number("How many members of a group it went to", whole=True, description="only of a mail to a group")
}

#: What `invitation/send` gives.
INVITATION = record(_MAIL, optional=("template", "language"))
#: The mail with the patient's link, from `invitation/send` or `mail/send`.
SENT_INVITATION = record({**_MAIL, **_RECIPIENTS}, optional=("template", "language", "recipients"))

#: What `mail/send` gives.
MAIL = record({
    **_MAIL,
    "expires_at": text("When its link expires", form="date-time", description="only of a mail with a link"),
    "to": text("The address or the group it went to"),
    **_RECIPIENTS,
}, optional=("expires_at", "recipients"))

#: The state of an invitation of which nothing is stored, for example because its case was purged.
UNKNOWN_LINK = "unknown"

#: What `invitation/look-up` gives.
LINK = record({
    "state": text("What has become of its link", enum=(*(state.value for state in LinkState), UNKNOWN_LINK)),
    "sent_at": nullable(text("When it was sent", form="date-time")),
    "expires_at": nullable(text("When its link expires", form="date-time")),
})

REQUESTED = record({"status": STATUS, "requested_at": text("When the enrolment was requested", form="date-time")})
