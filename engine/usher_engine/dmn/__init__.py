"""Decision tables (DMN) by an engine of our own: compiled once, refused with row and column, the same on every run.

`decisions.py` is the place to start; which cells and policies there are is told in `engine/decision-tables.md`.
"""

from .compiling import name_problem
from .coverage import Overlap, coverage
from .decisions import Decisions, Problem, compile_decisions, read_package
from .policies import ONE
from .table import Decision, Made, Table

__all__ = [
    "ONE", "Decision", "Decisions", "Made", "Overlap", "Problem", "Table",
    "compile_decisions", "coverage", "name_problem", "read_package",
]  # fmt: skip
