"""The service operators of the enrolment. Their names and shapes (`operator_shapes`) are public and must stay.

DERIVED, READ and WRITE run in the step. `invitation/send` is an EFFECT: short transactions before and after the mail,
none during it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..core.canonical import Json
from ..core.errors import BusinessError, NotFound, ServiceError
from ..core.visible_text import trimmed
from ..forms import parse_form
from ..services import Call, Mode, Operator, Parameter
from ..settings import Settings
from ..store import Database
from . import invitations, mail, operator_shapes, portal_status
from .invitations import Invitation
from .patient_directory import PatientDirectory, PatientRecord, unavailable
from .smtp import Sender
from .statuses import INVITABLE, PortalStatus
from .timestamps import iso, parse_day

#: Code of the error boundary event that catches a patient who must not be invited.
NOT_ELIGIBLE = "not-eligible"

_PATIENT = Parameter(name="patient_id", help="id of the patient")
_REFUSALS = {NOT_ELIGIBLE: "The patient must not be invited, or the portal status has changed meanwhile."}


@dataclass(frozen=True, kw_only=True, slots=True)
class Enrolling:
    """The implementations of the operators; `operators` lists them."""

    settings: Settings
    directory: PatientDirectory
    database: Database
    send_mail: Sender

    def load(self, given: Mapping[str, Any], call: Call) -> Json:
        try:
            record = self.directory.load(call.transaction, given["patient_id"], now=call.now)
        except (NotFound, ServiceError):
            record = unavailable(given["patient_id"])
        return record.to_json(call.now, self.settings)

    def update(self, given: Mapping[str, Any], call: Call) -> Json:
        correction = self.directory.update(
            call.transaction, given["patient_id"], given["values"], by=call.actor, now=call.now
        )
        return {"changed": list(correction.changed), "version": correction.version}

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
        return {"removed": removed.to_json(), "status": PortalStatus.NOT_ENROLLED.value}

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

    def send(self, given: Mapping[str, Any], call: Call) -> Json:
        invitation, values = self._prepare(given["patient_id"], call)
        if invitation.sent_at is None and invitation.used_at is None:
            message = mail.compose(
                call.package,
                values,
                to=invitation.address,
                identifier=invitation.message_id,
                now=call.now,
                settings=self.settings,
            )
            self.send_mail(message)
            with self.database.begin() as tx:
                invitation = invitations.mark_sent(tx, call.key, call.now)
        return {
            "message_id": invitation.message_id,
            "sent_at": iso(invitation.sent_at or call.now),
            "expires_at": iso(invitation.expires_at),
            "to": invitation.address,
        }

    def _prepare(self, patient: str, call: Call) -> tuple[Invitation, dict[str, str]]:
        """The invitation of this send, after checking every rule again, unless it was sent already."""
        token = invitations.token_for(self.settings.secret_key, call.key)
        with self.database.begin() as tx:
            before = invitations.find_by_key(tx, call.key)
            if before is not None and (before.sent_at or before.used_at):
                return before, {}
            record = self.directory.load(tx, patient, now=call.now)
            fields = self._eligible_fields(record, call.now)
            invitation = invitations.prepare(
                tx,
                token=token,
                key=call.key,
                patient=patient,
                instance=call.instance,
                message_id=mail.message_id(call.key, self.settings),
                address=mail.recipient(fields["email"]),
                now=call.now,
                expires_at=invitations.expiry(call.now, self.settings),
            )
        values = mail.invitation_values(
            self.settings, token=token, first_name=fields["first_name"], expires_at=invitation.expires_at
        )
        return invitation, values

    def _eligible_fields(self, record: PatientRecord, now: datetime) -> dict[str, str]:
        """The patient's fields, if an invitation may go out now."""
        guard = record.guard(now, self.settings)
        if guard is not None:
            raise BusinessError(NOT_ELIGIBLE, guard)
        if record.status not in INVITABLE:
            raise BusinessError(NOT_ELIGIBLE, f"The portal status has become “{record.status}” meanwhile.")
        fields = record.fields(now, self.settings)
        if parse_day(fields["birth_date"]) is None:
            raise ServiceError(
                "The date of birth is not complete, so the age rule cannot be checked. Complete it and try again.",
                retry=False,
            )
        return fields


def missing(given: Mapping[str, Any], call: Call) -> Json:
    """The required fields of a form of the package that the patient's record does not fill."""
    form = parse_form(call.package.text(given["form"]))
    values = given["patient"].get("fields")
    fields = form.missing(values if isinstance(values, dict) else {}, today=call.calendar.day_of(call.now))
    labels = [_in_sentence(field.label) for field in fields]
    return {"keys": [field.key for field in fields], "labels": list(labels), "text": _enumerate(labels)}


def operators(
    *, settings: Settings, directory: PatientDirectory, database: Database, send_mail: Sender
) -> tuple[Operator, ...]:
    """The operators that diagrams of the enrolment may call."""
    ours = Enrolling(settings=settings, directory=directory, database=database, send_mail=send_mail)
    return (*_about_patients(ours), *_about_invitations(ours))


def _about_patients(ours: Enrolling) -> tuple[Operator, ...]:
    return (
        Operator(
            name="patient/load",
            title="Load the patient",
            mode=Mode.READ,
            call=ours.load,
            parameters=(_PATIENT,),
            result=operator_shapes.PATIENT,
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
            parameters=(
                _PATIENT,
                Parameter(name="values", shape=operator_shapes.CORRECTION, help="the answer of the form"),
            ),
            result=operator_shapes.CORRECTED,
        ),
        Operator(
            name="patient/remove-response",
            title="Remove the patient's response",
            mode=Mode.WRITE,
            call=ours.remove_response,
            parameters=(_PATIENT, Parameter(name="reason", help="why it is removed; kept with the response")),
            result=operator_shapes.REMOVED,
        ),
    )


def _about_invitations(ours: Enrolling) -> tuple[Operator, ...]:
    return (
        Operator(
            name="invitation/send",
            title="Send the invitation",
            mode=Mode.EFFECT,
            call=ours.send,
            parameters=(_PATIENT,),
            result=operator_shapes.INVITATION,
            errors=_REFUSALS,
        ),
        Operator(
            name="patient/record-pending",
            title="Record the enrolment request",
            mode=Mode.WRITE,
            call=ours.record_pending,
            parameters=(
                _PATIENT,
                Parameter(
                    name="invitation", shape=operator_shapes.INVITATION, help="the result of invitation/send"
                ),
                Parameter(name="requested_by", required=False, help="who asked; default: who caused this step"),
            ),
            result=operator_shapes.REQUESTED,
        ),
    )


def _in_sentence(label: str) -> str:
    """A label as written inside a sentence: “E-mail” becomes “e-mail”, “ZIP code” stays."""
    is_acronym = len(label) > 1 and label[1].isupper()
    return label if is_acronym else label[:1].lower() + label[1:]


def _enumerate(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
