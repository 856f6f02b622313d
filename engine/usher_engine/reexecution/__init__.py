"""Verify: the hash chain of a case, and its diagram run again on the recorded inputs with all services off.
Backtest: the same on another package, to see where recorded cases would have gone.

`Verifier.check` and `backtest.compare` are the places to start; `verify_all` and `backtest_all` do so for every case
on all cores.
"""

from ..core.findings import Finding
from .backtest_runs import Backtested, backtest_all, compare_each
from .case_backtest import Compared, Kind
from .case_verifier import Verifier
from .hash_chain import read_chain, unpacked
from .migration_step import began
from .recorded_case import Way
from .repair_plan import Repair, make_again
from .verify_many import Progress, Verified, verify_all

__all__ = [
    "Backtested",
    "Compared",
    "Finding",
    "Kind",
    "Progress",
    "Repair",
    "Verified",
    "Verifier",
    "Way",
    "backtest_all",
    "began",
    "compare_each",
    "make_again",
    "read_chain",
    "unpacked",
    "verify_all",
]
