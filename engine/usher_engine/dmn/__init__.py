"""Decision tables (DMN) by an engine of our own: compiled once, refused with row and column, the same on every run.

`decisions.py` is the place to start; which cells and policies there are is told in `engine/decision-tables.md`.
"""

from .decision_compiler import name_problem
from .decision_table import Decision, Made, Table
from .decisions import Decisions, Problem, compile_decisions, read_package
from .hit_policies import ONE
from .table_coverage import Overlap, coverage

__all__ = [
    "ONE", "Decision", "Decisions", "Made", "Overlap", "Problem", "Table",
    "compile_decisions", "coverage", "name_problem", "read_package",
]  # fmt: skip
