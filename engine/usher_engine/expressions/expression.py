"""One expression: a condition, a parameter, a timer, the value of a placeholder. It looks at data and changes none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from usher_engine.core.bounded_cache import cached_by_size
from usher_engine.core.canonical import Json
from usher_engine.core.errors import ExpressionError

from .budget import EXPRESSION_FUEL, SCALARS, STRICT, Code, Run, checked_text, copied
from .compiler import Compiler
from .methods import LOOKING
from .nodes import NODES
from .syntax import parsed_expression


@dataclass(frozen=True, kw_only=True, slots=True)
class Expression:
    """
    A compiled expression; make one with `compile_expression`.

    ``names`` are the top-level names it cannot do without (those behind ``get("…")`` are not among them).
    """

    source: str
    names: frozenset[str]
    code: Code = field(repr=False, compare=False)

    def evaluate(self, data: Mapping[str, Json], now: datetime, rules: int = STRICT) -> Json:
        """
        The value for *data* at *now*, the aware time of the step, by its *rules*; it shares nothing with *data*.

        Raises:
            ExpressionError: A name or field is missing, kinds do not fit, or a limit is reached.
        """
        return self.within(Run(data, now, EXPRESSION_FUEL, rules))

    def within(self, run: Run) -> Json:
        """The value as one part of a larger piece of work, on the data of *run* and on what is left of its fuel."""
        try:
            value: Json = self.code(run)
            if type(value) is str and run.strict:
                return checked_text(value)
            return value if type(value) in SCALARS else copied(value, storable=run.strict)
        except RecursionError:
            raise ExpressionError("The expression is nested too deeply to be evaluated here.") from None


@cached_by_size(megabytes=16, per_character=170)
def compile_expression(source: str) -> Expression:
    """
    Compile *source*, once for each text.

    Raises:
        ExpressionError: Says what is not understood or not part of the language.

    Source: decisions/0002.
    """
    compiler = Compiler(NODES, LOOKING)
    code = compiler.code(parsed_expression(source))
    return Expression(source=source, names=frozenset(compiler.names), code=code)
