"""Who works on tasks, for offering colleagues: read now and then, because every open task offers them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from ..core.actor import StandIn
from .account_values import Account
from .accounts import Accounts
from .roles import Role
from .substitutes import Substitutes

#: What somebody may do is decided when it is done, so a list this old does no harm.
KEPT_FOR = timedelta(seconds=30)


class RecentStaff:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._substitutes = Substitutes(accounts.database, accounts.clock, accounts.calendar)
        self._read: tuple[datetime, tuple[Account, ...]] | None = None
        self._away: tuple[StandIn, ...] = ()

    def at_work(self) -> tuple[Account, ...]:
        """Staff who may sign in, by name, as of at most half a minute ago."""
        now = self._accounts.clock()
        if self._read is None or not self._read[0] <= now < self._read[0] + KEPT_FOR:
            staff = (one for one in self._accounts.users() if one.role is Role.STAFF and not one.disabled)
            self._read, self._away = (now, tuple(staff)), self._substitutes.absences()
        return self._read[1]

    def forget(self) -> None:
        """Read afresh the next time: who is away has just changed."""
        self._read = None

    def stand_ins(self, person: str, groups: Collection[str]) -> list[StandIn]:
        """Who stands in for *person* with a task of these candidate groups, as of the last `at_work`."""
        return [one for one in self._away if one.person == person and one.covers(groups)]
