"""The operators that send mail: `invitation/send` and `mail/send`.

They are EFFECTs: short transactions before and after the mail, none during it. What speaks against a mail is asked
again at the moment of sending. The row of a send is found by its idempotency key, so that no attempt repeats a mail the
mail server has taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..core.canonical import Json
from ..core.email_address import NotAnEmailAddress, parse_email_address
from ..core.errors import BusinessError, ServiceError
from ..core.shapes import boolean, record
from ..core.visible_text import trimmed
from ..services import Call, MailUse, Mode, Operator, Parameter
from ..settings import Settings
from ..store import Database, Transaction
from . import invitations, mail, operator_shapes, portal_status, sent_mails
from .group_mail import GroupMail
from .invitations import Invitation
from .mail_message import compose, message_id
from .patient_directory import PatientDirectory, PatientRecord
from .sent_mails import SentMail
from .smtp import RecipientRefused, Sender
from .statuses import INVITABLE
from .timestamps import iso, parse_day

#: Codes of the error boundary events that catch a recipient who must not be written to, or cannot be.
NOT_ELIGIBLE, NO_ADDRESS = "not-eligible", "no-address"

#: The parameters of which exactly one says who gets a mail.
RECIPIENTS = ("patient_id", "address", "group")
#: The data that a mail to a patient depends on.
_READ = frozenset({"patient", "invitation"})
_NOT_INVITED = {NOT_ELIGIBLE: "The patient must not be invited, or the portal status has changed meanwhile."}
_NOT_SENT = {
    NOT_ELIGIBLE: "The patient must not be written to, or has opted out of e-mail.",
    NO_ADDRESS: "There is no address, nobody in the group has confirmed one, or the mail server does not take it.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """A mail that may go out now: who gets it, what is in it, and the token behind its links (empty: it has none)."""

    address: str
    language: str
    values: dict[str, Json]
    token: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailing:
    """The implementations of the operators; `mail_operators` lists them."""

    settings: Settings
    directory: PatientDirectory
    database: Database
    send_mail: Sender

    @property
    def _to_groups(self) -> GroupMail:
        return GroupMail(self.settings, self.database, self.send_mail, NO_ADDRESS)

    def send_invitation(self, given: Mapping[str, Any], call: Call) -> Json:
        """`invitation/send`."""
        try:
            return self._send_invitation(given, call, given.get("template") or mail.INVITATION)
        except BusinessError as refusal:
            if refusal.code != NO_ADDRESS:
                raise
            raise ServiceError(refusal.message, retry=False) from None

    def send(self, given: Mapping[str, Any], call: Call) -> Json:
        """`mail/send`."""
        patient, address, group = recipients = [trimmed(given.get(name) or "") for name in RECIPIENTS]
        if sum(map(bool, recipients)) != 1:
            raise ServiceError("A mail goes to a patient (patient_id), an address or a group; name one.", retry=False)
        if given.get("with_link"):
            if not patient:
                raise ServiceError("Only a mail to a patient (patient_id) can carry an invitation link.", retry=False)
            return self._send_invitation({**given, "patient_id": patient}, call, given["template"])
        if group:
            return self._to_groups.send(given, call, group)
        return self._send_plain(given, call, patient, address)

    # with a link

    def _send_invitation(self, given: Mapping[str, Any], call: Call, template: str) -> Json:
        invitation, draft = self._prepare_invitation(given, call, template)
        if draft is not None:
            self._post(draft, call, template)
            with self.database.begin() as tx:
                invitation = invitations.mark_sent(tx, call.key, call.now, template=template, language=draft.language)
        return {
            "message_id": invitation.message_id,
            "sent_at": iso(invitation.sent_at or call.now),
            "expires_at": iso(invitation.expires_at),
            "to": invitation.address,
            "template": invitation.template or template,
            "language": invitation.language,
        }

    def _prepare_invitation(
        self, given: Mapping[str, Any], call: Call, template: str
    ) -> tuple[Invitation, _Draft | None]:
        """The invitation of this send and what to send, after checking every rule again; no draft if it was sent."""
        token = invitations.token_for(self.settings.secret_key, call.key)
        with self.database.begin() as tx:
            before = invitations.find_by_key(tx, call.key)
            if before is not None and (before.sent_at or before.used_at):
                return before, None
            patient = self.directory.load(tx, given["patient_id"], now=call.now)
            fields = self._invitable_fields(patient, call.now)
            expires_at = invitations.expiry(call.now, self.settings)
            draft = self._draft(given, call, template, fields, token=token, expires_at=expires_at)
            invitation = invitations.prepare(
                tx,
                token=token,
                key=call.key,
                patient=given["patient_id"],
                instance=call.instance,
                message_id=message_id(call.key, self.settings),
                address=draft.address,
                now=call.now,
                expires_at=expires_at,
            )
        return invitation, draft

    def _invitable_fields(self, patient: PatientRecord, now: datetime) -> dict[str, str]:
        """The patient's fields, if an invitation may go out now."""
        fields = self._writable_fields(patient, now)
        if patient.status not in INVITABLE:
            raise BusinessError(NOT_ELIGIBLE, f"The portal status has become “{patient.status}” meanwhile.")
        if parse_day(fields["birth_date"]) is None:
            raise ServiceError(
                "The date of birth is not complete, so the age rule cannot be checked. Complete it and try again.",
                retry=False,
            )
        return fields

    def _writable_fields(self, patient: PatientRecord, now: datetime) -> dict[str, str]:
        """The patient's fields, if the practice may write e-mail to the patient now."""
        guard = patient.guard(now, self.settings)
        if guard is not None:
            raise BusinessError(NOT_ELIGIBLE, guard)
        return patient.fields(now, self.settings)

    # without a link

    def _send_plain(self, given: Mapping[str, Any], call: Call, patient: str, address: str) -> Json:
        template = given["template"]
        sent, draft = self._prepare_plain(given, call, patient, address)
        if draft is not None:
            self._post(draft, call, template)
            with self.database.begin() as tx:
                sent = sent_mails.mark_sent(tx, call.key, call.now)
        return {
            "message_id": sent.message_id,
            "sent_at": iso(sent.sent_at or call.now),
            "to": sent.address,
            "template": sent.template,
            "language": sent.language,
        }

    def _prepare_plain(
        self, given: Mapping[str, Any], call: Call, patient: str, address: str
    ) -> tuple[SentMail, _Draft | None]:
        token = invitations.token_for(self.settings.secret_key, call.key, purpose="opt-out") if patient else ""
        with self.database.begin() as tx:
            before = sent_mails.find_by_key(tx, call.key)
            if before is not None and before.sent_at:
                return before, None
            if patient:
                fields = self._writable_fields(self.directory.load(tx, patient, now=call.now), call.now)
                draft = self._draft(given, call, given["template"], fields, token=token)
            else:
                _require_not_opted_out(tx, address)
                draft = self._draft(given, call, given["template"], {"email": address})
            sent = sent_mails.prepare(
                tx,
                key=call.key,
                message_id=message_id(call.key, self.settings),
                token=token,
                patient=patient or None,
                instance=call.instance,
                address=draft.address,
                template=given["template"],
                language=draft.language,
                now=call.now,
            )
        return sent, draft

    # both

    def _draft(
        self,
        given: Mapping[str, Any],
        call: Call,
        template: str,
        fields: Mapping[str, str],
        *,
        token: str = "",
        expires_at: datetime | None = None,
    ) -> _Draft:
        """The mail to the person with *fields*, of which only the address counts for who is no patient."""
        settings = self.settings
        wishes = (given.get("language") or "", fields.get("language", ""))
        language = mail.mail_language(call.package, template, wishes, settings)
        values: dict[str, Json] = dict(mail.practice_values(settings))
        if token:
            values |= mail.patient_values(settings, token=token, first_name=fields["first_name"])
        if expires_at:
            values |= mail.link_values(settings, token=token, expires_at=expires_at, language=language)
        values = mail.own_values(given) | values
        return _Draft(address=_address(fields["email"]), language=language, values=values, token=token)

    def _post(self, draft: _Draft, call: Call, template: str) -> None:
        """Hand the mail to the mail server."""
        filled = mail.fill_template(
            call.package, template, draft.language, draft.values, now=call.now, settings=self.settings
        )
        message = compose(
            filled,
            to=draft.address,
            identifier=message_id(call.key, self.settings),
            now=call.now,
            settings=self.settings,
            language=draft.language,
            opt_out=str(draft.values["opt_out"]) if draft.token else "",
        )
        try:
            self.send_mail(message)
        except RecipientRefused as refused:
            raise BusinessError(NO_ADDRESS, refused.message) from None


def _address(text: str) -> str:
    """The one address that *text* spells, in ASCII."""
    try:
        return parse_email_address(text).ascii
    except NotAnEmailAddress:
        reason = "The e-mail address is missing or not exactly one valid address. Correct it and try again."
        raise BusinessError(NO_ADDRESS, reason) from None


def _require_not_opted_out(tx: Transaction, address: str) -> None:
    if portal_status.opted_out_since(tx, address) is not None:
        raise BusinessError(NOT_ELIGIBLE, "The e-mail address is on the opt-out list.")


_TEMPLATE = "name of the mail template: “reminder” for mail/reminder.en.md"
_LANGUAGE = "language of the mail, such as es; default: the patient's preferred language, then the practice's"


def mail_operators(ours: Mailing) -> tuple[Operator, ...]:
    """The operators that send mail."""
    language = Parameter(name="language", required=False, help=_LANGUAGE)
    return (
        Operator(
            name="invitation/send",
            title="Send the invitation",
            mode=Mode.EFFECT,
            call=ours.send_invitation,
            parameters=(
                Parameter(name="patient_id", help="id of the patient"),
                Parameter(name="template", required=False, help=f"{_TEMPLATE}; default: invitation"),
                language,
            ),
            result=operator_shapes.INVITATION,
            errors=_NOT_INVITED,
            reads=_READ,
            mails=MailUse(template=mail.INVITATION, always=mail.PLACEHOLDERS),
        ),
        Operator(
            name="mail/send",
            title="Send a mail",
            mode=Mode.EFFECT,
            call=ours.send,
            parameters=(
                Parameter(name="patient_id", required=False, help="id of the patient it goes to"),
                Parameter(name="address", required=False, help="or the one address it goes to"),
                Parameter(name="group", required=False, help="or the group whose members with an address get it"),
                Parameter(name="template", help=_TEMPLATE),
                language,
                Parameter(name="values", shape=record(), required=False, help="values for the template, by name"),
                Parameter(
                    name="with_link",
                    shape=boolean(),
                    required=False,
                    help="whether it carries an invitation link of its own",
                ),
            ),
            result=operator_shapes.MAIL,
            errors=_NOT_SENT,
            reads=_READ,
            changes=frozenset({"invitation"}),
            mails=MailUse(
                always=mail.ALWAYS,
                when={"patient_id": mail.TO_PATIENTS, "with_link": mail.WITH_LINK},
                recipients=RECIPIENTS,
            ),
        ),
    )
