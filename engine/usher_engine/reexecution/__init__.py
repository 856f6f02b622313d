"""Verify: check the hash chain of a case and re-execute its diagram on the recorded inputs with all services off.
Backtest: re-execute recorded cases on another package to see where they would have gone.

Start with `Verifier.check` and `case_backtest.compare`; `verify_all` and `backtest_all` run them for every case on all
cores.
"""

from ..core.findings import Finding
from .assumptions import Assumption, Question, by_question, read_assumptions
from .backtest_answers import KnownAnswer
from .backtest_runs import Backtested, backtest_all, compare_each
from .case_backtest import Compared, Kind, Trial
from .case_verifier import Verifier
from .causes import Alternatives, Causes, Origins
from .hash_chain import read_chain, unpack_step
from .migration_step import initial_version
from .recorded_case import Way
from .recorded_services import disable_outside
from .repair_plan import Repair, plan_repair
from .undo_step import UNDOABLE, UndoneStep, undo_events
from .verify_many import Progress, Verified, verify_all

__all__ = [
    "UNDOABLE",
    "Alternatives",
    "Assumption",
    "Backtested",
    "Causes",
    "Compared",
    "Finding",
    "Kind",
    "KnownAnswer",
    "Origins",
    "Progress",
    "Question",
    "Repair",
    "Trial",
    "UndoneStep",
    "Verified",
    "Verifier",
    "Way",
    "backtest_all",
    "by_question",
    "compare_each",
    "disable_outside",
    "initial_version",
    "plan_repair",
    "read_assumptions",
    "read_chain",
    "undo_events",
    "unpack_step",
    "verify_all",
]
