"""The wall around SpiffWorkflow: compiles a package, runs one step, returns events. No library object leaves it."""

from .benchmark_floor import Bare
from .compiled_diagram import Diagram, Element, compile_diagram, schema_problems
from .element_mapping import proposed_mapping, waiting_kinds
from .run import LIBRARY_FAILURES, Run
from .stalled_scopes import STALLED
from .state_check import require_standing, tokens
from .step_context import FIRST_RULES, RULES, Step
from .task_properties import initial_values
from .timer_due import due as timer_due
from .timer_due import literal as timer_literal
from .token_migration import Moved, move

__all__ = [
    "FIRST_RULES",
    "LIBRARY_FAILURES",
    "RULES",
    "STALLED",
    "Bare",
    "Diagram",
    "Element",
    "Moved",
    "Run",
    "Step",
    "compile_diagram",
    "initial_values",
    "move",
    "proposed_mapping",
    "require_standing",
    "schema_problems",
    "timer_due",
    "timer_literal",
    "tokens",
    "waiting_kinds",
]
