"""The life of a case: commands, the steps they write, results of jobs, messages, searches. Read `commands` first."""

from ..core.state import InstanceState, Wait
from ..store import CaseFilter, Step, UserTask
from ..store import to_text as stored_time
from ..store.batch_rows import Batch, BatchCase, BatchKind, BatchStatus
from ..store.case_selection import CaseSelection
from ..store.task_draft_rows import TaskDraft
from .backtest_tally import questions
from .call_history import Called, CallHistory, Plans, calls_after, follow_calls
from .closed_tasks import ClosedTask
from .history_pages import ALTERED, WHOLE, HistoryPage, HistoryPages, PagedStep, readable_steps
from .instance_migration import Trial
from .queries import Instance
from .repair import Repaired
from .search import CasePage, Facets, Onlookers
from .starts import SENT_TWICE, Begun, Offer
from .undo import HeldMail

__all__ = [
    "ALTERED",
    "SENT_TWICE",
    "WHOLE",
    "Batch",
    "BatchCase",
    "BatchKind",
    "BatchStatus",
    "Begun",
    "CallHistory",
    "Called",
    "CaseFilter",
    "CasePage",
    "CaseSelection",
    "ClosedTask",
    "Facets",
    "HeldMail",
    "HistoryPage",
    "HistoryPages",
    "Instance",
    "InstanceState",
    "Offer",
    "Onlookers",
    "PagedStep",
    "Plans",
    "Repaired",
    "Step",
    "TaskDraft",
    "Trial",
    "UserTask",
    "Wait",
    "calls_after",
    "follow_calls",
    "questions",
    "readable_steps",
    "stored_time",
]
