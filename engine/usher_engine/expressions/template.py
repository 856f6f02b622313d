"""Text with `{{ expression }}` placeholders, for messages and mails. Nothing else in the text is special."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from usher_engine.core.bounded_cache import cached_by_size
from usher_engine.core.canonical import Json
from usher_engine.core.errors import ExpressionError
from usher_engine.core.practice_calendar import UTC_CALENDAR, Calendar

from .budget import MAX_SIZE, STRICT, TEMPLATE_FUEL, Run, check_size, checked_text
from .expression import Expression, compile_expression
from .functions import text_of
from .syntax import EXPRESSION_LENGTH

# Quoted text first, so }} between quotes does not end the placeholder.
_QUOTE_OR_END = re.compile(r""""[^"\n]*"|'[^'\n]*'|\}\}""")


@dataclass(frozen=True, kw_only=True, slots=True)
class Placeholder:
    """An expression and the line of the template it starts on."""

    expression: Expression
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A compiled template; create it with `compile_template`. ``names`` is as in `Expression`."""

    source: str
    names: frozenset[str]
    parts: tuple[str | Placeholder, ...]

    def render(
        self,
        data: Mapping[str, Json],
        now: datetime,
        escape: Callable[[str], str] = str,
        *,
        rules: int = STRICT,
        calendar: Calendar = UTC_CALENDAR,
    ) -> str:
        """
        Render on *data* at *now*, under the *rules* and the *calendar* of the step.

        *escape* applies to each inserted value, not to the template's own text. None is inserted as "".

        Raises:
            ExpressionError: A placeholder cannot be evaluated; carries its line.
        """
        run = Run(data, now, TEMPLATE_FUEL, rules, calendar)
        return "".join(_bounded(part if isinstance(part, str) else escape(_fill(part, run)) for part in self.parts))

    def inserted(
        self, data: Mapping[str, Json], now: datetime, *, rules: int = STRICT, calendar: Calendar = UTC_CALENDAR
    ) -> tuple[str, ...]:
        """The text of each placeholder in order, as `render` inserts it, for who puts it in place elsewhere."""
        run = Run(data, now, TEMPLATE_FUEL, rules, calendar)
        return tuple(_bounded(_fill(part, run) for part in self.parts if isinstance(part, Placeholder)))


def _bounded(pieces: Iterable[str]) -> list[str]:
    """*pieces* as a list, refused before they become one text: a short template can name a long text many times."""
    kept: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        check_size(size)
        kept.append(piece)
    return kept


def _fill(placeholder: Placeholder, run: Run) -> str:
    try:
        value = placeholder.expression.code(run)
        text = "" if value is None else text_of(value)
        return _charge(text, run) if run.strict else text
    except RecursionError:
        raise ExpressionError("The placeholder is nested too deeply.", line=placeholder.line) from None
    except ExpressionError as error:
        raise ExpressionError(error.message, line=placeholder.line) from None


def _charge(text: str, run: Run) -> str:
    run.spend(1)
    run.spend_text(text)
    return checked_text(text)


@cached_by_size(megabytes=16, per_character=100)
def compile_template(text: str) -> Template:
    """
    Compile *text* with its placeholders.

    Raises:
        ExpressionError: A placeholder is not valid; carries its line.
    """
    if len(text) > MAX_SIZE:
        raise ExpressionError(f"A template is a text of at most {MAX_SIZE} characters.")
    checked_text(text)
    parts = tuple(_parts(text))
    names = [part.expression.names for part in parts if isinstance(part, Placeholder)]
    return Template(source=text, names=frozenset().union(*names), parts=parts)


def _parts(text: str) -> Iterator[str | Placeholder]:
    position, line = 0, 1
    while (start := text.find("{{", position)) >= 0:
        if start > position:
            yield text[position:start]
        line += text.count("\n", position, start)
        end = _end(text, start + 2, line)
        yield _placeholder(text[start + 2 : end], line)
        line += text.count("\n", start, end)
        position = end + 2
    if position < len(text):
        yield text[position:]


def _end(text: str, start: int, line: int) -> int:
    for found in _QUOTE_OR_END.finditer(text, start, start + EXPRESSION_LENGTH + 2):
        if found.group() == "}}":
            return found.start()
    raise ExpressionError("A placeholder opens with “{{” and is not closed with “}}”.", line=line)


def _placeholder(source: str, line: int) -> Placeholder:
    try:
        return Placeholder(expression=compile_expression(source.strip()), line=line)
    except ExpressionError as error:
        raise ExpressionError(f"In “{{{{ … }}}}”: {error.message}", line=line) from None
