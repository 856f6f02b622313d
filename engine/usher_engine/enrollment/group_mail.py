"""Mail to a group of people: one to each member who has confirmed an address, without anything of a patient.

The case's history names the group, never the addresses of its members (decisions/0037). Each member's mail has a row
and a Message-ID of its own, so that an attempt after a failure goes on where the last one stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..accounts import group_addresses
from ..core.canonical import Json
from ..core.email_address import parse_email_address
from ..core.errors import BusinessError
from ..mail_templates import RenderedMail
from ..services import Call
from ..settings import Settings
from ..store import Database
from . import mail, sent_mails
from .mail_message import compose, message_id
from .smtp import RecipientRefused, Sender
from .timestamps import iso


@dataclass(frozen=True, slots=True)
class GroupMail:
    """Sends mails to groups; *no_address* is the code of the refusal when nobody in the group can be written to."""

    settings: Settings
    database: Database
    send_mail: Sender
    no_address: str

    def send(self, given: Mapping[str, Any], call: Call, group: str) -> Json:
        """Write to *group* what `mail/send` was given; a member who has the mail already gets no other."""
        template, settings = given["template"], self.settings
        language = mail.mail_language(call.package, template, (given.get("language") or "",), settings)
        values = mail.own_values(given) | mail.practice_values(settings)
        filled = mail.fill_template(call.package, template, language, values, now=call.now, settings=settings)
        with self.database.read() as tx:
            members = group_addresses(tx, group)
        for member, address in members.items():
            self._send_once(member, address, filled, given, call, language)
        with self.database.read() as tx:
            sent = sent_mails.sent_below(tx, call.key)
        if not sent:
            raise BusinessError(self.no_address, _why(group, members))
        return {
            "message_id": sent[0].message_id,
            "sent_at": iso(sent[0].sent_at or call.now),
            "to": group,
            "template": sent[0].template,
            "language": sent[0].language,
            "recipients": len(sent),
        }

    def _send_once(
        self, member: str, address: str, filled: RenderedMail, given: Mapping[str, Any], call: Call, language: str
    ) -> None:
        key, to = sent_mails.key_below(call.key, member), parse_email_address(address).ascii
        identifier = message_id(key, self.settings)
        with self.database.begin() as tx:
            row = sent_mails.prepare(
                tx, key=key, message_id=identifier, token="", patient=None, instance=call.instance, address=to,
                template=given["template"], language=language, now=call.now,
            )  # fmt: skip
        if row.sent_at:
            return
        message = compose(
            filled, to=to, identifier=identifier, now=call.now, settings=self.settings, language=language, opt_out=""
        )
        try:
            self.send_mail(message)
        except RecipientRefused:
            return  # the others get theirs
        with self.database.begin() as tx:
            sent_mails.mark_sent(tx, key, call.now)


def _why(group: str, members: Mapping[str, str]) -> str:
    if members:
        return f"The mail server takes mail for none of the confirmed addresses in the group “{group}”."
    return f"Nobody in the group “{group}” has confirmed an e-mail address. People do that on their profile."
