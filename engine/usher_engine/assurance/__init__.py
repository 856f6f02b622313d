"""Assurance: checks of the record, proof of one case, activity reports, log review, retention."""

from ..checkpoints import Between
from ..core.findings import Finding
from ..reexecution import Verified
from ..store.check_rows import CheckRun
from ..store.hold_rows import Hold
from ..store.tombstones import Tombstone
from .activity import Activity, Moment, Trail
from .case_proof import CaseProof, Prover
from .integrity_check import Checker, ProofState, proof_state
from .log_review import LogReviews, Review
from .record_check import check_record
from .retention import Plan, Retention

__all__ = [
    "Activity",
    "Between",
    "CaseProof",
    "CheckRun",
    "Checker",
    "Finding",
    "Hold",
    "LogReviews",
    "Moment",
    "Plan",
    "ProofState",
    "Prover",
    "Retention",
    "Review",
    "Tombstone",
    "Trail",
    "Verified",
    "check_record",
    "proof_state",
]
