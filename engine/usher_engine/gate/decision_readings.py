"""What the columns and cells of decision tables read, against the data with which a task asks for the decision."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.core.shape_algebra import usual_texts
from usher_engine.core.shapes import Shape
from usher_engine.definitions import Node
from usher_engine.dmn import KIND_SHAPES, Decision, Decisions, Table, answer_shape, output_shapes
from usher_engine.expressions import KnownData, close_to, did_you_mean, infer_expression, listed

from ..definitions.lint_finding import DATA_RULES, Finding, Rule, Severity
from .shape_fit import mismatches

_MOST_REQUIRED = 100


def decision_data_findings(node: Node, decisions: Decisions, data: KnownData) -> Iterator[Finding]:
    """Findings on the tables that the business rule task *node* asks, with *data*."""
    if node.kind != "businessRuleTask":
        return
    seen: set[str] = set()
    waiting = [node.extensions.get("calledDecisionId", "").strip()]
    while waiting and len(seen) < _MOST_REQUIRED:
        key = waiting.pop()
        decision = decisions.by_id.get(key)
        if decision is None or key in seen:
            continue
        seen.add(key)
        waiting += decision.requires
        known = data
        for required in decision.requires:
            known = _with_answers(known, decisions.by_id.get(required))
        if isinstance(decision.logic, Table):
            yield from _table(decisions.files[key], node, decision, decision.logic, known)


def _with_answers(data: KnownData, decision: Decision | None) -> KnownData:
    if decision is None:
        return data
    for name, shape in output_shapes(decision).items():
        data = data.having(name, shape)
    return data.having(decision.variable, answer_shape(decision)) if decision.variable else data


def _table(file: str, node: Node, decision: Decision, table: Table, data: KnownData) -> Iterator[Finding]:
    for number, column in enumerate(table.inputs, start=1):
        found = infer_expression(column.expression.source, data)
        where = f"In input column {number} ({column.label}), asked by “{node.name or node.id}”:"
        for doubt in found.doubts:
            severity: Severity = "error" if doubt.certain else "warning"
            yield _finding(file, decision.id, DATA_RULES[doubt.about], f"{where} {doubt.message}", severity)
        for misfit in mismatches(found.shape, KIND_SHAPES.get(column.kind, {})):
            if misfit.misfit == "kind":  # null fits every column
                yield _finding(file, decision.id, "data-kind", f"{where} the value {misfit.message}.", "error")
        yield from _cells(file, table, number, found.shape)


def _cells(file: str, table: Table, number: int, shape: Shape) -> Iterator[Finding]:
    """Findings on cells of the input column *number* that ask for a text that never comes."""
    values = usual_texts(shape)
    if not values:
        return
    for rule in table.rules:
        for one in rule.cells[number - 1].literals or ():
            if one.kind == "text" and one.value and one.value not in values:
                close = close_to(str(one.value), values)
                hint = did_you_mean(close) or f" It may be: {listed(filter(None, values))}."
                message = f"In row {rule.number}, input column {number}: the value is never “{one.value}”.{hint}"
                severity: Severity = "error" if "enum" in shape or close else "warning"
                yield _finding(file, rule.id, "data-value", message, severity)


def _finding(file: str, element: str, rule: Rule, message: str, severity: Severity) -> Finding:
    return Finding(file=file, element=element, rule=rule, message=message, severity=severity)
