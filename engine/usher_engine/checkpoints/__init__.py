"""Checkpoints: the hashes of all steps and audit events in one signed tree, kept outside the database too.

`taking` adds what is new and signs, `checking` finds what was altered or taken away since (decisions/0006).
"""

from .checking import check_audit, check_checkpoints, check_everything
from .file import public_key_of, read_lines
from .taking import Checkpointer, take

__all__ = [
    "Checkpointer",
    "check_audit",
    "check_checkpoints",
    "check_everything",
    "public_key_of",
    "read_lines",
    "take",
]
