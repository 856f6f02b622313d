"""Rules for what analysts write into a diagram: expressions, scripts, messages, properties, service parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from keyword import iskeyword

from usher_engine.core.candidate_groups import groups_of
from usher_engine.core.canonical import is_reserved
from usher_engine.core.errors import ExpressionError, InvalidDefinition
from usher_engine.definitions import MISSED, START_PROPERTIES, STARTS_AFTER, Node, ServiceCall
from usher_engine.expressions import (
    close_to,
    compile_expression,
    compile_script,
    compile_template,
    did_you_mean,
    parse_due,
)
from usher_engine.services import Operator

from ..definitions.lint_finding import Finding, Severity
from .process_graph import PEOPLE, Sheet, throws_message
from .service_use import use_problems
from .start_rules import is_case_start
from .structural_remedies import catching, parameter_findings

_USER_PROPERTIES = {"form", "candidateGroups", "dueIn", "priority", "initialValues", "resultVariable"}
#: Kinds that run a script before and after their work; a script task has only its own script.
_WITH_SCRIPTS = {
    *("userTask", "manualTask", "serviceTask", "businessRuleTask", "receiveTask", "sendTask", "subProcess"),
    "callActivity",
}
#: The kinds on which Usher reads each of its extensions; None means all.
_EXTENSIONS: dict[str, set[str] | frozenset[str] | None] = {
    "properties": None,
    "instructionsForEndUser": PEOPLE,
    "preScript": _WITH_SCRIPTS,
    "postScript": _WITH_SCRIPTS,
    "serviceTaskOperator": {"serviceTask", "sendTask"},
    "calledDecisionId": {"businessRuleTask"},
}
#: Kinds whose answer or message is stored under a variable name.
_NAMED = {"businessRuleTask", "receiveTask", "intermediateCatchEvent", "boundaryEvent", "startEvent"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_FORM_LITERAL = re.compile(r"""["']([^"']+\.form)["']""")
#: Written by the engine when a boundary event takes over.
_ENGINE_NAMES = {"error", "cancelled", "escalation", "loopCounter"}
_MAX_PRIORITY = 100
_MAX_COLUMN = 200  # characters of a name that has its own PostgreSQL column (tables.py)
_MAX_NAME = 1_000  # characters of any other name; every page shows names, so they must stay short


def text_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings about texts that would fail at run time."""
    yield from _long_names(sheet)
    for flow in sheet.process.flows:
        if flow.condition is not None:
            problem = _problems_in(compile_expression, flow.condition, "the condition")
            yield from (sheet.finding(flow.id, "expression", message) for message in problem)
    for node in sheet.process.nodes:
        yield from (sheet.finding(node.id, "expression", message) for message in _scripts(node))
        if node.kind in PEOPLE:
            yield from _user_task(sheet, node)
        elif node.kind == "serviceTask" or (throws_message(node) and node.service is not None):
            yield from _service_task(sheet, node)
        elif throws_message(node):
            yield from (sheet.finding(node.id, "message", message) for message in _thrown_message(node))
        yield from _extensions(sheet, node)


def _long_names(sheet: Sheet) -> Iterator[Finding]:
    process = sheet.process
    kept = [(process.id, "name", process.name), *((process.id, "lane", lane) for lane in process.lanes)]
    kept += [(node.id, "candidateGroups", node.properties.get("candidateGroups", "")) for node in process.nodes]
    others = [(node.id, "name", node.name) for node in process.nodes]
    others += [(flow.id, "name", flow.name) for flow in process.flows]
    others += [(node.id, "name of the message", node.message) for node in process.nodes]
    for names, most in ((kept, _MAX_COLUMN), (others, _MAX_NAME)):
        for element, what, name in names:
            if len(name) > most:
                message = f"The {what} has {len(name):,} characters; at most {most:,} can be kept. Shorten it."
                yield sheet.finding(element, "name", message)


def _extensions(sheet: Sheet, node: Node) -> Iterator[Finding]:
    """Findings about Usher extensions on elements where Usher does not read them."""
    for name in node.extensions:
        places = _EXTENSIONS.get(name, set())
        no_scripts = "eventSubProcess" in node.markers and places is _WITH_SCRIPTS
        sends = name == "serviceTaskOperator" and throws_message(node)
        if places is None or sends or (node.kind in places and not no_scripts):
            continue
        if places and name != "instructionsForEndUser":
            message = f"“{name}” is never run here. Move it to a task before or after this element."
            yield sheet.finding(node.id, "misplaced", message)
        else:
            yield sheet.finding(node.id, "ignored", f"The extension “{name}” is ignored.", "warning")
    for name in node.twice:
        yield sheet.finding(node.id, "misplaced", f"“{name}” appears here more than once. Keep one.")
    if node.kind not in PEOPLE:
        for name in node.properties.keys() - _allowed_properties(sheet, node):
            yield sheet.finding(node.id, "ignored", f"The property “{name}” is ignored here.", "warning")


def _allowed_properties(sheet: Sheet, node: Node) -> frozenset[str] | set[str]:
    if is_case_start(sheet, node):
        return START_PROPERTIES | {STARTS_AFTER}
    if throws_message(node) and node.service is None:
        return {"businessKey", "contents", "resultVariable"}
    if node.timer is not None and node.timer.form == "timeCycle":
        return {MISSED}
    if node.kind == "startEvent":
        return {STARTS_AFTER}
    return {"resultVariable"} if node.kind in _NAMED else set()


def compile_problem(compile_text: Callable[[str], object], text: str) -> str:
    """Return why *text* does not compile, or "" if it does."""
    try:
        compile_text(text)
    except ExpressionError as error:
        return f"line {error.line}: {error.message}" if error.line > 1 else error.message
    return ""


def _problems_in(compile_text: Callable[[str], object], text: str, what: str) -> Iterator[str]:
    problem = compile_problem(compile_text, text)
    if problem:
        yield f"In {what}: {problem}"


def _scripts(node: Node) -> Iterator[str]:
    if node.kind == "scriptTask":
        if node.script:
            yield from _problems_in(compile_script, node.script, "the script")
        else:
            yield "The script task has no script. Write one."
    for name, what in (("preScript", "the script before"), ("postScript", "the script after")):
        if node.extensions.get(name, "").strip():
            yield from _problems_in(compile_script, node.extensions[name].strip(), what)


def _user_task(sheet: Sheet, node: Node) -> Iterator[Finding]:
    if not node.name:
        yield sheet.finding(node.id, "name", "The task has no name; people would see its id.", "warning")
    if not (node.lane or node.properties.get("candidateGroups")):
        message = "The task is in no lane and names no candidateGroups; nobody's inbox would show it."
        yield sheet.finding(node.id, "group", message, "warning")
    yield from (
        sheet.finding(node.id, "group", *problem) for problem in _groups(node.properties.get("candidateGroups", ""))
    )
    for name in node.properties.keys() - _USER_PROPERTIES:
        yield sheet.finding(node.id, "ignored", f"The property “{name}” is not known here and is ignored.", "warning")
    yield from (sheet.finding(node.id, "expression", message) for message in _user_task_texts(node))
    yield from (sheet.finding(node.id, "property", message) for message in _user_task_properties(node))
    form = node.properties.get("form")
    if form and form not in sheet.package.files:
        yield sheet.finding(node.id, "form", f"The form {form} is not in the package. Add it or choose another.")


def _groups(text: str) -> Iterator[tuple[str, Severity]]:
    """Problems with a list of groups: empty names and repeated names."""
    names = groups_of(text)
    if text and not names:
        yield "candidateGroups names no group; everybody's inbox would show it. Name one, or empty it.", "error"
    elif text and len(names) < text.count(",") + 1:
        valid = ", ".join(names)
        yield f"candidateGroups “{text}” has an empty or repeated name; Usher reads it as {valid}.", "warning"


def _user_task_texts(node: Node) -> Iterator[str]:
    yield from _problems_in(compile_template, node.extensions.get("instructionsForEndUser", ""), "the message")
    if node.properties.get("initialValues"):
        yield from _problems_in(compile_expression, node.properties["initialValues"], "initialValues")
    if node.properties.get("dueIn"):
        yield from _problems_in(parse_due, node.properties["dueIn"], "dueIn")


def _user_task_properties(node: Node) -> Iterator[str]:
    priority = node.properties.get("priority", "50")
    if not (priority.isascii() and priority.isdigit() and int(priority[:4]) <= _MAX_PRIORITY):
        yield f"The priority must be a whole number from 0 to {_MAX_PRIORITY}."
    yield from _variable(node.properties.get("resultVariable") or node.id)


def _variable(name: str) -> Iterator[str]:
    if is_reserved(name) or name in _ENGINE_NAMES or iskeyword(name):
        yield f"The result variable “{name}” is a reserved name. Choose another."
    elif not _NAME.fullmatch(name):
        yield f"The result variable “{name}” must be a letter followed by letters, digits or _. Set resultVariable."


def _service_task(sheet: Sheet, node: Node) -> Iterator[Finding]:
    call = node.service
    if call is None or not call.operator:
        yield sheet.finding(node.id, "service", "The service task names no operator. Choose one.")
        return
    yield from (sheet.finding(node.id, "expression", message) for message in _parameter_texts(call))
    if call.variable:
        yield from (sheet.finding(node.id, "property", message) for message in _variable(call.variable))
    else:
        yield sheet.finding(node.id, "property", "The result has no name. Set resultVariable.")
    try:
        operator = sheet.services.get(call.operator)
    except InvalidDefinition as error:
        yield sheet.finding(node.id, "service", error.message)
        return
    yield from _operator(sheet, node, call, operator)
    yield from (sheet.finding(node.id, "form", message) for message in _missing_forms(sheet, call))


def _thrown_message(node: Node) -> Iterator[str]:
    """What a thrown message lacks to find the case that waits for it."""
    if not node.message:
        yield "It refers to no message with a name, and names no operator that sends. Choose one of them."
    if not node.properties.get("businessKey"):
        yield "Name the case the message is for: set businessKey to an expression for what that case is about."
    for name in ("businessKey", "contents"):
        if node.properties.get(name):
            yield from _problems_in(compile_expression, node.properties[name], name)
    yield from _variable(node.properties.get("resultVariable") or node.id)


def _parameter_texts(call: ServiceCall) -> Iterator[str]:
    for name, source in call.parameters.items():
        yield from _problems_in(compile_expression, source, f"the parameter “{name}”")


def _operator(sheet: Sheet, node: Node, call: ServiceCall, operator: Operator) -> Iterator[Finding]:
    yield from parameter_findings(sheet, node, operator, set(call.parameters))
    for own in use_problems(operator, sheet.package, call):
        yield sheet.finding(node.id, "service", own.message, "warning" if own.is_warning else "error")
    catchers = [b for b in sheet.boundaries.get(node.id, ()) if b.events == ("error",)]
    # An event that refers to no error, or to one without a code, catches every error.
    caught = {code for b in catchers for code in b.codes or ("",)}
    for catcher in catchers:
        for code in sorted(set(catcher.codes) - set(operator.errors) - {""}):
            hint = did_you_mean(close_to(code, operator.errors))
            known = hint or f" It may refuse with: {', '.join(operator.errors) or 'none'}."
            message = f"“{operator.name}” never refuses with the code “{code}”.{known}"
            # An operator that declares no codes may still refuse; Usher trusts one that declares some.
            yield sheet.finding(catcher.id, "service", message, "error" if operator.errors else "warning")
    open_codes = [code for code in operator.errors if code not in caught and "" not in caught]
    if open_codes:
        quoted = [f"“{code}”" for code in open_codes]
        codes = " or ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
        message = f"“{operator.name}” may refuse with {codes}; without an error boundary event that is an incident."
        yield sheet.finding(node.id, "service", message, "warning", remedy=catching(open_codes[0]))


def _missing_forms(sheet: Sheet, call: ServiceCall) -> Iterator[str]:
    for source in call.parameters.values():
        literal = _FORM_LITERAL.fullmatch(source.strip())
        if literal and literal[1] not in sheet.package.files:
            yield f"The form {literal[1]} is not in the package. Add it or choose another."
