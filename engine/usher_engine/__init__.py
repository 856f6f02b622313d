"""
Usher's engine: runs BPMN diagrams, one command = one step = one transaction. Read `cases/commands.py` first.

Exported here is what every program needs: the engine, its settings, services and worker, who acts, and the errors. What
belongs to one capability is exported by its package: `cases`, `authoring`, `audit`, `assurance`, `reporting`,
`definitions`, `forms`, `differences`, `examples`, `reexecution`, `core`.
"""

from .cases import Instance, Step, UserTask
from .core.actor import SYSTEM, Actor
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
from .engine import Engine
from .jobs.open_queue import open_queue
from .jobs.worker import Worker
from .operator_use import Wording
from .services import Mode, Operator, Parameter, Services
from .settings import Settings
from .store import ChangeFeed, Database

__all__ = [
    "SYSTEM",
    "Actor",
    "BusinessError",
    "CannotMigrate",
    "ChangeFeed",
    "Conflict",
    "Corrupt",
    "Database",
    "Engine",
    "EngineError",
    "ExpressionError",
    "Instance",
    "InvalidDefinition",
    "InvalidSubmission",
    "LimitExceeded",
    "Misconfigured",
    "Mode",
    "NotAllowed",
    "NotFound",
    "Operator",
    "Parameter",
    "Paused",
    "Purged",
    "ServiceError",
    "Services",
    "Settings",
    "StaleDraft",
    "Step",
    "Unavailable",
    "UserTask",
    "Wording",
    "Worker",
    "open_queue",
]
