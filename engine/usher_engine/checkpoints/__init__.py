"""Checkpoints: the hashes of all steps and audit events in one signed tree, kept outside the database too.

`taking` adds what is new and signs, `checking` finds what was altered or taken away since, `coverage`
says how far one case is signed (decisions/0006).
"""

from .checking import check_audit, check_checkpoints, check_everything
from .coverage import Coverage, coverage
from .file import public_key_of, read_lines
from .taking import Checkpointer, take

__all__ = [
    "Checkpointer",
    "Coverage",
    "check_audit",
    "check_checkpoints",
    "check_everything",
    "coverage",
    "public_key_of",
    "read_lines",
    "take",
]
