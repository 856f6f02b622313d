"""Assurance: checks of the record, proof of one case, activity reports, log review, retention."""

from ..core.findings import Finding
from ..reexecution import Verified
from ..store.check_rows import CheckRun
from ..store.hold_rows import Hold
from ..store.tombstones import Tombstone
from .activity import Moment, Trail, Trails
from .case_proof import CaseProof, Prover
from .integrity_check import Checker, ProofState, proof_state
from .log_review import Review, Reviewing
from .retention import Plan, Retention

__all__ = [
    "CaseProof",
    "CheckRun",
    "Checker",
    "Finding",
    "Hold",
    "Moment",
    "Plan",
    "ProofState",
    "Prover",
    "Retention",
    "Review",
    "Reviewing",
    "Tombstone",
    "Trail",
    "Trails",
    "Verified",
    "proof_state",
]
