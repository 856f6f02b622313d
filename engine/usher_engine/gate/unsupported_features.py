"""What BPMN lets an element say beyond what runs here: every part and setting runs, or is told on its owner."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import BPMN, FLOW_NODES, PLACEHOLDER, SPIFF, SUB_PROCESSES, XmlElement, line_of

from ..definitions.lint_finding import Finding, Rule, Severity
from .supported_elements import words

_TAG = f"{{{BPMN}}}"
#: Parts that run, are told by another rule, describe or draw.
_KNOWN = FLOW_NODES | {
    *("documentation", "extensionElements", "auditing", "monitoring", "incoming", "outgoing", "categoryValueRef"),
    *("laneSet", "lane", "childLaneSet", "flowNodeRef", "sequenceFlow", "conditionExpression", "script"),
    *("standardLoopCharacteristics", "multiInstanceLoopCharacteristics", "loopCondition", "loopCardinality"),
    *("loopDataInputRef", "loopDataOutputRef", "inputDataItem", "outputDataItem", "completionCondition"),
    *("timeDate", "timeDuration", "timeCycle", "eventDefinitionRef", "textAnnotation", "association", "group"),
    *("ioSpecification", "dataInputAssociation", "dataOutputAssociation"),
    *("dataObject", "dataObjectReference", "dataStoreReference"),
    *("source", "target"),  # a link event names the other end again; what counts is its name
}
#: Parts told by their owner already; nothing below them is looked at.
_WHOLE = {
    *("documentation", "extensionElements", "textAnnotation", "association", "group", "ioSpecification"),
    *("dataInputAssociation", "dataOutputAssociation", "dataObject", "dataObjectReference", "dataStoreReference"),
}
_ROLES = {"performer", "humanPerformer", "potentialOwner", "resourceRole"}
_TAKES = "What an event takes or gives is kept under resultVariable. Remove it, and set that."
_INSTEAD = {
    "property": "Set a name in the data by a script instead.",
    "complexBehaviorDefinition": "Say when to stop by completionCondition.",
    "dataInput": _TAKES,
    "dataOutput": _TAKES,
    "inputSet": _TAKES,
    "outputSet": _TAKES,
}
#: Texts that are one value: an element inside would cut them.
_TEXTS = {
    *("conditionExpression", "script", "loopCondition", "loopCardinality", "completionCondition", "loopDataInputRef"),
    *("loopDataOutputRef", "timeDate", "timeDuration", "timeCycle"),
}
#: Settings by what they may be without changing how the element runs, and what to do instead.
_SETTINGS: dict[str, tuple[str, str]] = {
    "startQuantity": ("1", "It begins with each token that comes. Join them by a parallel gateway before it."),
    "completionQuantity": ("1", "One token leaves it. Draw a parallel gateway behind it."),
    "parallelMultiple": ("false", "Draw an event for each trigger."),
    "instantiate": ("false", "Start the case from outside, by its trigger or the API."),
    "behavior": ("All", "Remove the setting, or throw the event inside of it."),
    "eventGatewayType": ("Exclusive", "The first event to happen says which way is taken."),
}
_OPERATION = "Which operation is called does nothing here; what is done is said by the operator."


def meaning_findings(file: str, process: XmlElement) -> Iterator[Finding]:
    """Parts and settings of *process*, and of everything in it, that would be lost."""
    waiting = [(process, process.get("id") or "")]
    while waiting:
        element, owner = waiting.pop()
        yield from (_finding(file, owner, *found) for found in _settings(element))
        for child in element:
            kind = _kind(child)
            if not kind:
                continue
            key = child.get("id") or owner if kind in FLOW_NODES or kind == "sequenceFlow" else owner
            if element is process and kind == "ioSpecification":
                yield _finding(file, owner, "What a process takes and gives cannot run yet. Remove it.", "error")
            elif _is_flow_part(element) and not _is_known(child, kind):
                yield _finding(file, owner, *_part(child, kind))
            elif kind not in _WHOLE:
                waiting.append((child, key))


def _is_flow_part(element: XmlElement) -> bool:
    """Whether nobody else looks at its parts; those of processes and sub-processes are elements of their own."""
    return _kind(element) not in SUB_PROCESSES | {"process"}


def _is_known(part: XmlElement, kind: str) -> bool:
    return kind in _KNOWN or kind.endswith("EventDefinition") or part.get("name") == PLACEHOLDER


def _settings(element: XmlElement) -> Iterator[tuple[str, Severity]]:
    for name in _own_words(element):
        yield f"“{name[:60]}” of SpiffWorkflow does nothing here.", "warning"
    for name, (harmless, instead) in _SETTINGS.items():
        value = element.get(name)
        if value not in (None, harmless) and not (harmless == "false" and value == "0"):
            yield f"{name}=“{str(value)[:40]}” cannot run yet. {instead}", "error"
    if element.get("operationRef"):
        yield _OPERATION, "warning"
    if _kind(element) in _TEXTS and len(element):
        message = f"An element stands inside the text of {_kind(element)} at line {line_of(element)}. Write text only."
        yield message, "error"


def _own_words(element: XmlElement) -> Iterator[str]:
    """Attributes and extensions in the words Usher shares with SpiffWorkflow, in places where nobody reads them."""
    prefix = f"{{{SPIFF}}}"
    yield from (str(name).removeprefix(prefix) for name in element.attrib if str(name).startswith(prefix))
    if _kind(element) in FLOW_NODES:
        return  # told with the texts of the element
    for extensions in element.findall(f"{_TAG}extensionElements"):
        yield from (str(e.tag).removeprefix(prefix) for e in extensions if str(e.tag).startswith(prefix))


def _part(part: XmlElement, kind: str) -> tuple[str, Severity]:
    if kind == "operationRef":
        return _OPERATION, "warning"
    if kind in _ROLES:
        return f"{words(kind)} does nothing here. Who may do a task is said by its group, on user tasks.", "warning"
    instead = _INSTEAD.get(kind, f"Remove the element at line {line_of(part)}.")
    return f"{words(kind)} cannot run yet. {instead}", "error"


def _finding(file: str, element: str, message: str, severity: Severity) -> Finding:
    rule: Rule = "cannot-run" if severity == "error" else "ignored"
    return Finding(file=file, element=element, rule=rule, message=message, severity=severity)


def _kind(element: XmlElement) -> str:
    tag = str(element.tag)
    return tag.removeprefix(_TAG) if tag.startswith(_TAG) else ""
