"""Verify: the hash chain of a case, and its diagram run again on the recorded inputs with all services off.
Backtest: the same on another package, to see where recorded cases would have gone.

`Verifier.check` and `backtest.compare` are the places to start; `verify_all` and `backtest_all` do so for every case
on all cores.
"""

from ..findings import Finding
from .backtest import Compared, Kind
from .backtests import Backtested, backtest_all, compare_each
from .chain import read_chain, unpacked
from .many import Progress, Verified, verify_all
from .migrated import began
from .recording import Way
from .repair import Repair, make_again
from .verifier import Verifier

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
