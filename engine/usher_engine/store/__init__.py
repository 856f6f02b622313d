"""All SQL of the engine. Rows stay in here; others see frozen dataclasses."""

from .database import DATABASE_ERRORS, Database, Transaction, from_text, to_text
from .definitions import Version
from .drafts import Draft, DraftFile, SetAside, SignOff
from .inbox import UserTask, task_id
from .instances import Row, Step
from .queue import Job
from .search import CaseFilter, Place, Scope

__all__ = [
    "DATABASE_ERRORS",
    "CaseFilter",
    "Database",
    "Draft",
    "DraftFile",
    "Job",
    "Place",
    "Row",
    "Scope",
    "SetAside",
    "SignOff",
    "Step",
    "Transaction",
    "UserTask",
    "Version",
    "from_text",
    "task_id",
    "to_text",
]
