"""What people say of themselves: the name colleagues see, and an e-mail address they have confirmed (decisions/0037).

The account's name stays the identity that the history and the audit stream record.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update

from ..audit.audit_log import audit_body
from ..core.actor import Actor
from ..core.email_address import NotAnEmailAddress, comparable_email_address, parse_email_address
from ..core.errors import Conflict, InvalidSubmission, NotFound
from ..core.visible_text import without_invisible
from ..store.audit_rows import append
from ..store.database import Database, from_text, to_text
from ..store.instance_rows import one_at_a_time
from ..store.told_rows import row_after
from ..store.upserts import insert_into, put
from .account_checks import told_of_account
from .account_tables import account, staff_address
from .account_values import RESERVED, Account, hash_secret, to_account

MAX_DISPLAY_NAME = 80
#: How long the link in a confirmation mail works.
CONFIRM_WITHIN = timedelta(days=2)
UNUSABLE = "This link no longer works. Ask for a new one on your profile."


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffAddress:
    """The address of a person: *address* is confirmed, *wanted* waits for it until *wanted_until*; empty for none."""

    address: str = ""
    confirmed_at: datetime | None = None
    wanted: str = ""
    wanted_until: datetime | None = None


class StaffProfiles:
    """One method for each operation on a profile; each change is one transaction with its audit event."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.clock = clock

    # names

    def display_names(self) -> dict[str, str]:
        """The display name of each account that has one, by the account's name."""
        c = account.c
        with self.database.read() as connection:
            rows = connection.execute(select(c.name, c.display_name).where(c.display_name != ""))
            return {row.name: row.display_name for row in rows}

    def set_display_name(self, name: str, display_name: str, *, actor: Actor) -> Account:
        """
        Let colleagues see *display_name*; empty goes back to the account's name.

        Raises:
            NotFound: No account has this name.
            InvalidSubmission: Too long, or not a name that can be read.
            Conflict: It is another person's name, so that the two could be taken for each other.
        """
        wanted = checked_display_name(display_name)
        with self.database.begin() as connection:
            one_at_a_time(connection, "names")
            before = _account(connection, name)
            _refuse_confusable(connection, name, wanted)
            if before.display_name != wanted:
                changed = update(account).where(account.c.name == name).values(display_name=wanted)
                connection.execute(changed)
                more = {"name": wanted, "before": before.display_name, **row_after(connection, account, name)}
                self._record(connection, actor, "display name", name, more)
            return _account(connection, name)

    # addresses

    def address(self, name: str) -> StaffAddress:
        """The address of *name*, all empty if they have none."""
        with self.database.read() as connection:
            return self._address(connection, name)

    def ask_address(self, name: str, text: str, *, actor: Actor) -> tuple[StaffAddress, str]:
        """
        Note the address *text*; it counts once `confirm_address` gets the secret that this returns, for a mail to it.

        The address confirmed before stays in use until then.

        Raises:
            InvalidSubmission: *text* is not exactly one address.
            Conflict: It is the confirmed address already.
        """
        try:
            wanted = parse_email_address(text).shown
        except NotAnEmailAddress as error:
            raise InvalidSubmission(f"E-mail: {error}", fields={"email": str(error)}) from None
        secret = secrets.token_urlsafe(32)
        asked = {"wanted": wanted, "wanted_hash": hash_secret(secret), "wanted_at": to_text(self.clock())}
        with self.database.begin() as connection:
            _account(connection, name)
            if _same(self._address(connection, name).address, wanted):
                raise Conflict("This address is confirmed already.")
            row = insert_into(connection, staff_address).values(account=name, address="", **asked)
            connection.execute(row.on_conflict_do_update(index_elements=["account"], set_=asked))
            self._record_address(connection, actor, "e-mail address asked for", name, wanted)
            return self._address(connection, name), secret

    def awaited(self, name: str, secret: str) -> StaffAddress:
        """The address of *name* that waits for this *secret*; raises `NotFound` if none does, or no longer."""
        with self.database.read() as connection:
            return self._awaited(connection, name, secret)

    def confirm_address(self, name: str, secret: str, *, actor: Actor) -> StaffAddress:
        """The address that waits for *secret* is the person's from now on; raises `NotFound` as `awaited` does."""
        with self.database.begin() as connection:
            found = self._awaited(connection, name, secret)
            now = {"address": found.wanted, "confirmed_at": to_text(self.clock())}
            nothing = {"wanted": "", "wanted_hash": None, "wanted_at": None}
            waiting = (staff_address.c.account == name) & (staff_address.c.wanted_hash == hash_secret(secret))
            done = connection.execute(update(staff_address).where(waiting).values(**now, **nothing))
            if not done.rowcount:
                raise NotFound(UNUSABLE)
            self._record_address(connection, actor, "e-mail address confirmed", name, found.wanted)
            return self._address(connection, name)

    def take_over_address(self, name: str, address: str, *, actor: Actor) -> StaffAddress:
        """*address* was confirmed on another Usher; raises `NotFound` if nobody has the account *name*."""
        confirmed = {"address": address, "confirmed_at": to_text(self.clock())}
        nothing = {"wanted": "", "wanted_hash": None, "wanted_at": None}
        with self.database.begin() as connection:
            _account(connection, name)
            put(connection, staff_address, {"account": name, **confirmed, **nothing})
            self._record_address(connection, actor, "e-mail address taken over", name, address)
            return self._address(connection, name)

    def remove_address(self, name: str, *, actor: Actor) -> None:
        """Forget the addresses of *name*, confirmed and waiting; raises `NotFound` when there is none."""
        with self.database.begin() as connection:
            if not connection.execute(delete(staff_address).where(staff_address.c.account == name)).rowcount:
                raise NotFound("There is no address to remove.")
            self._record_address(connection, actor, "e-mail address removed", name)

    def _awaited(self, connection: Connection, name: str, secret: str) -> StaffAddress:
        found = self._address(connection, name, staff_address.c.wanted_hash == hash_secret(secret))
        if found.wanted_until is None or found.wanted_until < self.clock():
            raise NotFound(UNUSABLE)
        return found

    def _address(self, connection: Connection, name: str, *which: ColumnElement[bool]) -> StaffAddress:
        query = select(staff_address).where(staff_address.c.account == name, *which)
        row = connection.execute(query).one_or_none()
        if row is None:
            return StaffAddress()
        return StaffAddress(
            address=row.address,
            confirmed_at=from_text(row.confirmed_at) if row.confirmed_at else None,
            wanted=row.wanted,
            wanted_until=from_text(row.wanted_at) + CONFIRM_WITHIN if row.wanted_at else None,
        )

    def _record_address(self, connection: Connection, actor: Actor, setting: str, name: str, address: str = "") -> None:
        named = {"address": address} if address else {}
        rows = told_of_account(connection, row_after(connection, staff_address, name), name)
        self._record(connection, actor, setting, name, {**named, **rows})

    def _record(self, connection: Connection, actor: Actor, setting: str, name: str, more: dict[str, Any]) -> None:
        body = audit_body("SettingChanged", {"setting": setting, **more}, at=self.clock(), actor=actor, subject=name)
        append(connection, body)


def group_addresses(connection: Connection, group: str) -> dict[str, str]:
    """The confirmed address of each member of *group* who may sign in and has one, by the account's name."""
    query = select(account, staff_address.c.address).join(staff_address).where(staff_address.c.address != "")
    rows = connection.execute(query.order_by(account.c.name)).mappings()
    return {member.name: address for member, address in _members(rows) if group in member.groups}


def _members(rows: Any) -> Iterator[tuple[Account, str]]:
    for row in rows:
        found = to_account(row)
        if not found.disabled:
            yield found, str(row["address"])


def _account(connection: Connection, name: str) -> Account:
    row = connection.execute(select(account).where(account.c.name == name)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"No account is named {name}.")
    return to_account(row)


def checked_display_name(text: str) -> str:
    """*text* as a display name, perhaps empty; raises `InvalidSubmission`."""
    name, reason = " ".join(without_invisible(unicodedata.normalize("NFC", text)).split()), ""
    if len(name) > MAX_DISPLAY_NAME:
        reason = f"A name has at most {MAX_DISPLAY_NAME} characters."
    elif not name.isprintable() or (name and not any(letter.isalpha() for letter in name)):
        reason = "Write the name as colleagues say it: with letters, and without signs that cannot be printed."
    elif name.casefold() in RESERVED:
        reason = f"“{name}” is reserved: the history uses it for what no account did. Choose another name."
    if reason:
        raise InvalidSubmission(f"Name: {reason}", fields={"display_name": reason})
    return name


def _refuse_confusable(connection: Connection, name: str, wanted: str) -> None:
    """Refuse the name or display name of another person, whatever its case and width."""
    c = account.c
    for other in connection.execute(select(c.name, c.display_name).where(c.name != name)):
        if wanted and folded(wanted) in (folded(other.name), folded(other.display_name)):
            raise Conflict(f"Another person is called “{wanted}”. Choose a name that tells the two apart.")


def folded(text: str) -> str:
    """*text* as names are compared."""
    return unicodedata.normalize("NFKC", text).casefold()


def _same(one: str, other: str) -> bool:
    return bool(one) and comparable_email_address(one) == comparable_email_address(other)
