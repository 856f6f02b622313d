"""Translates service tasks, business rule tasks and call activities into operators, decisions and called processes."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..safe_xml import XmlElement
from . import feel, juel
from .lexer import NotUnderstood
from .translation_context import TranslationContext, bpmn, name_of, spiff
from .vendor_extensions import ENGINES, ZEEBE

_BEAN = re.compile(r"[$#]\{\s*([A-Za-z_][\w.-]*)\s*\}")


def translate_services(context: TranslationContext) -> None:
    for task in list(context.root.iter(bpmn("serviceTask"), bpmn("sendTask"))):
        _service(context, task, task)
    for event in list(context.root.iter(bpmn("intermediateThrowEvent"), bpmn("endEvent"))):
        for message in event.findall(bpmn("messageEventDefinition")):
            _service(context, event, message)
    for task in list(context.root.iter(bpmn("businessRuleTask"))):
        _decision(context, task)
    for task in list(context.root.iter(bpmn("callActivity"))):
        _call(context, task)
    for kind in ("userTask", "manualTask", "subProcess", "scriptTask", "callActivity", "receiveTask"):
        for task in list(context.root.iter(bpmn(kind))):
            _mappings(context, task)


def _service(context: TranslationContext, task: XmlElement, named: XmlElement) -> None:
    """Translate what *task* calls; *named* carries the setting: the task itself, or an event's message definition."""
    for namespace in ENGINES:
        called, attribute = _operator_name(named, namespace)
        if not called or _extension(task, spiff("serviceTaskOperator")) is not None:
            continue  # with an operator of ours set as well, one of the two would be lost
        variable = named.get(f"{{{namespace}}}resultVariable") or _variable(task)
        parameters = _parameters(context, task, f"{{{namespace}}}inputOutput", "inputParameter", juel.parameter)
        if parameters is None:
            continue
        context.set_operator(task, called, variable, parameters)
        context.drop_attributes(named, *(f"{{{namespace}}}{name}" for name in (attribute, "type", "resultVariable")))
        context.report(task, f"It calls the operator “{called}” and stores the result as “{variable}”.", "warning")
    _zeebe_service(context, task)


def _operator_name(task: XmlElement, namespace: str) -> tuple[str, str]:
    """The operator a Camunda 7 style task calls, and the attribute that names it."""
    for name in ("topic", "class"):
        value = (task.get(f"{{{namespace}}}{name}") or "").strip()
        if value and "{" not in value:
            return value, name
    bean = _BEAN.fullmatch((task.get(f"{{{namespace}}}delegateExpression") or "").strip())
    return (bean[1], "delegateExpression") if bean else ("", "")


def _zeebe_service(context: TranslationContext, task: XmlElement) -> None:
    definition = _extension(task, f"{{{ZEEBE}}}taskDefinition")
    if definition is None or _extension(task, spiff("serviceTaskOperator")) is not None:
        return
    called = (definition.get("type") or "").strip()
    if not called or feel.is_feel(called):
        context.refuse(task, f"The job type “{called[:80]}” is computed. Name one operator.")
        return
    parameters = _parameters(context, task, f"{{{ZEEBE}}}ioMapping", "input", feel.parameter)
    if parameters is None:
        return
    variable = _variable(task)
    context.set_operator(task, called, variable, parameters)
    context.remove(definition)
    context.report(task, f"It calls the operator “{called}” and stores the result as “{variable}”.", "warning")


def _decision(context: TranslationContext, task: XmlElement) -> None:
    for namespace in ENGINES:
        decision = (task.get(f"{{{namespace}}}decisionRef") or "").strip()
        if not decision:
            continue
        if "{" in decision:
            context.refuse(task, f"The decision “{decision[:80]}” is computed. Name one.")
            continue
        _set_decision(context, task, decision, task.get(f"{{{namespace}}}resultVariable") or "")
        context.drop_attributes(task, f"{{{namespace}}}decisionRef", f"{{{namespace}}}resultVariable")
    called = _extension(task, f"{{{ZEEBE}}}calledDecision")
    if called is not None and not feel.is_feel(called.get("decisionId") or "="):
        _set_decision(context, task, str(called.get("decisionId")), called.get("resultVariable") or "")
        context.remove(called)


def _set_decision(context: TranslationContext, task: XmlElement, decision: str, variable: str) -> None:
    context.set_decision(task, decision)
    if variable:
        context.set_property(task, "resultVariable", variable)
    context.report(task, f"It evaluates the decision “{decision}”.")


def _call(context: TranslationContext, task: XmlElement) -> None:
    called = _extension(task, f"{{{ZEEBE}}}calledElement")
    if called is not None:
        process = called.get("processId") or ""
        if not process or feel.is_feel(process) or called.get("processIdExpression"):
            context.refuse(task, "The called process is computed. Name one process of the package.")
            return
        task.set("calledElement", process)
        context.remove(called)
        context.report(task, f"It calls the process “{process}”; both processes share their data.", "warning")
    target = task.get("calledElement") or ""
    if "{" in target:
        context.refuse(task, f"The called process “{target[:80]}” is computed. Name one process of the package.")
    elif ":" in target:  # a qualified name: the process has no prefix
        task.set("calledElement", target.rpartition(":")[2])
        context.report(task, f"It calls the process “{task.get('calledElement')}”.")
    _call_mappings(context, task)


def _call_mappings(context: TranslationContext, task: XmlElement) -> None:
    """Translate variables passed into and out of a call into scripts; in Usher both processes share their data."""
    passed = False
    extensions = task.find(bpmn("extensionElements"))
    for element in [] if extensions is None else list(extensions):
        namespace, name = name_of(element.tag)
        if namespace not in ENGINES or name not in ("in", "out"):
            continue
        source, target = element.get("source") or "", element.get("target") or ""
        if element.get("sourceExpression"):
            source = (
                context.translate_expression(task, str(element.get("sourceExpression")), "The value", juel.parameter)
                or ""
            )
            if not source:
                continue
        if target and not target.isidentifier():
            context.refuse(task, f"“{target[:80]}” is not a valid variable name. Set it in a script.")
            continue
        if target and source and source != target:
            context.add_script(task, "preScript" if name == "in" else "postScript", f"{target} = {source}")
        context.remove(element)
        passed = True
    if passed:
        context.report(task, "The called process shares all data with this one, in both directions.", "warning")


def _mappings(context: TranslationContext, task: XmlElement) -> None:
    """Translate inputs and outputs of other elements into lines of their pre- and post-scripts."""
    for namespace in (*ENGINES, ZEEBE):
        zeebe = namespace == ZEEBE
        holder = _extension(task, f"{{{namespace}}}{'ioMapping' if zeebe else 'inputOutput'}")
        if holder is None:
            continue
        translator = feel.parameter if zeebe else juel.parameter
        lines = [_line(context, task, element, translator) for element in holder]
        if None in lines:
            continue
        for script, line in (pair for pair in lines if pair):
            context.add_script(task, script, line)
        context.remove(holder)
        message = "The scripts before and after it set its inputs and outputs, which are visible in the whole case."
        context.report(task, message, "warning")


def _line(
    context: TranslationContext, task: XmlElement, element: XmlElement, translator: Callable[[str], str]
) -> tuple[str, str] | None:
    script = "preScript" if name_of(element.tag)[1].startswith("input") else "postScript"
    name, source = _mapping(element)
    if len(element) or not name.isidentifier():
        context.refuse(task, f"The mapping to “{name[:80]}” cannot be translated. Set it in a script.")
        return None
    value = context.translate_expression(task, source, f"The value of “{name}”", translator)
    return None if value is None else (script, f"{name} = {value}")


def _parameters(
    context: TranslationContext, task: XmlElement, holder: str, inner: str, translator: Callable[[str], str]
) -> dict[str, str] | None:
    """The inputs of a service as parameters; None if one cannot be translated or there are output mappings."""
    mapping = _extension(task, holder)
    parameters: dict[str, str] = {}
    for element in [] if mapping is None else mapping:
        if name_of(element.tag)[1] != inner:
            message = "Output mappings of a service are not translated. Use its result variable instead."
            context.refuse(task, message)
            return None
        name, source = _mapping(element)
        if len(element):
            context.refuse(
                task, f"The parameter “{name[:80]}” is a script or list. Set it in a script task before this one."
            )
            return None
        try:
            parameters[name] = translator(source)
        except NotUnderstood as problem:
            message = f"The parameter “{name[:80]}” cannot be translated: {problem.reason}."
            context.refuse(task, f"{message} Write it in Usher's language.")
            return None
    if mapping is not None:
        context.remove(mapping)
    return parameters


def _mapping(element: XmlElement) -> tuple[str, str]:
    """Name and source of one mapping, in Camunda 7 or Camunda 8 notation."""
    return (
        element.get("name") or element.get("target") or "",
        element.get("source") if element.get("source") is not None else (element.text or ""),
    )  # type: ignore[return-value]


def _extension(task: XmlElement, tag: str) -> XmlElement | None:
    extensions = task.find(bpmn("extensionElements"))
    return None if extensions is None else extensions.find(tag)


def _variable(task: XmlElement) -> str:
    return f"result_{re.sub('[^A-Za-z0-9_]', '_', str(task.get('id')))}"[:64]
