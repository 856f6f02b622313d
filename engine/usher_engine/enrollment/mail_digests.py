"""A mail each morning of a working day with the numbers of a person's tasks: counts and a link, nothing of patients.

Several processes may send at once: each takes one mail in hand at a time (`DigestChoices.take_next`). A process that
is killed leaves its mail to another after ten minutes; only if it dies between the mail server's answer and the note
of it does the mail go out again, with the same Message-ID.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime

from ..accounts import Account, DigestChoices
from ..core.actor import Actor
from ..core.errors import ServiceError
from ..engine import Engine
from .staff_mail import StaffMail

log = logging.getLogger(__name__)

#: The hours of the practice's clock between which they are sent. What could not go out by then is not sent late.
FROM_HOUR, UNTIL_HOUR = 7, 12
#: The page that the link in the mail opens, and the one that ends the mails.
INBOX, OFF = "/inbox", "/profile/digest"


class MailDigests:
    """Sends what is due; call it every minute."""

    def __init__(self, engine: Engine, staff_mail: StaffMail) -> None:
        self.engine, self.staff_mail = engine, staff_mail
        self.choices = DigestChoices(engine.database, engine.clock, engine.settings.secret_key)

    def send_due(self) -> int:
        """Send the mails of this morning that are not sent yet; return how many the mail server took."""
        now = self.engine.clock()
        calendar = self.engine.settings.calendar
        day, hour = calendar.day_of(now), calendar.local(now).hour
        if not FROM_HOUR <= hour < UNTIL_HOUR or not self.engine.working_calendar.working_days().is_working(day):
            return 0
        sent = 0
        while due := self.choices.take_next(day):
            said = "" if due.account.disabled else self.words(due.account)
            if said:
                try:
                    self._send(due.address, said, due.off, f"{due.account.name}:{day}", now)
                    sent += 1
                except ServiceError as failed:
                    log.warning("the digest of %s did not go out: %s", due.account.name, failed.message)
                    if failed.retry:  # it stays in hand, and is tried again when that ends
                        return sent
            self.choices.sent(due.account.name, day)
        return sent

    def words(self, account: Account) -> str:
        """The numbers of *account*'s tasks in sentences; empty where there is nothing to do."""
        actor = Actor(name=account.name, role=account.role.value, groups=account.groups)
        inbox = self.engine.inbox
        mine, late = inbox.count_tasks(actor, mine=True), inbox.count_tasks(actor, mine=True, overdue=True)
        free = Counter[str]()
        for kind in inbox.kinds(actor):
            if kind.free:
                free.update(dict.fromkeys(set(kind.groups) & account.groups, kind.open))
        said = []
        if mine:
            overdue = f", {late} of them overdue" if late else ""
            said.append(f"{mine} {'task is' if mine == 1 else 'tasks are'} yours{overdue}.")
        for group, number in sorted(free.items()):
            if number:
                said.append(f"{number} {'is' if number == 1 else 'are'} open for {group}.")
        return " ".join(said)

    def _send(self, address: str, said: str, off: str, key: str, now: datetime) -> None:
        base = self.engine.settings.base_url.rstrip("/")
        self.staff_mail.send_digest(address, said, link=f"{base}{INBOX}", off=f"{base}{OFF}/{off}", key=key, now=now)
