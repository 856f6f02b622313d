"""Findings of checks on the stored records: an exact place and one plain sentence each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One difference between the records and what they should be; empty fields do not apply."""

    instance: str
    revision: int | None
    element: str
    kind: str
    message: str
