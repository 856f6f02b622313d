"""One expression: a condition, a parameter, a timer or a placeholder. It reads data and never changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from usher_engine.core.bounded_cache import cached_by_size
from usher_engine.core.canonical import Json
from usher_engine.core.errors import ExpressionError
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar

from .budget import EXPRESSION_FUEL, SCALARS, STRICT, Code, Run, checked_copy, checked_text
from .compiler import Compiler
from .methods import LOOKING
from .nodes import NODES
from .syntax import parse_expression


@dataclass(frozen=True, kw_only=True, slots=True)
class Expression:
    """
    A compiled expression; create it with `compile_expression`.

    ``names`` are the top-level names it requires, without those read through ``get("…")``.
    """

    source: str
    names: frozenset[str]
    code: Code = field(repr=False, compare=False)

    def evaluate(
        self, data: Mapping[str, Json], now: datetime, rules: int = STRICT, calendar: Calendar = UTC_CALENDAR
    ) -> Json:
        """
        Evaluate on *data* at *now*, the aware time of the step, under its *rules*. The result is a copy.

        Days and wall clocks are those of *calendar*.

        Raises:
            ExpressionError: A name or field is missing, types do not fit, or a limit is exceeded.
        """
        return self.within(Run(data, now, EXPRESSION_FUEL, rules, calendar))

    def within(self, run: Run) -> Json:
        """Evaluate as part of a larger computation, on the data and the remaining fuel of *run*."""
        try:
            value: Json = self.code(run)
            if type(value) is str and run.strict:
                return checked_text(value)
            return value if type(value) in SCALARS else checked_copy(value, storable=run.strict)
        except RecursionError:
            raise ExpressionError("The expression is nested too deeply to be evaluated here.") from None


@cached_by_size(megabytes=16, per_character=170)
def compile_expression(source: str) -> Expression:
    """
    Compile *source*; the result is cached by text.

    Raises:
        ExpressionError: *source* is not valid or uses something outside the language.

    Source: decisions/0002.
    """
    compiler = Compiler(NODES, LOOKING)
    code = compiler.code(parse_expression(source))
    return Expression(source=source, names=frozenset(compiler.names), code=code)
