"""SafeLang, the only place that evaluates text from a diagram: Python's syntax, our own evaluator, bounded work.

`engine/expressions.md` describes the language, `engine/decisions/0002-safelang.md` the reasons for its design.
"""

from usher_engine.core.errors import ExpressionError

from .budget import STRICT, Run, checked_number
from .comparison import moment, order_keys, same
from .data_inference import Inferred, after_condition, infer_expression, infer_script, infer_template, parsed_expression
from .doubts import About, Doubt, close_to, did_you_mean, listed
from .durations import parse_due, parse_duration
from .expression import Expression, compile_expression
from .known_data import Known, KnownData, both, changes, either, path_of
from .script import Script, compile_script
from .template import Placeholder, Template, compile_template
from .value_ranges import Case, case_of
from .vocabulary import WORDS, Word

__all__ = [
    "STRICT",
    "WORDS",
    "About",
    "Case",
    "Doubt",
    "Expression",
    "ExpressionError",
    "Inferred",
    "Known",
    "KnownData",
    "Placeholder",
    "Run",
    "Script",
    "Template",
    "Word",
    "after_condition",
    "both",
    "case_of",
    "changes",
    "checked_number",
    "close_to",
    "compile_expression",
    "compile_script",
    "compile_template",
    "did_you_mean",
    "either",
    "infer_expression",
    "infer_script",
    "infer_template",
    "listed",
    "moment",
    "order_keys",
    "parse_due",
    "parse_duration",
    "parsed_expression",
    "path_of",
    "same",
]
