"""Service tasks, decisions and calls of other products: what they name becomes an operator, a table, a process."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..safe_xml import XmlElement
from . import feel, juel
from .lexer import NotUnderstood
from .translation_context import Page, bpmn, name_of, spiff
from .vendor_extensions import ENGINES, ZEEBE

_BEAN = re.compile(r"[$#]\{\s*([A-Za-z_][\w.-]*)\s*\}")


def translate_services(page: Page) -> None:
    for task in list(page.root.iter(bpmn("serviceTask"), bpmn("sendTask"))):
        _service(page, task, task)
    for event in list(page.root.iter(bpmn("intermediateThrowEvent"), bpmn("endEvent"))):
        for message in event.findall(bpmn("messageEventDefinition")):
            _service(page, event, message)
    for task in list(page.root.iter(bpmn("businessRuleTask"))):
        _decision(page, task)
    for task in list(page.root.iter(bpmn("callActivity"))):
        _call(page, task)
    for kind in ("userTask", "manualTask", "subProcess", "scriptTask", "callActivity", "receiveTask"):
        for task in list(page.root.iter(bpmn(kind))):
            _mappings(page, task)


def _service(page: Page, task: XmlElement, named: XmlElement) -> None:
    """What *task* calls; *named* is the element that says so, for events that throw a message a part of them."""
    for namespace in ENGINES:
        called, attribute = _named(named, namespace)
        if not called or _extension(task, spiff("serviceTaskOperator")) is not None:
            continue  # where an operator of ours is set too, one of them would be lost
        variable = named.get(f"{{{namespace}}}resultVariable") or _variable(task)
        parameters = _parameters(page, task, f"{{{namespace}}}inputOutput", "inputParameter", juel.parameter)
        if parameters is None:
            continue
        page.set_operator(task, called, variable, parameters)
        page.drop(named, *(f"{{{namespace}}}{name}" for name in (attribute, "type", "resultVariable")))
        page.read_as(task, f"It calls the operator “{called}” and keeps the result as “{variable}”.", "warning")
    _zeebe_service(page, task)


def _named(task: XmlElement, namespace: str) -> tuple[str, str]:
    """What a task of the old engines calls, and the attribute that says so."""
    for name in ("topic", "class"):
        value = (task.get(f"{{{namespace}}}{name}") or "").strip()
        if value and "{" not in value:
            return value, name
    bean = _BEAN.fullmatch((task.get(f"{{{namespace}}}delegateExpression") or "").strip())
    return (bean[1], "delegateExpression") if bean else ("", "")


def _zeebe_service(page: Page, task: XmlElement) -> None:
    definition = _extension(task, f"{{{ZEEBE}}}taskDefinition")
    if definition is None or _extension(task, spiff("serviceTaskOperator")) is not None:
        return
    called = (definition.get("type") or "").strip()
    if not called or feel.is_feel(called):
        page.refuse(task, f"The job type “{called[:80]}” is computed. Name one operator.")
        return
    parameters = _parameters(page, task, f"{{{ZEEBE}}}ioMapping", "input", feel.parameter)
    if parameters is None:
        return
    variable = _variable(task)
    page.set_operator(task, called, variable, parameters)
    page.remove(definition)
    page.read_as(task, f"It calls the operator “{called}” and keeps the result as “{variable}”.", "warning")


def _decision(page: Page, task: XmlElement) -> None:
    for namespace in ENGINES:
        decision = (task.get(f"{{{namespace}}}decisionRef") or "").strip()
        if not decision:
            continue
        if "{" in decision:
            page.refuse(task, f"The decision “{decision[:80]}” is computed. Name one.")
            continue
        _decides(page, task, decision, task.get(f"{{{namespace}}}resultVariable") or "")
        page.drop(task, f"{{{namespace}}}decisionRef", f"{{{namespace}}}resultVariable")
    called = _extension(task, f"{{{ZEEBE}}}calledDecision")
    if called is not None and not feel.is_feel(called.get("decisionId") or "="):
        _decides(page, task, str(called.get("decisionId")), called.get("resultVariable") or "")
        page.remove(called)


def _decides(page: Page, task: XmlElement, decision: str, variable: str) -> None:
    page.set_decision(task, decision)
    if variable:
        page.set_property(task, "resultVariable", variable)
    page.read_as(task, f"It asks the decision “{decision}”.")


def _call(page: Page, task: XmlElement) -> None:
    called = _extension(task, f"{{{ZEEBE}}}calledElement")
    if called is not None:
        process = called.get("processId") or ""
        if not process or feel.is_feel(process) or called.get("processIdExpression"):
            page.refuse(task, "The called process is computed. Name one process of the package.")
            return
        task.set("calledElement", process)
        page.remove(called)
        page.read_as(task, f"It calls the process “{process}”; both see the same data.", "warning")
    target = task.get("calledElement") or ""
    if "{" in target:
        page.refuse(task, f"The called process “{target[:80]}” is computed. Name one process of the package.")
    elif ":" in target:  # a qualified name: the process has no prefix
        task.set("calledElement", target.rpartition(":")[2])
        page.read_as(task, f"It calls the process “{task.get('calledElement')}”.")
    _passing(page, task)


def _passing(page: Page, task: XmlElement) -> None:
    """What is passed into and out of a call; here both see the same data."""
    passed = False
    extensions = task.find(bpmn("extensionElements"))
    for element in [] if extensions is None else list(extensions):
        namespace, name = name_of(element.tag)
        if namespace not in ENGINES or name not in ("in", "out"):
            continue
        source, target = element.get("source") or "", element.get("target") or ""
        if element.get("sourceExpression"):
            source = page.expression(task, str(element.get("sourceExpression")), "The value", juel.parameter) or ""
            if not source:
                continue
        if target and not target.isidentifier():
            page.refuse(task, f"“{target[:80]}” is no name for data. Set it in a script.")
            continue
        if target and source and source != target:
            page.add_script(task, "preScript" if name == "in" else "postScript", f"{target} = {source}")
        page.remove(element)
        passed = True
    if passed:
        page.read_as(task, "The called process sees all data of this one and gives all of its data back.", "warning")


def _mappings(page: Page, task: XmlElement) -> None:
    """Inputs and outputs of what is no service: lines of the scripts before and after."""
    for namespace in (*ENGINES, ZEEBE):
        zeebe = namespace == ZEEBE
        holder = _extension(task, f"{{{namespace}}}{'ioMapping' if zeebe else 'inputOutput'}")
        if holder is None:
            continue
        reading = feel.parameter if zeebe else juel.parameter
        lines = [_line(page, task, element, reading) for element in holder]
        if None in lines:
            continue
        for script, line in (pair for pair in lines if pair):
            page.add_script(task, script, line)
        page.remove(holder)
        message = "Its inputs and outputs are set by the scripts before and after it; they are seen everywhere."
        page.read_as(task, message, "warning")


def _line(
    page: Page, task: XmlElement, element: XmlElement, reading: Callable[[str], str]
) -> tuple[str, str] | None:
    script = "preScript" if name_of(element.tag)[1].startswith("input") else "postScript"
    name, source = _mapped(element)
    if len(element) or not name.isidentifier():
        page.refuse(task, f"The mapping to “{name[:80]}” cannot be translated. Set it in a script.")
        return None
    value = page.expression(task, source, f"The value of “{name}”", reading)
    return None if value is None else (script, f"{name} = {value}")


def _parameters(
    page: Page, task: XmlElement, holder: str, inner: str, reading: Callable[[str], str]
) -> dict[str, str] | None:
    """The inputs of a service as parameters; None when one is not understood, or when there are outputs."""
    mapping = _extension(task, holder)
    parameters: dict[str, str] = {}
    for element in [] if mapping is None else mapping:
        if name_of(element.tag)[1] != inner:
            message = "What the operator gives back is not translated. Use its result variable where it is read."
            page.refuse(task, message)
            return None
        name, source = _mapped(element)
        if len(element):
            page.refuse(task, f"The parameter “{name[:80]}” is a script or list. Set it in a script task before.")
            return None
        try:
            parameters[name] = reading(source)
        except NotUnderstood as problem:
            message = f"The parameter “{name[:80]}” cannot be translated: {problem.reason}."
            page.refuse(task, f"{message} Write it in Usher's language.")
            return None
    if mapping is not None:
        page.remove(mapping)
    return parameters


def _mapped(element: XmlElement) -> tuple[str, str]:
    """Name and source of one mapping, in either product's words."""
    return (
        element.get("name") or element.get("target") or "",
        element.get("source") if element.get("source") is not None else (element.text or ""),
    )  # type: ignore[return-value]


def _extension(task: XmlElement, tag: str) -> XmlElement | None:
    extensions = task.find(bpmn("extensionElements"))
    return None if extensions is None else extensions.find(tag)


def _variable(task: XmlElement) -> str:
    return f"result_{re.sub('[^A-Za-z0-9_]', '_', str(task.get('id')))}"[:64]
