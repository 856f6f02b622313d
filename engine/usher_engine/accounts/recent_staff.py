"""Who works on tasks, for offering colleagues: read now and then, because every open task offers them."""

from __future__ import annotations

from datetime import datetime, timedelta

from .account_values import Account
from .accounts import Accounts
from .roles import Role

#: What somebody may do is decided when it is done, so a list this old does no harm.
KEPT_FOR = timedelta(seconds=30)


class RecentStaff:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._read: tuple[datetime, tuple[Account, ...]] | None = None

    def at_work(self) -> tuple[Account, ...]:
        """Staff who may sign in, by name, as of at most half a minute ago."""
        now = self._accounts.clock()
        if self._read is None or not self._read[0] <= now < self._read[0] + KEPT_FOR:
            staff = (one for one in self._accounts.users() if one.role is Role.STAFF and not one.disabled)
            self._read = now, tuple(staff)
        return self._read[1]
