"""Limits on guessing: what was refused counts, what was right does not. A lock-out is one event, however many tries."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import usher_engine
from flask import request

from . import trail
from .site import site

log = logging.getLogger("usher.locks")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """
    At most *most* refused tries under *key* in *window_s* seconds; *what* is locked then, as the audit log says it.

    *typed* is the name of the account it is for; *forgives*: one right try wipes out the wrong ones.
    """

    key: str
    most: int
    window_s: int
    what: str
    typed: str = ""
    forgives: bool = False

    def count(self) -> bool:
        """Count a try; False when it is one too many."""
        tries = site().accounts.count_try(self.key, self.window_s)
        if tries == self.most + 1:
            log.warning("locked after %d refused tries: %s, asked from %s", self.most, self.what, request.remote_addr)
            told = {"from": request.remote_addr, "what": self.what}
            trail.told("LockedOut", told, subject=account_called(self.typed), actor=trail.STRANGER)
        return tries <= self.most

    def take_back(self) -> None:
        """The try that was counted was right."""
        accounts = site().accounts
        (accounts.forget if self.forgives else accounts.take_back)(self.key)


def count_all(limits: Sequence[Limit]) -> bool:
    """Count a try under each; one that is refused counts under what refuses it only, the rest may be other people's."""
    for place, limit in enumerate(limits):
        if not limit.count():
            for earlier in limits[:place]:
                site().accounts.take_back(earlier.key)
            return False
    return True


def account_called(typed: str) -> str:
    """*typed* if there is such an account; what else is typed as a name may be a password."""
    try:
        return site().accounts.user(typed).name
    except usher_engine.NotFound:
        return ""
