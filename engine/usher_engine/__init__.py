"""Usher's engine: runs BPMN diagrams, one command = one step = one transaction. Read `runner.py` first."""

from .audit import KINDS as AUDIT_KINDS
from .audit import AuditKind
from .canonical import Json, check_input, whole_number
from .checks import Checker, ProofState, proof_state
from .deadlines import Deadlines, OutOfTime
from .definitions import Package, decision_names, from_zip, to_zip
from .differences import Aspect, Change, ChangeKind, Comparison, compare
from .drafts import draft_key, file_etag
from .errors import (
    BusinessError,
    CannotMigrate,
    Conflict,
    Corrupt,
    EngineError,
    ExpressionError,
    InvalidDefinition,
    InvalidSubmission,
    LimitExceeded,
    Misconfigured,
    NotAllowed,
    NotFound,
    Paused,
    Purged,
    ServiceError,
    StaleDraft,
    Unavailable,
)
from .examples import AskedPerson, AskedService, Awaited, Outcome, Report, Tried, run_examples, try_out
from .faults import counts as fault_counts
from .faults import report as report_fault
from .faults import trace as fault_trace
from .figures import OF_ALL, Figures, Period, Spread, Tally, Variant
from .findings import Finding
from .forms import Field, Form, parse_form
from .migrating import Trial
from .pausing import Pauses
from .proving import CaseProof, Prover
from .questions import SYSTEM, Actor, Instance
from .repairing import Repaired
from .replay import Backtested, Compared, Kind, Verified
from .retention import Plan, Retention
from .reviewing import Review, Reviewing
from .runner import Engine
from .searching import CasePage, Facets
from .services import Mode, Operator, Parameter, Services
from .settings import Settings
from .state import InstanceState, Wait
from .store import CaseFilter, Database, Draft, DraftFile, SetAside, SignOff, Step, UserTask, Version
from .store import to_text as stored_time
from .store.audit import AuditEvent
from .store.batches import Batch, BatchCase, BatchKind, BatchStatus
from .store.checks import CheckRun
from .store.chosen import Chosen
from .store.holds import Hold
from .store.pauses import EVERY, Pause
from .store.tombstones import Tombstone
from .trails import Moment, Trail, Trails
from .windows import ALTERED, WHOLE, Seen, Window, Windows, legible
from .worker import Worker

__all__ = [
    "ALTERED",
    "AUDIT_KINDS",
    "EVERY",
    "OF_ALL",
    "SYSTEM",
    "WHOLE",
    "Actor",
    "AskedPerson",
    "AskedService",
    "Aspect",
    "AuditEvent",
    "AuditKind",
    "Awaited",
    "Backtested",
    "Batch",
    "BatchCase",
    "BatchKind",
    "BatchStatus",
    "BusinessError",
    "CannotMigrate",
    "CaseFilter",
    "CasePage",
    "CaseProof",
    "Change",
    "ChangeKind",
    "CheckRun",
    "Checker",
    "Chosen",
    "Compared",
    "Comparison",
    "Conflict",
    "Corrupt",
    "Database",
    "Deadlines",
    "Draft",
    "DraftFile",
    "Engine",
    "EngineError",
    "ExpressionError",
    "Facets",
    "Field",
    "Figures",
    "Finding",
    "Form",
    "Hold",
    "Instance",
    "InstanceState",
    "InvalidDefinition",
    "InvalidSubmission",
    "Json",
    "Kind",
    "LimitExceeded",
    "Misconfigured",
    "Mode",
    "Moment",
    "NotAllowed",
    "NotFound",
    "Operator",
    "OutOfTime",
    "Outcome",
    "Package",
    "Parameter",
    "Pause",
    "Paused",
    "Pauses",
    "Period",
    "Plan",
    "ProofState",
    "Prover",
    "Purged",
    "Repaired",
    "Report",
    "Retention",
    "Review",
    "Reviewing",
    "Seen",
    "ServiceError",
    "Services",
    "SetAside",
    "Settings",
    "SignOff",
    "Spread",
    "StaleDraft",
    "Step",
    "Tally",
    "Tombstone",
    "Trail",
    "Trails",
    "Trial",
    "Tried",
    "Unavailable",
    "UserTask",
    "Variant",
    "Verified",
    "Version",
    "Wait",
    "Window",
    "Windows",
    "Worker",
    "check_input",
    "compare",
    "decision_names",
    "draft_key",
    "fault_counts",
    "fault_trace",
    "file_etag",
    "from_zip",
    "legible",
    "parse_form",
    "proof_state",
    "report_fault",
    "run_examples",
    "stored_time",
    "to_zip",
    "try_out",
    "whole_number",
]
