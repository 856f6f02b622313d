"""Usher's engine: runs BPMN diagrams, one command = one step = one transaction. Read `runner.py` first."""

from .assurance.activity import Moment, Trail, Trails
from .assurance.case_proof import CaseProof, Prover
from .assurance.integrity_check import Checker, ProofState, proof_state
from .assurance.log_review import Review, Reviewing
from .assurance.retention import Plan, Retention
from .audit.audit_log import KINDS as AUDIT_KINDS
from .audit.audit_log import AuditKind, Look
from .authoring.drafts import draft_key, file_etag
from .authoring.version_pauses import Pauses
from .cases.history_pages import ALTERED, WHOLE, Seen, Window, Windows, legible
from .cases.instance_migration import Trial
from .cases.queries import Instance
from .cases.repair import Repaired
from .cases.search import CasePage, Facets
from .core.actor import SYSTEM, Actor
from .core.canonical import Json, check_input, whole_number
from .core.deadlines import Deadlines, OutOfTime
from .core.errors import (
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
from .core.faults import counts as fault_counts
from .core.faults import report as report_fault
from .core.faults import trace as fault_trace
from .core.findings import Finding
from .core.state import InstanceState, Wait
from .definitions import Package, decision_names, from_zip, to_zip
from .differences import Aspect, Change, ChangeKind, Comparison, compare
from .engine import Engine
from .examples import AskedPerson, AskedService, Awaited, Outcome, Report, Tried, run_examples, try_out
from .forms import Field, Form, parse_form
from .jobs.worker import Worker
from .reexecution import Backtested, Compared, Kind, Verified
from .reporting import OF_ALL, Figures, Period, Spread, Tally, Variant
from .services import Mode, Operator, Parameter, Services
from .settings import Settings
from .store import CaseFilter, Database, Draft, DraftFile, SetAside, SignOff, Step, UserTask, Version
from .store import to_text as stored_time
from .store.audit_rows import AuditEvent
from .store.batch_rows import Batch, BatchCase, BatchKind, BatchStatus
from .store.case_selection import Chosen
from .store.check_rows import CheckRun
from .store.hold_rows import Hold
from .store.pause_rows import EVERY, Pause
from .store.tombstones import Tombstone

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
    "Look",
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
