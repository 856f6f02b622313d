"""SafeLang: the only place where text from a diagram is evaluated. Python's syntax, our own evaluator, bounded work.

What analysts may write is in `engine/expressions.md`, why it is built this way in `engine/decisions/0002-safelang.md`.
"""

from usher_engine.core.errors import ExpressionError

from .budget import STRICT, Run, checked_number
from .comparison import moment, ordered, same
from .durations import parse_duration
from .expression import Expression, compile_expression
from .script import Script, compile_script
from .template import Template, compile_template
from .value_ranges import Case, case_of

__all__ = [
    "STRICT",
    "Case",
    "Expression",
    "ExpressionError",
    "Run",
    "Script",
    "Template",
    "case_of",
    "checked_number",
    "compile_expression",
    "compile_script",
    "compile_template",
    "moment",
    "ordered",
    "parse_duration",
    "same",
]
