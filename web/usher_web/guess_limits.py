"""Limits on guessing passwords and links. Only refused tries count; a lock-out is one audit event (decisions/0023)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

import usher_engine
from flask import request

from . import audit_logging
from .site import site

log = logging.getLogger("usher.guess_limits")

#: Every subscriber can choose at least this many bits of an IPv6 address (RFC 6177): count the network as one visitor.
OWN_BITS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """
    At most *most* refused tries under *key* in *window_s* seconds.

    *what* names in the audit log what gets locked; *typed* is the account name from the form. With *forgives* one
    correct try resets the counter.
    """

    key: str
    most: int
    window_s: int
    what: str
    typed: str = ""
    forgives: bool = False

    def count(self) -> bool:
        """Count a try; False when it exceeds the limit. The first such try records the lock-out."""
        tries = site().accounts.count_try(self.key, self.window_s)
        if tries == self.most + 1:
            log.warning("locked after %d refused tries: %s, asked from %s", self.most, self.what, request.remote_addr)
            details = {"from": request.remote_addr, "what": self.what}
            audit_logging.record("LockedOut", details, subject=account_called(self.typed), actor=audit_logging.STRANGER)
        return tries <= self.most

    def take_back(self) -> None:
        """Uncount the try: it was correct."""
        accounts = site().accounts
        (accounts.forget if self.forgives else accounts.take_back)(self.key)


def source() -> str:
    """The origin of the request, as limits count it: an IPv4 address, or the network of an IPv6 address."""
    written = request.remote_addr or ""
    try:
        address = ip_address(written)
    except ValueError:
        return written
    if not isinstance(address, IPv6Address):
        return written
    return str(address.ipv4_mapped or IPv6Address(int(address) >> OWN_BITS << OWN_BITS))


def count_all(limits: Sequence[Limit]) -> bool:
    """Count a try under each limit; False if one refuses it; then only that one counts it."""
    for place, limit in enumerate(limits):
        if not limit.count():
            for earlier in limits[:place]:
                site().accounts.take_back(earlier.key)
            return False
    return True


def account_called(typed: str) -> str:
    """The account called *typed*, else an empty text: people type passwords into the name field."""
    try:
        return site().accounts.user(typed).name
    except usher_engine.NotFound:
        return ""
