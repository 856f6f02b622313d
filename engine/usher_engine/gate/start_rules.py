"""Rules for what a start event declares: the start form, who may start a case, and what the case is about."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.core.canonical import is_reserved
from usher_engine.core.errors import ExpressionError, InvalidDefinition
from usher_engine.definitions import STARTER_ROLES, Node, declared, is_start_of
from usher_engine.expressions import compile_expression
from usher_engine.forms import Form, parse_form

from ..definitions.lint_finding import Finding
from .data_names import ENGINE_NAMES
from .process_graph import Sheet, quoted


def is_case_start(sheet: Sheet, node: Node) -> bool:
    """Whether a case begins with *node*: the start event of a process that no other process calls."""
    if not is_start_of(node, sheet.process.id):
        return False
    calls = (n.called for process in sheet.callable_processes.values() for n in process.nodes)
    return sheet.process.id not in calls


def start_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings about the start event of a process that can be started."""
    for node in sheet.process.nodes:
        if is_case_start(sheet, node):
            yield from _starters(sheet, node)
            form = _start_form(sheet, node)
            yield from _form(sheet, node, form)
            yield from _business_key(sheet, node, form)


def _starters(sheet: Sheet, node: Node) -> Iterator[Finding]:
    start = declared(node)
    for name, found in (("candidateStarterGroups", start.groups), ("candidateStarterRoles", start.roles)):
        text = node.properties.get(name, "")
        if len(found) < (text.count(",") + 1 if text.strip() else 0):
            valid = ", ".join(found) or "none"
            message = f"{name} “{text[:60]}” has an empty or repeated name; Usher reads it as {valid}."
            yield sheet.finding(node.id, "group", message, "warning")
    for role in start.roles:
        if role not in STARTER_ROLES:
            known = ", ".join(STARTER_ROLES)
            message = f"The role {quoted(role[:60])} can start no case. Choose from: {known}."
            yield sheet.finding(node.id, "group", message)
    if start.form and not (start.groups or start.roles):
        message = "Nobody sees the start form: name the groups or roles that may start a case."
        yield sheet.finding(node.id, "group", message, "warning")


def _start_form(sheet: Sheet, node: Node) -> Form | None:
    """The start form, if there is one that can be read; the form's own rule reports any other."""
    name = declared(node).form
    try:
        return parse_form(sheet.package.text(name)) if name in sheet.package.files else None
    except InvalidDefinition:
        return None


def _form(sheet: Sheet, node: Node, form: Form | None) -> Iterator[Finding]:
    name = declared(node).form
    if name and name not in sheet.package.files:
        yield sheet.finding(node.id, "form", f"The form {name} is not in the package. Add it or choose another.")
    for field in form.fields if form else ():
        if is_reserved(field.key) or field.key in ENGINE_NAMES:
            message = f"The field {quoted(field.key)} of {name} has a name that the engine uses. Give it another key."
            yield sheet.finding(node.id, "form", message)


def _business_key(sheet: Sheet, node: Node, form: Form | None) -> Iterator[Finding]:
    source = declared(node).business_key
    if not source:
        return
    try:
        names = compile_expression(source).names
    except ExpressionError as error:
        yield sheet.finding(node.id, "expression", f"In businessKey: {error.message}")
        return
    if not declared(node).form:
        message = "businessKey names the case by what its start form asks for; the start event has no form. Choose one."
        yield sheet.finding(node.id, "expression", message)
    elif form is not None:
        for name in sorted(names - {field.key for field in form.fields}):
            known = ", ".join(field.key for field in form.fields) or "none"
            message = f"In businessKey: the start form has no field {quoted(name)}. Its fields: {known}."
            yield sheet.finding(node.id, "expression", message)
