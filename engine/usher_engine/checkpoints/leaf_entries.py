"""The entries behind the leaves of the tree."""

from __future__ import annotations


def entry(instance: str, revision: int, digest: bytes) -> bytes:
    """
    Return the entry of a step. It contains case and revision, so two cases cannot be exchanged.

    An audit event has no case; its revision is its number.
    """
    return f"{instance}:{revision}:".encode() + digest
