"""The wall around SpiffWorkflow: compile a package, run one step, give back events. Nothing of the library leaves."""

from .diagram import Diagram, Element, compile_diagram, schema_problem
from .run import Run, Step

__all__ = ["Diagram", "Element", "Run", "Step", "compile_diagram", "schema_problem"]
