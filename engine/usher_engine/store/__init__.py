"""All SQL of the engine. Rows stay in this package; other packages see frozen dataclasses."""

from .case_search import CaseFilter, Place, Scope
from .change_feed import ChangeFeed
from .database import DATABASE_ERRORS, Database, Transaction, from_text, note_changed, to_text
from .draft_rows import Draft, DraftFile, SetAside, SignOff
from .instance_rows import Row, Step
from .job_rows import Job
from .task_rows import UserTask, task_id
from .version_rows import Version

__all__ = [
    "DATABASE_ERRORS",
    "CaseFilter",
    "ChangeFeed",
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
    "note_changed",
    "task_id",
    "to_text",
]
