"""The life of a case: commands, the steps they write, results of jobs, messages, searches. Read `commands` first."""

from ..core.case_comments import COMMENTED, CORRECTED, MAX_COMMENT, WITHDRAWN, Attached, Comment, is_comment
from ..core.state import InstanceState, Wait
from ..store import CaseFilter, Step, UserTask
from ..store import to_text as stored_time
from ..store.batch_rows import Batch, BatchCase, BatchKind, BatchStatus
from ..store.case_selection import CaseSelection
from ..store.mention_rows import Mention
from ..store.task_counts import KindCount, TaskCounts
from ..store.task_draft_rows import DraftBasis, SavedDraft, TaskDraft
from ..store.task_filter import TaskFilter, TaskOrder, cursor_of
from ..store.task_run_rows import TaskOfRun, TaskOutcome
from ..store.visible_tasks import Page as TaskPage
from ..store.workload_counts import Load, Workload
from .backtest_tally import questions
from .call_history import Called, CallHistory, Plans, calls_after, follow_calls
from .case_files import NewFile
from .closed_tasks import ClosedTask
from .comments import cannot_be_mentioned, comments_of
from .history_pages import ALTERED, WHOLE, HistoryPage, HistoryPages, PagedStep, readable_steps
from .instance_migration import Trial
from .queries import Instance
from .repair import Repaired
from .search import CasePage, Facets, Onlookers
from .starts import SENT_TWICE, Begun, Offer
from .task_queries import is_held_by_another
from .task_queries import may_see as may_see_task
from .task_runs import MOST as MOST_TASKS
from .task_runs import BulkAct, DryRun, TaskAct
from .undo import HeldMail

__all__ = [
    "ALTERED",
    "COMMENTED",
    "CORRECTED",
    "MAX_COMMENT",
    "MOST_TASKS",
    "SENT_TWICE",
    "WHOLE",
    "WITHDRAWN",
    "Attached",
    "Batch",
    "BatchCase",
    "BatchKind",
    "BatchStatus",
    "Begun",
    "BulkAct",
    "CallHistory",
    "Called",
    "CaseFilter",
    "CasePage",
    "CaseSelection",
    "ClosedTask",
    "Comment",
    "DraftBasis",
    "DryRun",
    "Facets",
    "HeldMail",
    "HistoryPage",
    "HistoryPages",
    "Instance",
    "InstanceState",
    "KindCount",
    "Load",
    "Mention",
    "NewFile",
    "Offer",
    "Onlookers",
    "PagedStep",
    "Plans",
    "Repaired",
    "SavedDraft",
    "Step",
    "TaskAct",
    "TaskCounts",
    "TaskDraft",
    "TaskFilter",
    "TaskOfRun",
    "TaskOrder",
    "TaskOutcome",
    "TaskPage",
    "Trial",
    "UserTask",
    "Wait",
    "Workload",
    "calls_after",
    "cannot_be_mentioned",
    "comments_of",
    "cursor_of",
    "follow_calls",
    "is_comment",
    "is_held_by_another",
    "may_see_task",
    "questions",
    "readable_steps",
    "stored_time",
]
