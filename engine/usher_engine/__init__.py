"""Usher's engine: runs BPMN diagrams, one command = one step = one transaction. Read `runner.py` first."""

from .canonical import Json, check_input
from .definitions import Package, from_zip
from .errors import (
    BusinessError,
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
    ServiceError,
    Unavailable,
)
from .forms import Field, Form, parse_form
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
    "ExpressionError",
    "Field",
    "Form",
    "Instance",
    "InstanceState",
    "InvalidDefinition",
    "InvalidSubmission",
    "Json",
    "LimitExceeded",
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
    "check_input",
    "from_zip",
    "parse_form",
]
