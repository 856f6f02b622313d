"""Report figures: visits of each element, waiting times, and the paths cases took.

`Figures` is the entry point; `tally` counts one case, `day_figures` stores the counts (decisions/0011).
"""

from .day_figures import Figures, Period, altered_figures
from .tally import OF_ALL, Spread, Tally, Variant

__all__ = ["OF_ALL", "Figures", "Period", "Spread", "Tally", "Variant", "altered_figures"]
