"""Reports in numbers: how often each element was visited, how long it made people wait, which ways cases took.

`Figures` is the door; `tally` counts one case, `day_figures` keeps what was counted (decisions/0011).
"""

from .day_figures import Figures, Period
from .tally import OF_ALL, Spread, Tally, Variant

__all__ = ["OF_ALL", "Figures", "Period", "Spread", "Tally", "Variant"]
