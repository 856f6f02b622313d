"""People, sessions and tokens in the database. The web checks what each may do (usher_web.auth)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, update

from ..audit.audit_log import audit_body
from ..core.errors import Corrupt, NotFound
from ..core.practice_calendar import Calendar, practice_calendar
from ..settings import Settings
from ..store.audit_rows import append
from ..store.database import Database, from_text, to_text
from ..store.tampered_rows import moment
from ..store.told_rows import newest_setting, row_after
from ..store.upserts import sweep
from . import account_rights, rate_counters, session_rows, substitutes
from . import account_tables as t
from .account_checks import contradiction, is_contradicted, refuse_taken
from .account_values import (
    Account,
    Session,
    Token,
    checked_name,
    hash_secret,
    may_sign_in,
    rights_columns,
    to_account,
    to_token,
)
from .passwords import Passwords, check
from .roles import Role
from .session_rows import SessionRow

#: The recorded actor of changes at the command line.
COMMAND_LINE = "command line"

#: How stale "last seen" may be; avoids a write with every click.
SEEN_EVERY = timedelta(seconds=30)
USED_EVERY = timedelta(minutes=10)


def now_utc() -> datetime:
    return datetime.now(UTC)


class Accounts:
    """One method for each operation on an account, a session or a token; each is one transaction."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime] = now_utc,
        *,
        idle: timedelta = timedelta(minutes=15),
        absolute: timedelta = timedelta(hours=12),
        passwords: Passwords | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.idle = idle
        self.absolute = absolute
        self.calendar = calendar or practice_calendar("UTC")
        self._passwords = passwords or Passwords()

    @classmethod
    def of(cls, database: Database, clock: Callable[[], datetime], settings: Settings) -> Accounts:
        """The accounts with the session lengths and the calendar of *settings*."""
        idle, absolute = timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_hours)
        return cls(database, clock, idle=idle, absolute=absolute, calendar=settings.calendar)

    # people

    def add_user(self, name: str, password: str, *, role: Role, groups: Iterable[str] = (), by: str) -> Account:
        """Raises `InvalidSubmission` for a name or password that cannot be used, `Conflict` when the name is taken."""
        name = checked_name(name)
        check(password, name)
        values = {"name": name, "disabled": False, **rights_columns(role, groups), **self._stamp(by)}
        made = self._passwords.hash(password)
        with self.database.begin() as connection:
            refuse_taken(connection, name)
            connection.execute(insert(t.account).values(password=made, **values))
            self._record(connection, by, "account added", t.account, name, role=role.value)
            return to_account(_account_row(connection, name))

    def set_password(self, name: str, password: str, *, by: str = COMMAND_LINE) -> None:
        """Also ends every session of *name*."""
        check(password, name)
        made = self._passwords.hash(password)
        with self.database.begin() as connection:
            _account_row(connection, name)
            connection.execute(update(t.account).where(t.account.c.name == name).values(password=made))
            self._record(connection, by, "password set", t.account, name)
            connection.execute(delete(t.web_session).where(t.web_session.c.account == name))

    def change_rights(self, name: str, *, role: Role, groups: Iterable[str], by: str = COMMAND_LINE) -> Account:
        """
        Give *name* another role or other groups, and end all their sessions; what is the case already changes nothing.

        Raises:
            NotFound: No account has this name.
            NotAllowed: People change their own role and groups through somebody else.
            Conflict: The last administrator would be taken away.
        """
        with self.database.begin() as connection:
            account_rights.one_change_at_a_time(connection)
            before, rights = _account_row(connection, name), rights_columns(role, groups)
            if account_rights.change(connection, before, rights, by=by):
                details = account_rights.details(before, rights)
                self._record(connection, by, "role and groups", t.account, name, **details)
                connection.execute(delete(t.web_session).where(t.web_session.c.account == name))
                if role is not Role.STAFF:
                    substitutes.end_all(connection, name, actor=account_rights.changer(connection, by), at=self.clock())
            return to_account(_account_row(connection, name))

    def disable(self, name: str, *, disabled: bool = True, by: str = COMMAND_LINE) -> None:
        """Disable *name* and end their sessions, or enable them again; raises `Conflict` for the last administrator."""
        with self.database.begin() as connection:
            account_rights.one_change_at_a_time(connection)
            row = _account_row(connection, name)
            if disabled:
                account_rights.require_other_admin(connection, row)
                substitutes.end_all(connection, name, actor=account_rights.changer(connection, by), at=self.clock())
            connection.execute(update(t.account).where(t.account.c.name == name).values(disabled=disabled))
            what = "account disabled" if disabled else "account enabled"
            self._record(connection, by, what, t.account, name)
            connection.execute(delete(t.web_session).where(t.web_session.c.account == name))

    def live_sessions(self, name: str) -> int:
        """How many browsers *name* is signed in with."""
        c, idle = t.web_session.c, to_text(self.clock() - self.idle)
        with self.database.read() as connection:
            live = select(func.count()).where(c.account == name, c.seen_at >= idle)
            return int(connection.execute(live).scalar_one())

    def users(self) -> list[Account]:
        with self.database.read() as connection:
            rows = connection.execute(select(t.account).order_by(t.account.c.name)).mappings()
            return [to_account(row) for row in rows]

    def user(self, name: str) -> Account:
        """Raises `NotFound`."""
        with self.database.read() as connection:
            return to_account(_account_row(connection, name))

    def verify(self, name: str, password: str) -> Account | None:
        """
        The account, or None: unknown names, disabled accounts and wrong passwords take the same time.

        Raises `Corrupt` if the account is not what the audit events left.
        """
        with self.database.read() as connection:
            row = connection.execute(select(t.account).where(t.account.c.name == name)).mappings().one_or_none()
            wrong = contradiction(connection, row) if row else ""
        fits = self._passwords.fits(row["password"] if row else None, password)
        if row and wrong and fits:
            raise Corrupt(wrong)
        return to_account(row) if row and fits and may_sign_in(row) else None

    # sessions

    def begin_session(self, name: str, *, instead_of: str = "") -> Session:
        """A new session with a new id; the one with the secret *instead_of* ends (no session fixation)."""
        secret, now = secrets.token_urlsafe(32), to_text(self.clock())
        with self.database.begin() as connection:
            account = to_account(_account_row(connection, name))
            gone = to_text(self.clock() - self.idle)
            connection.execute(delete(t.web_session).where(t.web_session.c.hash == hash_secret(instead_of)))
            sweep(connection, t.web_session, t.web_session.c.seen_at < gone)
            values = {"hash": hash_secret(secret), "account": name, "created_at": now, "seen_at": now, "notice": ""}
            connection.execute(insert(t.web_session).values(values))
        moment = from_text(now)
        return Session(secret=secret, account=account, created_at=moment, seen_at=moment, notice="")

    def session(self, secret: str, *, touch: bool = True) -> Session | None:
        """
        The live session of this secret; None when it never existed, has ended, is idle or too old.

        With ``touch=False`` the call does not count as activity: a page that refreshes itself must become idle.
        """
        live = self._live(hash_secret(secret), touch=touch)
        if live is None:
            return None
        seen, now = from_text(live.row["seen_at"]), self.clock()
        return live.session(secret, seen_at=now if touch and now - seen > SEEN_EVERY else seen)

    def session_account(self, key: str) -> Account | None:
        """The account whose live session has this `Session.key`, or None; the call counts as activity."""
        live = self._live(key, touch=True)
        return live.account if live else None

    def _live(self, key: str, *, touch: bool) -> SessionRow | None:
        now = self.clock()
        with self.database.read() as connection:
            found = session_rows.find(connection, key, self.calendar.day_of(now))
        if found is None or not may_sign_in(found.row) or is_contradicted(t.account, found.row):
            return None
        row = found.row
        created, seen = moment(row["session_created_at"]), moment(row["seen_at"])
        if now - seen > self.idle or now - created > self.absolute:
            return None
        if touch and now - seen > SEEN_EVERY:
            self._change_session(key, seen_at=to_text(now))
        return found

    def end_session(self, secret: str) -> None:
        with self.database.begin() as connection:
            connection.execute(delete(t.web_session).where(t.web_session.c.hash == hash_secret(secret)))

    def leave_notice(self, session: Session, text: str) -> None:
        """Show *text* on the next page of *session*; empty text removes it. No patient data here."""
        self._change_session(session.key, notice=text)

    def _change_session(self, key: str, **values: str) -> None:
        with self.database.single() as connection:
            connection.execute(update(t.web_session).where(t.web_session.c.hash == key).values(**values))

    # tokens

    def add_token(self, name: str, *, role: Role, groups: Iterable[str] = (), by: str) -> str:
        """The secret of a new token, shown this once; raises `Conflict` when the name is taken."""
        secret = f"usher_{secrets.token_urlsafe(32)}"
        rights = rights_columns(role, groups)
        values = {"name": checked_name(name), "hash": hash_secret(secret), **rights, **self._stamp(by)}
        with self.database.begin() as connection:
            refuse_taken(connection, values["name"])
            connection.execute(insert(t.api_token).values(values))
            self._record(connection, by, "token added", t.api_token, values["name"], role=role.value)
        return secret

    def tokens(self) -> list[Token]:
        with self.database.read() as connection:
            rows = connection.execute(select(t.api_token).order_by(t.api_token.c.name)).mappings()
            return [to_token(row) for row in rows]

    def token(self, secret: str) -> Token | None:
        """The live token with this secret."""
        now = self.clock()
        with self.database.single() as connection:
            newest = newest_setting(t.api_token.c.name)
            query = select(t.api_token, newest).where(t.api_token.c.hash == hash_secret(secret))
            row = connection.execute(query).mappings().one_or_none()
        found = to_token(row) if row is not None else None
        if row is None or found is None or found.revoked_at or is_contradicted(t.api_token, row):
            return None
        if found.used_at is None or now - found.used_at > USED_EVERY:
            with self.database.single() as connection:
                changed = update(t.api_token).where(t.api_token.c.name == row["name"])
                connection.execute(changed.values(used_at=to_text(now)))
        return found

    def revoke_token(self, name: str, *, by: str = COMMAND_LINE) -> None:
        """Raises `NotFound`."""
        live = (t.api_token.c.name == name) & t.api_token.c.revoked_at.is_(None)
        with self.database.begin() as connection:
            revoked = connection.execute(update(t.api_token).where(live).values(revoked_at=to_text(self.clock())))
            if not revoked.rowcount:
                raise NotFound(f"No live token is named {name}.")
            self._record(connection, by, "token revoked", t.api_token, name)

    # guessing

    def hit(self, key: str, limit: int, window_s: int) -> bool:
        """Count one attempt under *key*; False when there were more than *limit* within *window_s* seconds."""
        return self.count_try(key, window_s) <= limit

    def count_try(self, key: str, window_s: int) -> int:
        """Count one attempt under *key*; return the count in the current window of *window_s* seconds."""
        with self.database.single() as connection:
            return rate_counters.count(connection, key, window_s, self.clock())

    def take_back(self, key: str) -> None:
        """Subtract one attempt under *key*, because it succeeded."""
        with self.database.single() as connection:
            rate_counters.take_back(connection, key)

    def forget(self, key: str) -> None:
        """Reset the counter of *key*, for example after a successful sign-in."""
        with self.database.single() as connection:
            rate_counters.forget(connection, key)

    def _record(self, connection: Connection, by: str, setting: str, table: Table, name: str, **more: str) -> None:
        """Record in the audit stream, in the same transaction, that *by* changed the row of *name*."""
        actor = account_rights.changer(connection, by)
        details = {"setting": setting, **more, **row_after(connection, table, name)}
        body = audit_body("SettingChanged", details, at=self.clock(), actor=actor, subject=name)
        append(connection, body)

    def _stamp(self, by: str) -> dict[str, str]:
        return {"created_at": to_text(self.clock()), "created_by": by}


def _account_row(connection: Connection, name: str) -> Mapping[str, Any]:
    row = connection.execute(select(t.account).where(t.account.c.name == name)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"No account is named {name}.")
    return dict(row)
