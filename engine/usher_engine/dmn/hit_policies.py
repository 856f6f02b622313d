"""Hit policies: how matching rules become a result (DMN 1.3, 8.2.11)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from usher_engine.core.canonical import Json, as_stored_json
from usher_engine.core.errors import DecisionFailed
from usher_engine.expressions import Run, checked_number, same

from .decision_table import (
    Decision,
    DecisionResult,
    Rule,
    Table,
    Values,
    answers_of,
    inputs_of,
    matching_rules,
    output_value,
    row_labels,
)
from .literals import kind_of

#: Policies with the outputs of one rule as the result.
ONE = frozenset({"UNIQUE", "FIRST", "ANY", "PRIORITY"})
#: Policies with the outputs of every matching rule as the result.
MANY = frozenset({"RULE ORDER", "OUTPUT ORDER", "COLLECT"})
#: Policies that need output values in order of priority.
ORDERED = frozenset({"PRIORITY", "OUTPUT ORDER"})
AGGREGATIONS = frozenset({"SUM", "MIN", "MAX", "COUNT"})


def decide(decision: Decision, table: Table, run: Run) -> DecisionResult:
    """Evaluate *table* on the data of *run*; raises `DecisionFailed`, which names rows and columns."""
    values = inputs_of(table, run)
    found = matching_rules(table, values, run)
    rules = list(islice(found, 1) if table.policy == "FIRST" else found)
    answers = [(rule, answers_of(table, rule, run)) for rule in rules]
    match table.policy:
        case "UNIQUE" if len(rules) > 1:
            message = f"More than one rule matches: rows {row_labels(rules)}. The table allows one (UNIQUE)."
            raise DecisionFailed(message)
        case "ANY":
            _check_agreement(answers, run)
        case "PRIORITY" | "OUTPUT ORDER":
            answers.sort(key=lambda answer: _rank(table, answer[0], answer[1], run))
    outputs, value = _single_result(table, answers, run) if table.policy in ONE else _list_result(table, answers)
    return DecisionResult(
        decision=decision.id,
        inputs={column.expression.source: value for column, value in zip(table.inputs, values, strict=True)},
        rules=tuple(rule.id for rule, _ in answers),
        outputs=outputs,
        value=value,
    )


def _check_agreement(answers: Sequence[tuple[Rule, Values]], run: Run) -> None:
    for rule, values in answers[1:]:
        first, wanted = answers[0]
        if not all(_agree(value, other, run) for value, other in zip(values, wanted, strict=True)):
            message = f"Rows {row_labels([first, rule])} match and do not agree. In this table they must (ANY)."
            raise DecisionFailed(message)


def _agree(value: Json, other: Json, run: Run) -> bool:
    return same(value, other) if run.strict else (kind_of(value), value) == (kind_of(other), other)


def _rank(table: Table, rule: Rule, values: Values, run: Run) -> tuple[int, ...]:
    ranks = []
    for number, (output, value) in enumerate(zip(table.outputs, values, strict=True), start=1):
        if not output.order:
            continue
        places = [place for place, one in enumerate(output.order) if (same(value, one) if run.strict else value == one)]
        if not places:
            where = f"row {rule.number} ({rule.id}), output column {number} ({output.name})"
            raise DecisionFailed(f"In {where}: the value is not in the column's list of values, so it has no priority.")
        ranks.append(places[0])
    return tuple(ranks)


def _single_result(table: Table, answers: Sequence[tuple[Rule, Values]], run: Run) -> tuple[dict[str, Json], Json]:
    """The outputs of the first of *answers*; without answers, each output's default or None."""
    if answers:
        values = answers[0][1]
    else:
        values = tuple(
            None if output.default is None else output_value(output.default, output, "the default", run)
            for output in table.outputs
        )
    outputs = dict(zip((output.name for output in table.outputs), values, strict=True))
    return outputs, values[0] if len(values) == 1 else outputs


def _list_result(table: Table, answers: Sequence[tuple[Rule, Values]]) -> tuple[dict[str, Json], Json]:
    names = [output.name for output in table.outputs]
    if table.aggregation:
        total = _aggregate(table, answers)
        return {names[0]: total}, total
    outputs: dict[str, Json] = {name: [values[n] for _, values in answers] for n, name in enumerate(names)}
    if len(names) == 1:
        return outputs, outputs[names[0]]
    return outputs, [dict(zip(names, values, strict=True)) for _, values in answers]


def _aggregate(table: Table, answers: Sequence[tuple[Rule, Values]]) -> Json:
    if table.aggregation == "COUNT":
        return len(answers)
    numbers: list[int | float] = []
    for rule, (value,) in answers:
        if isinstance(value, bool) or not isinstance(value, int | float):
            where = f"row {rule.number} ({rule.id})"
            raise DecisionFailed(f"In {where}: {table.aggregation} needs a number, not {kind_of(value)}.")
        numbers.append(value)
    if not numbers:
        return None
    total = sum(numbers) if table.aggregation == "SUM" else min(numbers) if table.aggregation == "MIN" else max(numbers)
    return as_stored_json(checked_number(total))  # type: ignore[no-any-return]
