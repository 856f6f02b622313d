"""The demo's mail server: takes every mail in, sends none on, and keeps the newest for the page that shows them."""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from ..site import CaughtMail

KEPT = 200
LINK = re.compile(r"https?://[^\s<>\"]+")


class MailCatcher:
    """Listens on a free port of this machine once started; an `Outbox` for the web application."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._mails: deque[CaughtMail] = deque(maxlen=KEPT)
        self.port = _free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    def mails(self) -> Sequence[CaughtMail]:
        return tuple(reversed(self._mails))

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 aiosmtpd's name
        message = message_from_bytes(envelope.content, _class=EmailMessage, policy=default)
        self._mails.append(_caught_mail(message, ", ".join(envelope.rcpt_tos), self._clock()))
        return "250 Message accepted"


def _caught_mail(message: EmailMessage, to: str, at: datetime) -> CaughtMail:
    body = message.get_body(("plain", "html"))
    text = body.get_content() if body else ""
    return CaughtMail(
        to=to,
        subject=str(message["Subject"] or ""),
        text=text,
        at=at,
        message_id=str(message["Message-ID"] or ""),
        links=tuple(LINK.findall(text)),
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
