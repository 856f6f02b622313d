"""What an e-mail address is, decided once: for the form that takes it, the mail that goes to it and the opt-out list.

Pure; asks no name server.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from .visible_text import without_invisible


class NotAnEmailAddress(ValueError):
    """The text is not exactly one address a mail can go to. The message says why, and quotes nothing of the text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailAddress:
    """One address in its normal form; two spellings of one address are equal but for the case before the @."""

    #: As people read it: composed letters, the domain in lower case and in its own script.
    shown: str
    #: As every mail server takes it: ASCII, the domain in A-labels (RFC 5890).
    ascii: str


def parse_email_address(text: str) -> EmailAddress:
    """
    The address *text* spells, whatever the form of its Unicode, the case of its domain and the spaces around it.

    Raises:
        NotAnEmailAddress: None, several, or one with letters other than ASCII before the @: those need SMTPUTF8
            (RFC 6531) on the whole way, which many mail servers do not offer.
    """
    typed = without_invisible(text)
    try:
        found = _validated(typed, international=False)
    except EmailNotValidError:
        raise NotAnEmailAddress(_reason(typed)) from None
    return EmailAddress(shown=found.normalized, ascii=found.ascii_email or found.normalized)


def shown_email_address(text: str) -> str:
    """*text* as the address is shown; the text itself where it is no address."""
    try:
        return parse_email_address(text).shown
    except NotAnEmailAddress:
        return without_invisible(text)


def comparable_email_address(text: str) -> str:
    """
    How addresses are compared: equal for all spellings of one address, and defined for texts that are none.

    The part before the @ may be case-sensitive by RFC 5321, 2.4; nobody's is.
    """
    typed = without_invisible(text)
    try:
        found = _validated(typed, international=True)
    except EmailNotValidError:
        return unicodedata.normalize("NFC", typed.casefold())
    local = unicodedata.normalize("NFC", found.local_part.casefold())
    return f"{local}@{(found.ascii_domain or found.domain).lower()}"


@lru_cache(maxsize=1024)  # one step reads the same address several times
def _validated(text: str, *, international: bool) -> ValidatedEmail:
    # The reserved domain .test is for try-outs; a mail to it reaches nobody.
    return validate_email(text, check_deliverability=False, test_environment=True, allow_smtputf8=international)


def _reason(text: str) -> str:
    try:
        _validated(text, international=True)
    except EmailNotValidError:
        return "This is not an e-mail address. It looks like name@example.com; please enter exactly one."
    return (
        "The part before the @ holds letters that many mail servers do not take. Please enter an address with plain "
        "letters (a to z), digits and signs before the @."
    )
