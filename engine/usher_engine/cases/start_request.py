"""A request to start a case, and the digest that tells it apart from another request under the same idempotency key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
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
    require: Callable[[Transaction], None] | None

    @property
    def digest(self) -> bytes:
        content = {"process": self.process, "data": self.data, "business_key": self.business_key}
        return hashlib.sha256(canonical(content)).digest()

    def remember(self, tx: Transaction, instance: str) -> None:
        """Bind the key, if there is one, to the case that answers it."""
        if self.key is not None:
            requests.remember(tx, source=self.source, key=self.key, body=self.digest, instance=instance)
