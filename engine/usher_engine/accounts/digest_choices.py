"""Who wants a mail each morning with the numbers of their tasks, and for which morning each got the last."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from ..audit.audit_log import audit_body
from ..core.actor import Actor
from ..core.errors import Conflict
from ..store.audit_rows import append
from ..store.database import Database, to_text
from ..store.told_rows import row_after
from ..store.upserts import add
from .account_checks import told_of_account
from .account_tables import account, mail_digest, staff_address
from .account_values import Account, hash_secret, to_account

#: How long one process has to send a mail that it took in hand, before another may take it.
LEASE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class DueDigest:
    """A mail to be sent to *address*; *off* is the secret in its link that stops further ones."""

    account: Account
    address: str
    off: str


class DigestChoices:
    """The choices; each change is one transaction with its audit event."""

    def __init__(self, database: Database, clock: Callable[[], datetime], secret_key: str) -> None:
        self.database, self.clock, self._key = database, clock, secret_key.encode()

    def is_on(self, name: str) -> bool:
        with self.database.read() as connection:
            return _is_on(connection, name)

    def turn_on(self, name: str, *, actor: Actor) -> None:
        """Raises `Conflict` where the person has no confirmed address."""
        now = to_text(self.clock())
        with self.database.begin() as connection:
            address = select(staff_address.c.address).where(staff_address.c.account == name)
            if not connection.execute(address).scalar_one_or_none():
                raise Conflict("Confirm an e-mail address first.")
            off = hash_secret(self._secret(name, now))
            if add(connection, mail_digest, {"account": name, "set_at": now, "off_hash": off, "day": ""}):
                self._record(connection, actor, name, "each morning")

    def turn_off(self, name: str, *, actor: Actor) -> None:
        with self.database.begin() as connection:
            if connection.execute(delete(mail_digest).where(mail_digest.c.account == name)).rowcount:
                self._record(connection, actor, name, "never")

    def owner_of(self, off: str) -> Account | None:
        """Whose mail carries the secret *off*; None for nobody's, or if it is off already."""
        with self.database.read() as connection:
            joined = select(account).join(mail_digest).where(mail_digest.c.off_hash == hash_secret(off))
            row = connection.execute(joined).mappings().one_or_none()
            return to_account(row) if row else None

    def take_next(self, day: date) -> DueDigest | None:
        """
        Take the mail of *day* for one person in hand; None if all are sent or in hand.

        Nobody else takes it for `LEASE`. Call `sent` once the mail server has it; without that it is taken again.
        """
        now, c = to_text(self.clock()), mail_digest.c
        free = (c.day < day.isoformat(), or_(c.lease.is_(None), c.lease < now))
        with self.database.begin() as connection:
            wanted = select(account, c.set_at, staff_address.c.address).select_from(
                account.join(mail_digest).join(staff_address, staff_address.c.account == account.c.name)
            )
            reachable = (staff_address.c.address != "", account.c.disabled.is_(False), account.c.role == "staff")
            first = wanted.where(*free, *reachable).order_by(account.c.name).limit(1)
            row = connection.execute(first).mappings().first()
            if row is None:
                return None
            lease, off = to_text(self.clock() + LEASE), self._secret(row["name"], row["set_at"])
            values = {"lease": lease, "off_hash": hash_secret(off)}
            taken = connection.execute(update(mail_digest).where(c.account == row["name"], *free).values(**values))
            if not taken.rowcount:  # another process took it while this one waited for the row
                return None
            return DueDigest(account=to_account(row), address=row["address"], off=off)

    def sent(self, name: str, day: date) -> None:
        """The mail of *day* is on its way, or there was nothing to say."""
        done = update(mail_digest).where(mail_digest.c.account == name).values(day=day.isoformat(), lease=None)
        with self.database.begin() as connection:
            connection.execute(done)

    def _secret(self, name: str, since: str) -> str:
        """The secret of the link, derived, so that the link of every mail works until the choice ends."""
        made = hmac.digest(self._key, f"mail digest\n{name}\n{since}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(made).decode().rstrip("=")

    def _record(self, connection: Connection, actor: Actor, name: str, choice: str) -> None:
        rows = told_of_account(connection, row_after(connection, mail_digest, name), name)
        details = {"setting": "mail digest", "choice": choice, **rows}
        append(connection, audit_body("SettingChanged", details, at=self.clock(), actor=actor, subject=name))


def _is_on(connection: Connection, name: str) -> bool:
    return connection.execute(select(mail_digest.c.account).where(mail_digest.c.account == name)).first() is not None
