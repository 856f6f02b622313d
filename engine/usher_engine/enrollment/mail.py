"""Composes the invitation mail from the package's templates, with as little data as possible. smtp.py sends it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from html import escape as _escape
from typing import Any

from ..core.email_address import NotAnEmailAddress, parse_email_address
from ..core.errors import InvalidDefinition, ServiceError
from ..definitions import Package
from ..expressions import ExpressionError, compile_template
from ..settings import Settings
from .invitations import expiry

TEXT, HTML = "mail/invitation.txt", "mail/invitation.html"

#: The names a mail template may use; the gate checks templates against it.
PLACEHOLDERS = frozenset({"practice", "first_name", "link", "expires", "contact", "opt_out"})

MAX_FIRST_NAME = 60
_SUBJECT = "Subject:"


def message_id(key: str, settings: Settings) -> str:
    """The Message-ID of the send with idempotency key *key*: the same on every attempt."""
    try:
        domain = _sender(settings).rpartition("@")[2]
    except NotAnEmailAddress:
        domain = ""  # `compose` refuses such a sender
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain or 'localhost'}>"


def recipient(address: str) -> str:
    """*address* in ASCII, as the one recipient of a mail; raises `ServiceError` unless it is exactly one address."""
    try:
        return parse_email_address(address).ascii
    except NotAnEmailAddress:
        raise ServiceError(
            "The patient's e-mail address is missing or not exactly one valid address. Correct it and try again.",
            retry=False,
        ) from None


def invitation_values(settings: Settings, *, token: str, first_name: str, expires_at: datetime) -> dict[str, str]:
    """The values of the placeholders in the templates."""
    link = f"{settings.base_url.rstrip('/')}/i/{token}"
    return {
        "practice": _one_line(settings.practice_name),
        "first_name": _one_line(first_name)[:MAX_FIRST_NAME],
        "link": link,
        "expires": day_in_words(expires_at, settings),
        "contact": _one_line(settings.practice_contact),
        "opt_out": f"{link}/opt-out",
    }


def preview_mail(text: str, *, html: bool, settings: Settings, now: datetime) -> str:
    """A template as a patient who does not exist would get it; raises `ExpressionError` where it cannot be filled."""
    values = invitation_values(settings, token="", first_name="Sam", expires_at=expiry(now, settings))
    return compile_template(text).render(values, now, _escape if html else str, calendar=settings.calendar)


def compose(
    package: Package, values: Mapping[str, str], *, to: str, identifier: str, now: datetime, settings: Settings
) -> EmailMessage:
    """
    The mail as text and HTML from the package's templates.

    A first line ``Subject: …`` in the text template is the subject; without one, a plain default is used. Whatever the
    templates hold, the mail is ASCII in short lines (RFC 5322, RFC 2045), so that every mail server takes it.

    Raises:
        ServiceError: A template is missing or cannot be filled, or the sender address is not valid.
    """
    subject, text = _split(_render(package, TEXT, values, now, settings, str))
    message = EmailMessage(_SevenBit(cte_type="7bit", linesep="\r\n"))
    try:
        message["From"] = _sender_address(settings)
        message["To"] = Address(addr_spec=to)
        message["Subject"] = subject or f"Your invitation to the patient portal of {values['practice']}"
        message["Date"] = format_datetime(now.astimezone(UTC))
        message["Message-ID"] = identifier
        message["Auto-Submitted"] = "auto-generated"
    except (ValueError, IndexError, MessageError):  # IndexError: how the library says that an address is empty
        raise ServiceError("The mail cannot be addressed; check USHER_MAIL_FROM.", retry=False) from None
    message.set_content(text)
    message.add_alternative(_render(package, HTML, values, now, settings, _escape), subtype="html")
    return message


class _SevenBit(EmailPolicy):
    """
    Encodes subject and sender each as one text.

    The library's own folding in 3.11 loses spaces between encoded words, and the quotes around a sender's name of
    several lines: a comma in it would then begin another address.
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        is_short = len(f"{name}: {value}") <= (self.max_line_length or 78)
        if name not in ("Subject", "From") or (str(value).isascii() and (name == "Subject" or is_short)):
            return super().fold_binary(name, value)
        address = value.addresses[0] if name == "From" else None
        words = address.display_name if address else str(value)
        encoded = Header(words, "utf-8", header_name=name).encode(linesep=self.linesep)
        behind = f"{self.linesep} <{address.addr_spec}>" if address else ""
        return f"{name}: {encoded}{behind}{self.linesep}".encode("ascii")


def day_in_words(at: datetime, settings: Settings) -> str:
    """``23 December 2026``, in the time zone of the practice."""
    try:
        day = settings.calendar.day_of(at)
    except (KeyError, ValueError):
        raise ServiceError("USHER_TIME_ZONE is no time zone, for example Europe/Vienna.", retry=False) from None
    return f"{day.day} {day:%B %Y}"


def _render(
    package: Package,
    name: str,
    values: Mapping[str, str],
    now: datetime,
    settings: Settings,
    escape: Callable[[str], str],
) -> str:
    try:
        return compile_template(package.text(name)).render(values, now, escape, calendar=settings.calendar)
    except (InvalidDefinition, ExpressionError, KeyError) as error:
        raise ServiceError(f"The mail template {name} cannot be filled: {error.args[0]}", retry=False) from None


def _split(text: str) -> tuple[str, str]:
    first, _, rest = text.partition("\n")
    return (first[len(_SUBJECT) :].strip(), rest.lstrip("\r\n")) if first.startswith(_SUBJECT) else ("", text)


def _sender_address(settings: Settings) -> Address:
    return Address(_one_line(settings.practice_name), addr_spec=_sender(settings))


def _sender(settings: Settings) -> str:
    """The practice's address in ASCII, which may be at a host without a domain; raises `NotAnEmailAddress`."""
    written = settings.mail_from.strip()
    return written if written.isascii() else parse_email_address(written).ascii


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
