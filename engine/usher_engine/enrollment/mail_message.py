"""Puts a filled mail into a message as it goes out: addresses, headers, seven bits. smtp.py sends it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from ..core.email_address import NotAnEmailAddress, parse_email_address
from ..core.errors import ServiceError
from ..mail_templates import UNDETERMINED, RenderedMail
from ..settings import Settings

#: The header with the address where one request, without a page, stops e-mail (RFC 8058).
UNSUBSCRIBE = "List-Unsubscribe"


def message_id(key: str, settings: Settings) -> str:
    """The Message-ID of the send with idempotency key *key*: the same on every attempt."""
    try:
        domain = _sender(settings).rpartition("@")[2]
    except NotAnEmailAddress:
        domain = ""  # `compose` refuses such a sender
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain or 'localhost'}>"


def compose(
    mail: RenderedMail, *, to: str, identifier: str, now: datetime, settings: Settings, language: str, opt_out: str
) -> EmailMessage:
    """
    The message with both parts of *mail*.

    Whatever the template holds, the message is ASCII in short lines (RFC 5322, RFC 2045), so that every mail server
    takes it. *opt_out* is the address of the link that stops e-mail to this recipient, empty where there is none.

    Raises:
        ServiceError: The sender address is not valid.
    """
    message = EmailMessage(_SevenBit(cte_type="7bit", linesep="\r\n"))
    try:
        message["From"] = Address(one_line(settings.practice_name), addr_spec=_sender(settings))
        message["To"] = Address(addr_spec=to)
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(now.astimezone(UTC))
        message["Message-ID"] = identifier
        message["Auto-Submitted"] = "auto-generated"
    except (ValueError, IndexError, MessageError):  # IndexError: how the library says that an address is empty
        raise ServiceError("The mail cannot be addressed; check USHER_MAIL_FROM.", retry=False) from None
    if opt_out:
        message[UNSUBSCRIBE] = f"<{opt_out}>"
        if opt_out.startswith("https:"):  # RFC 8058, 3.1
            message[f"{UNSUBSCRIBE}-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    if language != UNDETERMINED:
        message["Content-Language"] = language
    return message


class _SevenBit(EmailPolicy):
    """Writes some headers itself: the library's folding in 3.11 loses spaces and quotes, and breaks URLs."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name == UNSUBSCRIBE:
            return f"{name}:{self.linesep} {value}{self.linesep}".encode("ascii")
        is_short = len(f"{name}: {value}") <= (self.max_line_length or 78)
        if name not in ("Subject", "From") or (str(value).isascii() and (name == "Subject" or is_short)):
            return super().fold_binary(name, value)
        address = value.addresses[0] if name == "From" else None
        words = address.display_name if address else str(value)
        encoded = Header(words, "utf-8", header_name=name).encode(linesep=self.linesep)
        behind = f"{self.linesep} <{address.addr_spec}>" if address else ""
        return f"{name}: {encoded}{behind}{self.linesep}".encode("ascii")


def one_line(text: str) -> str:
    """*text* without line ends and other characters that cannot be printed, with one space between words."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _sender(settings: Settings) -> str:
    """The practice's address in ASCII, which may be at a host without a domain; raises `NotAnEmailAddress`."""
    written = settings.mail_from.strip()
    return written if written.isascii() else parse_email_address(written).ascii
