"""A mail server the tests command: it accepts mail over real SMTP, or misbehaves as a test demands."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

LINK = re.compile(r"/i/([\w-]{43})(?=\s)")

ACCEPT = "250 Message accepted"
#: No answer at all, and no mail taken.
SILENT = "silent"
#: The connection breaks in the middle of the conversation, before the mail.
HANG_UP = "hang up"
#: The connection breaks when the mail was taken, before the answer.
HANG_UP_LATE = "hang up late"


class PostOffice:
    """Listens on a port of this machine; *answers* are given first, one for each mail, then `ACCEPT`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []
        self.before_mail: Callable[[], object] = lambda: None
        self.before_answer: Callable[[], object] = lambda: None
        self.port = free_port()
        self._controller: Controller | None = None

    def open(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def close(self) -> None:
        if self._controller is not None:
            self._controller.stop()
        self._controller = None

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if mail["To"] == address]

    async def handle_MAIL(  # noqa: N802 aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        self.before_mail()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 aiosmtpd's name
        self, server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.answers[:1] == [HANG_UP]:
            self.answers.pop(0)
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 aiosmtpd's name
        answer = self.answers.pop(0) if self.answers else ACCEPT
        if answer in (ACCEPT, HANG_UP_LATE):
            self.mails.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=default))
        self.before_answer()
        if answer == SILENT:
            await asyncio.Event().wait()  # until the sender has lost its patience and the connection is gone
        if answer == HANG_UP_LATE:
            server.transport.abort()
        return answer


def link_in(mail: EmailMessage) -> str:
    """The token of the invitation link in *mail*."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = LINK.search(body.get_content())
    assert found is not None
    return found[1]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
