"""A compiled decision: a table with its columns, rules and hit policy, or one expression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from usher_engine.core.canonical import Json, as_stored_json
from usher_engine.core.errors import DecisionFailed, ExpressionError
from usher_engine.expressions import Expression, Run

from .cell_lexer import INPUT
from .literals import literal
from .unary_tests import Cell

#: An output cell: a constant (a tuple of one value) or an expression.
Answer: TypeAlias = tuple[Json] | Expression
#: The outputs of one rule, in the order of the columns.
Values: TypeAlias = tuple[Json, ...]


@dataclass(frozen=True, kw_only=True)
class Input:
    """*kind* is the required type, empty for any; *allowed* lists the allowed values, None if not restricted."""

    expression: Expression
    label: str
    kind: str
    allowed: tuple[Json, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Output:
    """*order* lists its values from highest to lowest priority."""

    name: str
    kind: str
    order: tuple[Json, ...] = ()
    default: Answer | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row; *number* starts at 1, as in editors."""

    id: str
    number: int
    cells: tuple[Cell, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    policy: str
    aggregation: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """*logic* is a table or one expression; *variable* is the name of its result for decisions that require it."""

    id: str
    name: str
    variable: str
    logic: Table | Expression
    kind: str = ""
    requires: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the outputs."""
        if isinstance(self.logic, Table):
            return tuple(output.name for output in self.logic.outputs)
        return (self.variable,)


@dataclass(frozen=True, kw_only=True)
class DecisionResult:
    """
    The result of one decision.

    ``inputs`` maps each input expression to its value; ``rules`` lists the ids of the matching rules in order of
    precedence; ``outputs`` maps each output to its value; ``value`` is the whole answer as one value.
    """

    decision: str
    inputs: dict[str, Json]
    rules: tuple[str, ...]
    outputs: dict[str, Json]
    value: Json


def row_labels(rules: Iterable[Rule]) -> str:
    return ", ".join(f"{rule.number} ({rule.id})" for rule in rules)


def inputs_of(table: Table, run: Run) -> list[Json]:
    """Evaluate the input columns; raises `DecisionFailed` for a value of the wrong type."""
    found: list[Json] = []
    for number, column in enumerate(table.inputs, start=1):
        where = f"input column {number} ({column.label})"
        try:
            value = as_stored_json(column.expression.within(run))
            run.spend_deep(value)
            literal(value, column.kind)
        except ExpressionError as error:
            raise DecisionFailed(f"In {where}: {error.message}") from error
        found.append(value)
    return found


def matching_rules(table: Table, values: list[Json], run: Run) -> Iterator[Rule]:
    """Yield the rules whose cells all match, from top to bottom."""
    data = run.variables
    for rule in table.rules:
        for number, (cell, column, value) in enumerate(zip(rule.cells, table.inputs, values, strict=True), start=1):
            data[INPUT] = value
            try:
                if not cell.matches(value, column.kind, run):
                    break
            except (ExpressionError, DecisionFailed) as error:
                where = f"row {rule.number} ({rule.id}), input column {number} ({column.label})"
                raise DecisionFailed(f"In {where}: {error.message}") from error
        else:
            yield rule


def answers_of(table: Table, rule: Rule, run: Run) -> Values:
    """Evaluate the output cells of *rule*."""
    cells = enumerate(zip(table.outputs, rule.answers, strict=True), start=1)
    row = f"row {rule.number} ({rule.id}), output column"
    return tuple(output_value(answer, output, f"{row} {number}", run) for number, (output, answer) in cells)


def output_value(answer: Answer, output: Output, where: str, run: Run) -> Any:
    """Evaluate one output cell; raises `DecisionFailed` for a value of the wrong type."""
    if isinstance(answer, tuple):
        return answer[0]
    try:
        value = as_stored_json(answer.within(run))
        run.spend_deep(value)
        literal(value, output.kind)
    except ExpressionError as error:
        raise DecisionFailed(f"In {where} ({output.name}): {error.message}") from error
    return value
