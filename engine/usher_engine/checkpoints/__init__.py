"""Checkpoints: the hashes of all steps and audit events in one signed tree, whose heads are also kept outside the
database.

`checkpointer` adds new hashes and signs, `tamper_check` finds rows altered or removed since, `case_coverage` finds how
far one case is signed (decisions/0006).
"""

from .case_coverage import Coverage, coverage
from .checkpoint_file import public_key_of, read_lines
from .checkpointer import Checkpointer, take
from .database_key import public_key_of_database, signing_key
from .evidence import Evidence, gather, without_checkpoints
from .evidence_repair import Repaired, repair
from .tamper_check import check_audit, check_checkpoints, check_events, check_everything
from .times import Between

__all__ = [
    "Between",
    "Checkpointer",
    "Coverage",
    "Evidence",
    "Repaired",
    "check_audit",
    "check_checkpoints",
    "check_events",
    "check_everything",
    "coverage",
    "gather",
    "public_key_of",
    "public_key_of_database",
    "read_lines",
    "repair",
    "signing_key",
    "take",
    "without_checkpoints",
]
