"""Our own engine for DMN decision tables: compiles once, reports faults by row and column, and is deterministic.

Start with `decisions.py`; `engine/decision-tables.md` describes the supported cells and hit policies.
"""

from .decision_compiler import name_problem
from .decision_shapes import KIND_SHAPES, answer_shape, output_shapes
from .decision_table import Decision, DecisionResult, Table
from .decisions import Decisions, Problem, compile_decisions, read_package
from .hit_policies import ONE
from .literals import OFFERED_TYPES
from .table_coverage import Overlap, coverage

__all__ = [
    "KIND_SHAPES", "OFFERED_TYPES", "ONE", "Decision", "DecisionResult", "Decisions", "Overlap", "Problem", "Table",
    "answer_shape", "compile_decisions", "coverage", "name_problem", "output_shapes", "read_package",
]  # fmt: skip
