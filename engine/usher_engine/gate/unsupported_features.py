"""Reports every BPMN attribute and child element that Usher does not run, on the element that owns it."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import BPMN, FLOW_NODES, PLACEHOLDER, SPIFF, SUB_PROCESSES, XmlElement, line_of

from ..definitions.lint_finding import Finding, Rule, Severity
from .supported_elements import readable_kind

_TAG = f"{{{BPMN}}}"
#: Child elements that run, that another rule reports, or that only describe or draw.
_KNOWN = FLOW_NODES | {
    *("documentation", "extensionElements", "auditing", "monitoring", "incoming", "outgoing", "categoryValueRef"),
    *("laneSet", "lane", "childLaneSet", "flowNodeRef", "sequenceFlow", "conditionExpression", "script"),
    *("standardLoopCharacteristics", "multiInstanceLoopCharacteristics", "loopCondition", "loopCardinality"),
    *("loopDataInputRef", "loopDataOutputRef", "inputDataItem", "outputDataItem", "completionCondition"),
    *("timeDate", "timeDuration", "timeCycle", "eventDefinitionRef", "textAnnotation", "association", "group"),
    *("ioSpecification", "dataInputAssociation", "dataOutputAssociation"),
    *("dataObject", "dataObjectReference", "dataStoreReference"),
    *("source", "target"),  # a link event repeats its other end here; only its name counts
}
#: Child elements reported on their owner by another rule; this module does not look inside them.
_NOT_ENTERED = {
    *("documentation", "extensionElements", "textAnnotation", "association", "group", "ioSpecification"),
    *("dataInputAssociation", "dataOutputAssociation", "dataObject", "dataObjectReference", "dataStoreReference"),
}
_ROLES = {"performer", "humanPerformer", "potentialOwner", "resourceRole"}
_DATA_OF_EVENTS = "Usher stores what an event receives or returns under resultVariable. Remove this, and set that."
_INSTEAD = {
    "property": "Set a name in the data by a script instead.",
    "complexBehaviorDefinition": "Write when to stop as completionCondition.",
    "dataInput": _DATA_OF_EVENTS,
    "dataOutput": _DATA_OF_EVENTS,
    "inputSet": _DATA_OF_EVENTS,
    "outputSet": _DATA_OF_EVENTS,
}
#: Elements whose text is one value; an element inside would cut it short.
_TEXTS = {
    *("conditionExpression", "script", "loopCondition", "loopCardinality", "completionCondition", "loopDataInputRef"),
    *("loopDataOutputRef", "timeDate", "timeDuration", "timeCycle"),
}
#: Attributes with the value that does not change how the element runs, and what to do instead of another value.
_SETTINGS: dict[str, tuple[str, str]] = {
    "startQuantity": ("1", "It begins for each token that arrives. Join them by a parallel gateway before it."),
    "completionQuantity": ("1", "One token leaves it. Draw a parallel gateway after it."),
    "parallelMultiple": ("false", "Draw an event for each trigger."),
    "instantiate": ("false", "Start the case from outside, by its trigger or the API."),
    "behavior": ("All", "Remove the setting, or throw the event inside it."),
    "eventGatewayType": ("Exclusive", "The first event to happen decides the way."),
}
_OPERATION = "Usher ignores operationRef; the service operator determines what is called."


def unsupported_findings(file: str, process: XmlElement) -> Iterator[Finding]:
    """Findings about attributes and child elements of *process*, at any depth, that Usher would lose."""
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
                yield _finding(
                    file, owner, "Process inputs and outputs (ioSpecification) cannot run yet. Remove them.", "error"
                )
            elif _is_flow_part(element) and not _is_known(child, kind):
                yield _finding(file, owner, *_unsupported_child(child, kind))
            elif kind not in _NOT_ENTERED:
                waiting.append((child, key))


def _is_flow_part(element: XmlElement) -> bool:
    """Whether this module checks the children of *element*; other rules check those of processes and sub-processes."""
    return _kind(element) not in SUB_PROCESSES | {"process"}


def _is_known(part: XmlElement, kind: str) -> bool:
    return kind in _KNOWN or kind.endswith("EventDefinition") or part.get("name") == PLACEHOLDER


def _settings(element: XmlElement) -> Iterator[tuple[str, Severity]]:
    for name in _spiff_names(element):
        yield f"“{name[:60]}” of SpiffWorkflow does nothing here.", "warning"
    for name, (harmless, instead) in _SETTINGS.items():
        value = element.get(name)
        if value not in (None, harmless) and not (harmless == "false" and value == "0"):
            yield f"{name}=“{str(value)[:40]}” cannot run yet. {instead}", "error"
    if element.get("operationRef"):
        yield _OPERATION, "warning"
    if _kind(element) in _TEXTS and len(element):
        message = f"The text of {_kind(element)} at line {line_of(element)} contains an element. Write text only."
        yield message, "error"


def _spiff_names(element: XmlElement) -> Iterator[str]:
    """Yield SpiffWorkflow attributes and extensions in places where Usher does not read them."""
    prefix = f"{{{SPIFF}}}"
    yield from (str(name).removeprefix(prefix) for name in element.attrib if str(name).startswith(prefix))
    if _kind(element) in FLOW_NODES:
        return  # expression_rules reports these
    for extensions in element.findall(f"{_TAG}extensionElements"):
        yield from (str(e.tag).removeprefix(prefix) for e in extensions if str(e.tag).startswith(prefix))


def _unsupported_child(part: XmlElement, kind: str) -> tuple[str, Severity]:
    if kind == "operationRef":
        return _OPERATION, "warning"
    if kind in _ROLES:
        return f"{readable_kind(kind)} does nothing here. Set candidateGroups on user tasks instead.", "warning"
    instead = _INSTEAD.get(kind, f"Remove the element at line {line_of(part)}.")
    return f"{readable_kind(kind)} cannot run yet. {instead}", "error"


def _finding(file: str, element: str, message: str, severity: Severity) -> Finding:
    rule: Rule = "cannot-run" if severity == "error" else "ignored"
    return Finding(file=file, element=element, rule=rule, message=message, severity=severity)


def _kind(element: XmlElement) -> str:
    tag = str(element.tag)
    return tag.removeprefix(_TAG) if tag.startswith(_TAG) else ""
