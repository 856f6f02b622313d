"""SafeLang, the only place that evaluates text from a diagram: Python's syntax, our own evaluator, bounded work.

`engine/expressions.md` describes the language, `engine/decisions/0002-safelang.md` the reasons for its design.
"""

from usher_engine.core.errors import ExpressionError

from .budget import STRICT, Run, checked_number
from .comparison import moment, order_keys, same
from .durations import parse_duration
from .expression import Expression, compile_expression
from .script import Script, compile_script
from .template import Template, compile_template
from .value_ranges import Case, case_of
from .vocabulary import WORDS, Word

__all__ = [
    "STRICT",
    "WORDS",
    "Case",
    "Expression",
    "ExpressionError",
    "Run",
    "Script",
    "Template",
    "Word",
    "case_of",
    "checked_number",
    "compile_expression",
    "compile_script",
    "compile_template",
    "moment",
    "order_keys",
    "parse_duration",
    "same",
]
