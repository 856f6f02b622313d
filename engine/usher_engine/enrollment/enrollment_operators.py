"""The service operators of the enrolment. Their names and shapes (`operator_shapes`) are public and must stay.

These run in the step: DERIVED, READ and WRITE. `mail_operators` has those that send mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..core.canonical import Json
from ..core.errors import NotFound, ServiceError
from ..core.visible_text import trimmed
from ..forms import deployed_form
from ..services import Call, Mode, Operator, Parameter
from ..settings import Settings
from ..store import Database, from_text, to_text
from . import invitations, operator_shapes, portal_status
from .mail_operators import Mailing, mail_operators
from .operator_shapes import UNKNOWN_LINK
from .patient_directory import Correction, PatientDirectory, unavailable
from .patient_fields import in_sentence
from .patient_recall import PatientRecall
from .smtp import Sender
from .statuses import PortalStatus
from .timestamps import iso, iso_or_none

_PATIENT = Parameter(name="patient_id", help="id of the patient")
#: The data that sending an invitation depends on, and that recording it changes.
_BOTH = frozenset({"patient", "invitation"})


#: The statuses in which staff ask what has become of the link; in others nobody pays for looking.
_LINK_COUNTS = (PortalStatus.PENDING.value, PortalStatus.LOCKED.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolling:
    """The implementations of the operators; `operators` lists them."""

    settings: Settings
    directory: PatientDirectory

    def load(self, given: Mapping[str, Any], call: Call) -> Json:
        try:
            record = self.directory.load(call.transaction, given["patient_id"], now=call.now)
        except (NotFound, ServiceError):
            return unavailable(given["patient_id"]).to_json(call.now, self.settings)
        counts = record.sends > 0 and record.status in _LINK_COUNTS
        newest = invitations.newest_of(call.transaction, record.id) if counts else None
        return {**record.to_json(call.now, self.settings), "link": newest.to_json(call.now) if newest else None}

    def look_up_invitation(self, given: Mapping[str, Any], call: Call) -> Json:
        found = invitations.find_by_message(call.transaction, given["message_id"])
        if found is None:
            return {"state": UNKNOWN_LINK, "sent_at": None, "expires_at": None}
        state = found.state(call.now).value
        return {"state": state, "sent_at": iso_or_none(found.sent_at), "expires_at": iso(found.expires_at)}

    def update(self, given: Mapping[str, Any], call: Call) -> Json:
        correction = self.directory.update(
            call.transaction, given["patient_id"], given["values"], by=call.actor, now=call.now
        )
        if correction.changed:
            call.remember({"patient_id": given["patient_id"], "correction": asdict(correction)})
        return {"changed": list(correction.changed), "version": correction.version}

    def undo_update(self, note: Json, call: Call) -> Json:
        kept: Any = note
        correction = Correction(**{**kept["correction"], "changed": tuple(kept["correction"]["changed"])})
        version = self.directory.put_back(
            call.transaction, kept["patient_id"], correction, by=call.actor, now=call.now
        )
        return {"changed": list(correction.changed), "version": version}

    def remove_response(self, given: Mapping[str, Any], call: Call) -> Json:
        reason = trimmed(given["reason"])
        if not reason:
            raise ServiceError("Removing a patient's response needs a reason.", retry=False)
        removed = portal_status.remove_response(
            call.transaction,
            given["patient_id"],
            reason=reason,
            by=call.actor,
            now=call.now,
        )
        if removed is None:
            status = self.directory.load(call.transaction, given["patient_id"], now=call.now).status
            return {"removed": {"status": "", "at": None, "until": None}, "status": status}
        call.remember(
            {
                "patient_id": given["patient_id"],
                "status": removed.status,
                "since": to_text(removed.at),
                "removed_at": to_text(call.now),
            }
        )
        return {"removed": removed.to_json(), "status": PortalStatus.NOT_ENROLLED.value}

    def undo_removal(self, note: Json, call: Call) -> Json:
        kept: Any = note
        portal_status.restore_response(
            call.transaction,
            kept["patient_id"],
            kept["status"],
            since=kept["since"],
            removed_at=from_text(kept["removed_at"]),
            by=call.actor,
            now=call.now,
        )
        return {"status": kept["status"]}

    def reopen(self, given: Mapping[str, Any], call: Call) -> Json:
        tx, patient = call.transaction, given["patient_id"]
        since = portal_status.reopen(tx, patient, by=call.actor, now=call.now)
        if since is not None:
            call.remember({"patient_id": patient, "since": to_text(since), "reopened_at": to_text(call.now)})
        status = self.directory.load(tx, patient, now=call.now).status
        return {"reopened": since is not None, "status": status}

    def undo_reopening(self, note: Json, call: Call) -> Json:
        kept: Any = note
        portal_status.close_again(
            call.transaction,
            kept["patient_id"],
            since=from_text(kept["since"]),
            reopened_at=from_text(kept["reopened_at"]),
            by=call.actor,
            now=call.now,
        )
        return {"status": PortalStatus.LOCKED.value}

    def record_pending(self, given: Mapping[str, Any], call: Call) -> Json:
        tx, patient = call.transaction, given["patient_id"]
        portal_status.hold(tx, patient)
        message = given["invitation"].get("message_id")
        sent = invitations.revoke_others(tx, patient, str(message), call.now)
        status, requested_at = portal_status.record_request(
            tx,
            patient,
            answered=sent is not None and sent.used_at is not None,
            by=call.actor,
            requested_by=given.get("requested_by") or call.actor,
            now=call.now,
        )
        return {"status": status, "requested_at": iso(requested_at)}


def missing(given: Mapping[str, Any], call: Call) -> Json:
    """The required fields of a form of the package that the patient's record does not fill."""
    form = deployed_form(call.package.text(given["form"]))
    values = given["patient"].get("fields")
    fields = form.missing(values if isinstance(values, dict) else {}, today=call.calendar.day_of(call.now))
    labels = [in_sentence(field.label) for field in fields]
    return {"keys": [field.key for field in fields], "labels": list(labels), "text": _enumerate(labels)}


def operators(
    *, settings: Settings, directory: PatientDirectory, database: Database, send_mail: Sender
) -> tuple[Operator, ...]:
    """The operators that diagrams of the enrolment may call."""
    ours = Enrolling(settings=settings, directory=directory)
    mailing = Mailing(settings=settings, directory=directory, database=database, send_mail=send_mail)
    return (*_about_patients(ours), *_about_status(ours), *mail_operators(mailing), *_about_requests(ours))


def _about_patients(ours: Enrolling) -> tuple[Operator, ...]:
    return (
        Operator(
            name="patient/load",
            title="Load the patient",
            mode=Mode.READ,
            call=ours.load,
            parameters=(_PATIENT,),
            result=operator_shapes.PATIENT,
            recall=PatientRecall(ours.settings),
        ),
        Operator(
            name="patient/missing",
            title="Find missing fields",
            mode=Mode.DERIVED,
            call=missing,
            parameters=(
                Parameter(name="patient", shape=operator_shapes.PATIENT, help="the record patient/load has given"),
                Parameter(name="form", help="file name of the form whose required fields are checked"),
            ),
            result=operator_shapes.MISSING,
        ),
        Operator(
            name="patient/update",
            title="Save patient information",
            mode=Mode.WRITE,
            call=ours.update,
            undo=ours.undo_update,
            parameters=(
                _PATIENT,
                Parameter(name="values", shape=operator_shapes.CORRECTION, help="the answer of the form"),
            ),
            result=operator_shapes.CORRECTED,
        ),
    )


def _about_status(ours: Enrolling) -> tuple[Operator, ...]:
    return (
        Operator(
            name="patient/remove-response",
            title="Remove the patient's response",
            mode=Mode.WRITE,
            call=ours.remove_response,
            undo=ours.undo_removal,
            parameters=(_PATIENT, Parameter(name="reason", help="why it is removed; kept with the response")),
            result=operator_shapes.REMOVED,
        ),
        Operator(
            name="patient/reopen",
            title="Set the status back to Not Enrolled",
            mode=Mode.WRITE,
            call=ours.reopen,
            undo=ours.undo_reopening,
            parameters=(_PATIENT,),
            result=operator_shapes.REOPENED,
        ),
    )


def _about_requests(ours: Enrolling) -> tuple[Operator, ...]:
    return (
        Operator(
            name="invitation/look-up",
            title="Look up an invitation",
            mode=Mode.READ,
            call=ours.look_up_invitation,
            parameters=(Parameter(name="message_id", help="message_id in the result of the operator that sent it"),),
            result=operator_shapes.LINK,
        ),
        Operator(
            name="patient/record-pending",
            title="Record the enrolment request",
            mode=Mode.WRITE,
            call=ours.record_pending,
            parameters=(
                _PATIENT,
                Parameter(name="invitation", shape=operator_shapes.SENT_INVITATION, help="the result of the send"),
                Parameter(name="requested_by", required=False, help="who asked; default: who caused this step"),
            ),
            result=operator_shapes.REQUESTED,
            reads=_BOTH,
            changes=_BOTH,
        ),
    )


def _enumerate(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
