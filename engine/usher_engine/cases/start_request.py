"""A request to start a case, and the digest that tells it apart from another request under the same idempotency key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..core.canonical import canonical
from ..store import Transaction, requests


@dataclass(frozen=True, slots=True)
class StartRequest:
    """The arguments of a start; their digest distinguishes a repeated request from another one under the same key."""

    process: str
    data: dict[str, Any]
    business_key: str
    one_live: bool
    key: str | None
    source: str
    #: A person's own start: the process must admit them, and only what its start form asks for is taken.
    by_person: bool = False
    #: Values that no field of the start form asks for are kept; without a start form all are.
    keeps_others: bool = False
    #: Start another case although the same person began one with this content a moment ago.
    again: bool = False
    #: Finds the process, in place of ``process``; if it raises, nothing is started.
    find: Callable[[Transaction], str] | None = None

    def found(self, tx: Transaction) -> StartRequest:
        """The request with the id of its process."""
        return self if self.find is None else replace(self, process=self.find(tx))

    @property
    def digest(self) -> bytes:
        content = {"process": self.process, "data": self.data, "business_key": self.business_key}
        return hashlib.sha256(canonical(content)).digest()

    def remember(self, tx: Transaction, instance: str) -> None:
        """Bind the key, if there is one, to the case that answers it."""
        if self.key is not None:
            requests.remember(tx, source=self.source, key=self.key, body=self.digest, instance=instance)

    def same_words(self, person: str) -> tuple[str, str]:
        """The source and key under which the newest case that *person* started with this content is kept."""
        return f"words:{person}", self.digest.hex()
