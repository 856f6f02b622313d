"""Sends mail over SMTP. Its errors are plain sentences without addresses, because they are shown and recorded."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any

from ..core.errors import ServiceError
from ..settings import Settings

#: Hands a mail to the mail server; raises `ServiceError`, with ``retry`` if a later attempt may succeed.
Sender = Callable[[EmailMessage], None]

_PERMANENT = 500


class RecipientRefused(ServiceError):
    """The mail server does not take mail for the recipient's address. Correct it and try again."""

    def __init__(self, code: int) -> None:
        reason = f"The mail server refused the recipient's address for good (answer {code}). Correct it and try again."
        super().__init__(reason, retry=False)


def smtp_sender(settings: Settings) -> Sender:
    """A sender for the configured mail server."""

    def send(message: EmailMessage) -> None:
        with _plain_reasons():
            server = _connect(settings)
            try:
                server.sendmail(_address(message["From"]), [_address(message["To"])], _octets(message))
            finally:
                _leave(server)

    return send


def _address(header: Any) -> str:
    address: str = header.addresses[0].addr_spec
    return address


def _octets(message: EmailMessage) -> bytes:
    """The mail as it goes out. The library's `send_message` would write “>From” where a line begins with “From”."""
    return message.as_bytes()


def _connect(settings: Settings) -> smtplib.SMTP:
    host, port, timeout = settings.smtp_host, settings.smtp_port, settings.smtp_timeout_s
    server: smtplib.SMTP
    if settings.smtp_security == "tls":
        server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            server.login(settings.smtp_user, settings.smtp_password)
    except BaseException:
        server.close()
        raise
    return server


def _leave(server: smtplib.SMTP) -> None:
    """End the session. Errors do not matter here: the mail was accepted or refused before."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        server.quit()
    server.close()


@contextlib.contextmanager
def _plain_reasons() -> Iterator[None]:
    # “from None”: the library's errors quote addresses and texts of the mail.
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code = min((code for code, _ in error.recipients.values()), default=_PERMANENT)
        raise (RecipientRefused(code) if code >= _PERMANENT else _refusal(code)) from None
    except smtplib.SMTPAuthenticationError as error:
        if error.smtp_code < _PERMANENT:
            raise _refusal(error.smtp_code) from None
        raise ServiceError(
            "The mail server refused the log-in. Check USHER_SMTP_USER and USHER_SMTP_PASSWORD.", retry=False
        ) from None
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code) from None
    except smtplib.SMTPNotSupportedError:
        raise ServiceError(
            "The mail server cannot do what is asked of it: TLS or log-in. "
            "Check USHER_SMTP_SECURITY and USHER_SMTP_USER.",
            retry=False,
        ) from None
    except ssl.SSLCertVerificationError:
        raise ServiceError("The mail server's certificate is not valid for its name.", retry=False) from None
    except (TimeoutError, smtplib.SMTPServerDisconnected):
        raise ServiceError("The mail server did not answer in time, or hung up.", retry=True) from None
    except (OSError, smtplib.SMTPException):
        raise ServiceError("The mail server cannot be reached.", retry=True) from None


def _refusal(code: int) -> ServiceError:
    if code >= _PERMANENT:
        return ServiceError(f"The mail server refused the mail for good (answer {code}).", retry=False)
    return ServiceError(f"The mail server asks to try again later (answer {code}).", retry=True)
