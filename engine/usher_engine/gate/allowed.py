"""The allow-list: which elements can run. Everything else is refused by name, never dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import Node

from .finding import Finding
from .sheet import Sheet, called

_KINDS = {
    *("startEvent", "endEvent", "boundaryEvent"),
    *("userTask", "manualTask", "scriptTask", "serviceTask", "businessRuleTask"),
    *("exclusiveGateway", "parallelGateway", "inclusiveGateway"),
    *("subProcess", "callActivity"),
}
_INSTEAD = {
    "task": "Choose what it is: a user, service or script task",
    "sendTask": "Use a service task with an operator that sends",
    "eventBasedGateway": "Use a user task with a boundary event",
    "complexGateway": "Use exclusive and parallel gateways",
    "adHocSubProcess": "Draw the order of its tasks in a sub-process",
    "transaction": "Use a sub-process",
}
_MARKERS = {
    "multiInstance": "Multi-instance cannot run yet. Draw a loop with a gateway.",
    "loop": "The loop marker cannot run yet. Draw a loop with a gateway.",
    "compensation": "Compensation cannot run yet. Draw what undoes the work as tasks of its own.",
    "eventSubProcess": "Event sub-processes cannot run yet. Use boundary events.",
    "ioSpecification": "Data associations cannot run yet. Use the names of the process data in expressions.",
}
#: Children of a process that are no flow nodes and change nothing.
_HARMLESS = {
    *("documentation", "extensionElements", "laneSet", "textAnnotation", "association", "group"),
    *("incoming", "outgoing", "auditing", "monitoring"),
}
#: Told through the markers of their owner.
_TOLD = {"multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "ioSpecification", "dataInputAssociation"}


def allowed_findings(sheet: Sheet) -> Iterator[Finding]:
    """Elements of the process that cannot run yet."""
    for node in sheet.process.nodes:
        yield from (sheet.finding(node.id, "cannot-run", message) for message in _reasons(sheet, node))
    for key, kind, line in sheet.process.others:
        if kind not in _HARMLESS | _TOLD:
            message = f"{_words(kind)} cannot run yet. Remove the element at line {line}."
            yield sheet.finding(key or sheet.process.id, "cannot-run", message)


def _reasons(sheet: Sheet, node: Node) -> Iterator[str]:
    yield from (text for marker, text in _MARKERS.items() if marker in node.markers)
    if node.kind not in _KINDS:
        instead = _INSTEAD.get(node.kind)
        yield f"{_words(node.kind)} cannot run yet." + (f" {instead}." if instead else "")
    elif node.kind == "startEvent" and node.events:
        yield f"A start by {_words(node.events[0]).lower()} cannot run yet. Use a plain start event."
    elif node.kind == "endEvent" and set(node.events) - {"terminate"}:
        yield f"An end by {_words(node.events[0]).lower()} cannot run yet. Use a plain or terminating end event."
    elif node.kind == "boundaryEvent":
        yield from _boundary_reasons(sheet, node)


def _boundary_reasons(sheet: Sheet, node: Node) -> Iterator[str]:
    host = sheet.nodes.get(node.attached_to)
    if "nonInterrupting" in node.markers:
        yield "Boundary events that do not interrupt cannot run yet. Make it interrupting."
    if node.events == ("error",):
        if host is not None and host.kind != "serviceTask":
            yield f"An error can only be caught on a service task yet, not on {called(host.id)}."
    elif node.events == ("escalation",):
        if host is not None and host.kind not in ("userTask", "manualTask"):
            yield f"An escalation can only be caught on a user task yet, not on {called(host.id)}."
        if node.codes != ("cancel",):
            yield "Only the escalation with the code “cancel” can be raised by staff. Refer to one with that code."
    else:
        name = _words(node.events[0]).lower() if node.events else "no trigger"
        yield f"A boundary event with {name} cannot run yet. Use an error or the escalation “cancel”."


def _words(kind: str) -> str:
    """``intermediateCatchEvent`` as “Intermediate catch event”."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind)
    return spaced[:1].upper() + spaced[1:]
