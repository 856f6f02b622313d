"""The parts of a running web application. Views reach the engine, the domain and the accounts through `site()`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from flask import current_app
from usher_engine import Engine, Settings
from usher_engine.accounts import Accounts, RecentStaff
from usher_engine.assurance import Prover
from usher_engine.enrollment import Enrollment
from usher_engine.reporting import Figures

KEY = "usher"


@dataclass(frozen=True, kw_only=True, slots=True)
class CaughtMail:
    """A mail the demo's catcher took in; *links* are the addresses in its text."""

    to: str
    subject: str
    text: str
    at: datetime
    message_id: str
    links: tuple[str, ...]


class Outbox(Protocol):
    """The mail that the demo's mail catcher caught."""

    def mails(self) -> Sequence[CaughtMail]:
        """Newest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    engine: Engine
    enrollment: Enrollment
    accounts: Accounts
    settings: Settings
    #: Caches the proofs of cases for the life of the process.
    prover: Prover
    figures: Figures
    staff: RecentStaff
    outbox: Outbox | None = None

    def now(self) -> datetime:
        return self.accounts.clock()

    def today(self) -> date:
        """The day it is where the practice is."""
        return self.settings.calendar.day_of(self.now())


def site() -> Site:
    """The site of the application that answers this request."""
    found: Site = current_app.extensions[KEY]
    return found
