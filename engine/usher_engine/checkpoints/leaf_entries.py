"""What a leaf of the tree stands for."""

from __future__ import annotations


def entry(instance: str, revision: int, digest: bytes) -> bytes:
    """
    The entry of a step: its case and revision are in it, so that two cases cannot change places.

    An audit event has no case; its revision is its number.
    """
    return f"{instance}:{revision}:".encode() + digest
