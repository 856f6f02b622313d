"""All SQL of the engine. Rows stay in here; others see frozen dataclasses."""

from .database import Database, Transaction, from_text, to_text
from .definitions import Version
from .drafts import Draft, DraftFile, SetAside, SignOff
from .inbox import UserTask, task_id
from .instances import Row, Step
from .queue import Job

__all__ = [
    "Database",
    "Draft",
    "DraftFile",
    "Job",
    "Row",
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
