"""Usher's engine: runs BPMN diagrams, one command = one step = one transaction. Read `runner.py` first."""

from .definitions import Package
from .errors import (
    BusinessError,
    Conflict,
    Corrupt,
    EngineError,
    InvalidDefinition,
    InvalidSubmission,
    Misconfigured,
    NotAllowed,
    NotFound,
    ServiceError,
    Unavailable,
)
from .questions import SYSTEM, Actor, Instance
from .runner import Engine
from .services import Mode, Operator, Parameter, Services
from .settings import Settings
from .state import InstanceState
from .store import Database, Step, UserTask, Version
from .worker import Worker

__all__ = [
    "SYSTEM",
    "Actor",
    "BusinessError",
    "Conflict",
    "Corrupt",
    "Database",
    "Engine",
    "EngineError",
    "Instance",
    "InstanceState",
    "InvalidDefinition",
    "InvalidSubmission",
    "Misconfigured",
    "Mode",
    "NotAllowed",
    "NotFound",
    "Operator",
    "Package",
    "Parameter",
    "ServiceError",
    "Services",
    "Settings",
    "Step",
    "Unavailable",
    "UserTask",
    "Version",
    "Worker",
]
