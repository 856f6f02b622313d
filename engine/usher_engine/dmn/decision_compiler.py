"""Compiles a decision as drawn into one that can run, and records each fault with its row and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from keyword import iskeyword
from typing import TypeVar

from usher_engine import definitions
from usher_engine.core.canonical import Json, is_reserved
from usher_engine.core.errors import ExpressionError
from usher_engine.definitions import Column, Row
from usher_engine.expressions import Expression, same

from .cell_lexer import INPUT, expression, tokenize
from .decision_table import Answer, Decision, Input, Output, Rule, Table
from .hit_policies import AGGREGATIONS, MANY, ONE, ORDERED
from .literals import TYPES, literal, literal_of
from .unary_tests import Cell, read_cell

MAX_ROWS = 2_000
MAX_COLUMNS = 40
MAX_PROBLEMS = 100

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
#: Variables that the engine sets when a boundary event fires.
_ENGINE_NAMES = {"error", "cancelled"}
_INSTEAD = {
    "context": "Split its entries into decisions of their own that this one requires",
    "invocation": "Write what it computes as a decision of its own that this one requires",
    "knowledgeRequirement": "Write what the knowledge model computes as a decision of its own that this one requires",
    "functionDefinition": "Write what it computes as a decision of its own",
    "relation": "Write the relation as a decision table",
    "list": "Write the list as a literal expression, like [1, 2]",
}
Read = TypeVar("Read")


class Problems:
    """Collects (element, message) pairs so that an analyst sees all faults of a file at once."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def add(self, element: str, message: str) -> None:
        if len(self.found) < MAX_PROBLEMS:
            self.found.append((element, message))

    def attempt(self, element: str, where: str, read: Callable[[], Read]) -> Read | None:
        """Return read(), or None after recording its `ExpressionError` as a problem of *element*."""
        try:
            return read()
        except ExpressionError as error:
            self.add(element, f"{where}: {error.message}")
            return None


def compile_decision(drawn: definitions.Decision, problems: Problems) -> Decision | None:
    """Return *drawn* compiled, or None after adding the reasons to *problems*."""
    before = len(problems.found)
    for kind in drawn.others:
        instead = _INSTEAD.get(kind, "Write a decision table or a literal expression")
        problems.add(drawn.id, f"“{kind}” cannot run. {instead}.")
    logic: Table | Expression | None = None
    variable = drawn.variable if _NAME.fullmatch(drawn.variable) else ""
    if drawn.table is not None:
        logic = _table(drawn, drawn.table, problems)
    elif drawn.expression is not None:
        logic = _literal_expression(drawn, problems)
    elif not drawn.others:
        problems.add(drawn.id, "The decision is empty. Draw its table.")
    kind = _type(drawn.type, drawn.id, "The result", problems) if drawn.table is None else ""
    if logic is None or len(problems.found) > before:
        return None
    return Decision(
        id=drawn.id, name=drawn.name or drawn.id, variable=variable, logic=logic, kind=kind, requires=drawn.requires
    )


def _literal_expression(drawn: definitions.Decision, problems: Problems) -> Expression | None:
    problem = name_problem(drawn.variable)
    if problem:
        problems.add(drawn.id, f"The variable of the decision: {problem}")
    _language(drawn.language, drawn.id, "The expression", problems)
    return problems.attempt(drawn.id, "The expression", lambda: _expression(drawn.expression or ""))


def _table(drawn: definitions.Decision, table: definitions.Table, problems: Problems) -> Table | None:
    columns = len(table.inputs) + len(table.outputs)
    if len(table.rows) > MAX_ROWS or columns > MAX_COLUMNS:
        message = f"A table has at most {MAX_ROWS} rows and {MAX_COLUMNS} columns; split it into several decisions."
        problems.add(drawn.id, message)
        return None
    if not table.outputs:
        problems.add(drawn.id, "The table has no output column. Add one.")
        return None
    inputs = [_input(drawn.id, number, column, problems) for number, column in enumerate(table.inputs, start=1)]
    outputs = [_output(drawn, number, column, problems) for number, column in enumerate(table.outputs, start=1)]
    _policy(drawn.id, table, outputs, problems)
    rows = enumerate(table.rows, start=1)
    rules = [_rule(number, row, table, inputs, outputs, problems) for number, row in rows]
    ready = [column for column in inputs if column is not None]
    if len(ready) < len(inputs):
        return None
    return Table(
        policy=table.hit_policy,
        aggregation=table.aggregation,
        inputs=tuple(ready),
        outputs=tuple(outputs),
        rules=tuple(rule for rule in rules if rule is not None),
    )


def _policy(decision: str, table: definitions.Table, outputs: list[Output], problems: Problems) -> None:
    for message in _policy_problems(table, outputs):
        problems.add(decision, message)


def _policy_problems(table: definitions.Table, outputs: list[Output]) -> Iterator[str]:
    policy, aggregation = table.hit_policy, table.aggregation
    if policy not in ONE | MANY:
        yield f"The hit policy “{policy}” is unknown. Choose one of: {', '.join(sorted(ONE | MANY))}."
    if aggregation and (policy != "COLLECT" or aggregation not in AGGREGATIONS):
        yield f"“{policy} {aggregation}” is unknown; COLLECT supports {', '.join(sorted(AGGREGATIONS))}."
    if aggregation and len(outputs) > 1:
        yield f"COLLECT {aggregation} works on one output column; this table has {len(outputs)}. Split it."
    if policy in ORDERED and not any(output.order for output in outputs):
        yield f"{policy} needs an output column with a list of values in order of priority. Add the list to the column."
    if policy in MANY and any(output.default is not None for output in outputs):
        yield f"A default output works only in tables with one answer; {policy} gives a list. Remove the default."
    names = [output.name for output in outputs]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"Two output columns have the name “{name}”. Give each its own name."


def _input(decision: str, number: int, column: Column, problems: Problems) -> Input | None:
    where = f"Input column {number}"
    kind = _type(column.type, decision, where, problems)
    _language(column.language, decision, where, problems)
    compiled = problems.attempt(decision, where, lambda: _expression(column.text))
    allowed = problems.attempt(decision, f"{where}, list of values", lambda: _value_list(column.values, kind))
    if compiled is None:
        return None
    return Input(expression=compiled, label=column.label or column.text, kind=kind, allowed=allowed or None)


def _output(drawn: definitions.Decision, number: int, column: Column, problems: Problems) -> Output:
    where = f"Output column {number}"
    single = drawn.table is not None and len(drawn.table.outputs) == 1
    name = column.text or (drawn.variable if single else "")
    problem = name_problem(name)
    if problem:
        problems.add(drawn.id, f"{where}: {problem}")
    kind = _type(column.type, drawn.id, where, problems)
    order = problems.attempt(drawn.id, f"{where}, list of values", lambda: _value_list(column.values, kind))
    default, written = None, column.default
    if written is not None:
        default = problems.attempt(drawn.id, f"{where}, default", lambda: _answer(written, kind))
    return Output(name=name, kind=kind, order=order or (), default=default)


def _rule(
    number: int,
    row: Row,
    table: definitions.Table,
    inputs: list[Input | None],
    outputs: list[Output],
    problems: Problems,
) -> Rule | None:
    if (len(row.inputs), len(row.outputs)) != (len(inputs), len(outputs)):
        message = f"Row {number} has {len(row.inputs)} input and {len(row.outputs)} output cells; "
        problems.add(row.id, message + f"the table has {len(inputs)} and {len(outputs)} columns.")
        return None
    for language in row.languages:
        _language(language, row.id, f"Row {number}", problems)
    cells: list[Cell | None] = []
    for column, (text, drawn, known) in enumerate(zip(row.inputs, table.inputs, inputs, strict=True), start=1):
        where = f"Row {number}, input column {column} ({drawn.label or drawn.text})"
        kind = known.kind if known is not None else ""
        cells.append(problems.attempt(row.id, where, lambda text=text, kind=kind: read_cell(text, kind)))  # type: ignore[misc]
    answers: list[Answer | None] = []
    for column, (text, output) in enumerate(zip(row.outputs, outputs, strict=True), start=1):
        where = f"Row {number}, output column {column} ({output.name})"
        ordered = output.order if table.hit_policy in ORDERED else ()
        answers.append(problems.attempt(row.id, where, lambda t=text, o=output, v=ordered: _answer(t, o.kind, v)))  # type: ignore[misc]
    ready = tuple(cell for cell in cells if cell is not None)
    compiled_answers = tuple(answer for answer in answers if answer is not None)
    if (len(ready), len(compiled_answers)) != (len(cells), len(answers)):
        return None
    return Rule(id=row.id, number=number, cells=ready, answers=compiled_answers)


def _answer(source: str, kind: str, order: tuple[Json, ...] = ()) -> Answer:
    """Compile an output cell: a literal, or an expression over the case data."""
    tokens = tokenize(source)
    if not tokens:
        return (None,)
    if [token.text for token in tokens] == ["-"]:
        raise ExpressionError("“-” is for input cells; leave an output cell empty for nothing.")
    found = literal_of(tokens)
    if found is None:
        if any(token.kind == "sign" and token.text == "?" for token in tokens):
            raise ExpressionError("“?” is the value of an input column; an output cannot use it.")
        return expression(source, tokens)
    value = literal(found.value, kind or (found.kind if found.kind not in ("null", "number") else "")).value
    if order and not any(same(value, one) for one in order):
        raise ExpressionError("The value is not in the column's list of values, so it has no priority.")
    return (value,)


def _expression(source: str) -> Expression:
    tokens = tokenize(source)
    if not tokens:
        raise ExpressionError("The expression is empty. Write the input, like patient.age.")
    compiled = expression(source, tokens)
    if INPUT in compiled.names or any(token.text == "?" for token in tokens):
        raise ExpressionError("“?” is available in input cells only.")
    return compiled


def _value_list(source: str, kind: str) -> tuple[Json, ...]:
    """Parse a list of values like ``"a","b"``."""
    cell = read_cell(source, kind)
    found = cell.literals
    if found is None or cell.negated or not all(hasattr(test, "wanted") for test in cell.tests):
        raise ExpressionError('Write a list of values like "a","b".')
    return tuple(one.value for one in found)


def _type(name: str, element: str, where: str, problems: Problems) -> str:
    if name not in TYPES:
        known = ", ".join(key for key in TYPES if key not in ("", "any", "Any"))
        problems.add(element, f"{where}: the type “{name}” is unknown. Choose one of: {known}.")
    return TYPES.get(name, "")


def _language(name: str, element: str, where: str, problems: Problems) -> None:
    if name and "feel" not in name.lower() and "python" not in name.lower():
        problems.add(element, f"{where}: the language “{name}” cannot run here. Write it in FEEL's simple tests.")


def name_problem(name: str) -> str:
    """Why *name* is not a valid variable name; empty if it is."""
    if not name:
        return "it has no name. Name it, with letters, digits and _."
    if is_reserved(name) or name in _ENGINE_NAMES or iskeyword(name):
        return f"“{name}” is a reserved name. Choose another."
    if not _NAME.fullmatch(name):
        return f"the name “{name}” must be a letter followed by letters, digits or _."
    return ""
