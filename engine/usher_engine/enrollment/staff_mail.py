"""Mails to people of the practice: the confirmation of an address, a sample of a template, the numbers of their tasks.

The first two are sent while the page waits, not by a job: they belong to no case, and who asks for one sees how it
went. `mail_digests` sends the last in the morning.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from ..core.email_address import parse_email_address
from ..core.errors import ExpressionError, InvalidDefinition
from ..mail_templates import UNDETERMINED, RenderedMail, compile_mail, language_of
from ..settings import Settings
from . import mail
from .mail_message import compose, message_id
from .smtp import Sender

_CONFIRMATION = """---
subject: Confirm your e-mail address for {{ practice }}
---

Somebody who is signed in to Usher at {{ practice }} gave this address as their own. If that was you, open the page
below, sign in with your account, and confirm it.

[Confirm this address]({{ link }}){.button}

The link works until {{ until }}. If it was not you, do nothing: without your confirmation, nothing is sent here.
"""

_DIGEST = """---
subject: Your tasks at {{ practice }}
---

{{ said }}

[Open the inbox]({{ link }}){.button}

You asked for this mail on your profile. [Stop these mails]({{ off }})
"""


@dataclass(frozen=True, slots=True)
class StaffMail:
    """Sends to one address; each method raises `ServiceError` in plain words when the mail server does not take it."""

    settings: Settings
    send_mail: Sender

    def ask_to_confirm(self, address: str, *, link: str, until: datetime, now: datetime) -> None:
        """Ask who reads *address* to confirm it at *link*, which works until the moment *until*."""
        local = self.settings.calendar.local(until)
        values = {**mail.practice_values(self.settings), "link": link, "until": f"{local:%A, %H:%M}"}
        template = compile_mail(_CONFIRMATION)
        filled = template.render(values, now, language="en", links={"link"}, calendar=self.settings.calendar)
        self._send(filled, address, "en", now)

    def send_sample(self, address: str, path: str, text: str, *, now: datetime) -> None:
        """
        Send the template *text* of the file *path* as a patient who does not exist would get it.

        Raises:
            InvalidDefinition: It is no mail, or it cannot be filled; names the line.
            ServiceError: The mail server does not take it.
        """
        try:
            filled = mail.preview_mail(path, text, settings=self.settings, now=now)
        except ExpressionError as error:
            raise InvalidDefinition(f"Line {error.line}: {error.message}") from None
        marked = replace(filled, subject=f"[Sample] {filled.subject}")
        self._send(marked, address, language_of(path) or UNDETERMINED, now)

    def send_digest(self, address: str, said: str, *, link: str, off: str, key: str, now: datetime) -> None:
        """
        Send the numbers *said*; the page at *off* ends these mails, also in one request of a mail program (RFC 8058).

        Mails of the same *key* have the same Message-ID.
        """
        values = {**mail.practice_values(self.settings), "said": said, "link": link, "off": off}
        template = compile_mail(_DIGEST)
        filled = template.render(values, now, language="en", links={"link", "off"}, calendar=self.settings.calendar)
        self._send(filled, address, "en", now, key=f"digest:{key}", opt_out=off)

    def _send(
        self, filled: RenderedMail, address: str, language: str, now: datetime, *, key: str = "", opt_out: str = ""
    ) -> None:
        identifier = message_id(f"staff:{key or secrets.token_hex(16)}", self.settings)
        message = compose(
            filled, to=parse_email_address(address).ascii, identifier=identifier, now=now, settings=self.settings,
            language=language, opt_out=opt_out,
        )  # fmt: skip
        self.send_mail(message)
