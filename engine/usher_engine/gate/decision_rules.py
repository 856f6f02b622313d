"""Rules for decision tables and for the tasks that use them."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import Node, Package
from usher_engine.dmn import ONE, Decision, Decisions, Overlap, Table, coverage, name_problem, read_package

from ..definitions.lint_finding import Finding, Severity
from .process_graph import Sheet, quoted


def decision_findings(package: Package) -> Iterator[Finding]:
    """Findings that keep a decision from running, by id of the decision or rule; then those about doubtful tables."""
    decisions = read_package(package)
    for problem in decisions.problems:
        yield Finding(file=problem.file, element=problem.element, rule="decision", message=problem.message)
    for key, decision in decisions.by_id.items():
        if isinstance(decision.logic, Table):
            yield from _doubts(decisions.files[key], decision, decision.logic)


def _doubts(file: str, decision: Decision, table: Table) -> Iterator[Finding]:
    for found in coverage(table):
        if found.rules and table.policy == "UNIQUE":
            yield _doubt(file, found.rules[1].id, _overlap(found), "warning")
        elif not found.rules and table.policy in ONE and any(output.default is None for output in table.outputs):
            message = f"No rule matches when {found.example}; the outputs are then empty. Add a rule, or a default."
            yield _doubt(file, decision.id, message, "info")


def _overlap(found: Overlap) -> str:
    first, second = (rule.number for rule in found.rules)
    return f"Rows {first} and {second} both match when {found.example}; only one may (UNIQUE), so a case stops there."


def _doubt(file: str, element: str, message: str, severity: Severity) -> Finding:
    return Finding(file=file, element=element, rule="decision-cover", message=message, severity=severity)


def decision_task_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings about business rule tasks without a decision, with a missing one, or with a reserved variable name."""
    tasks = [node for node in sheet.process.nodes if node.kind == "businessRuleTask"]
    decisions = read_package(sheet.package) if tasks else Decisions()
    for node in tasks:
        yield from (sheet.finding(node.id, "decision", message) for message in _task_problems(node, decisions))


def _task_problems(node: Node, decisions: Decisions) -> Iterator[str]:
    key = node.extensions.get("calledDecisionId", "").strip()
    if not key:
        yield "The task names no decision. Set calledDecisionId to the id of a decision of this package."
    elif key not in decisions.files:
        known = ", ".join(sorted(decisions.files)[:10]) or "none"
        yield f"The decision {quoted(key)} is not in the package. It has: {known}."
    variable = node.properties.get("resultVariable", "")
    if variable and name_problem(variable):
        yield f"The result variable: {name_problem(variable)}"
