"""The wall around SpiffWorkflow: compile a package, run one step, give back events. Nothing of the library leaves."""

from .bare import Bare
from .diagram import Diagram, Element, compile_diagram, schema_problems
from .mapping import proposed_mapping, waiting_kinds
from .moving import Moved, move
from .run import LIBRARY_FAILURES, Run
from .stalled import STALLED
from .standing import require_standing, tokens
from .step import FIRST_RULES, RULES, Step
from .timers import due as timer_due
from .timers import literal as timer_literal
from .user_tasks import initial_values

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
