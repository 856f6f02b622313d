"""The allow-list: which elements can run. The gate refuses everything else by name and drops nothing silently."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import Node

from ..definitions.lint_finding import Finding
from .process_graph import Sheet, quoted

_KINDS = {
    *("startEvent", "endEvent", "boundaryEvent"),
    *("intermediateCatchEvent", "intermediateThrowEvent"),
    *("userTask", "manualTask", "scriptTask", "serviceTask", "businessRuleTask"),
    *("receiveTask", "sendTask"),
    *("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"),
    *("subProcess", "callActivity"),
}
_INSTEAD = {
    "task": "Choose what it is: a user, service or script task",
    "complexGateway": "Use exclusive and parallel gateways",
    "adHocSubProcess": "Draw the order of its tasks in a sub-process",
    "transaction": "Use a sub-process",
}
_MARKERS = {
    "compensation": "Compensation cannot run yet. Draw what undoes the work as tasks of its own.",
    "ioSpecification": "Task inputs and outputs cannot run yet. Use the names of the process data in expressions.",
    "dataAssignment": "Assignments between data and a task cannot run yet. Set the names by a script.",
}
#: Kinds that can repeat.
_REPEATED = {
    *("userTask", "manualTask", "scriptTask", "serviceTask", "sendTask", "businessRuleTask"),
    *("subProcess", "callActivity"),
}
#: The triggers each kind may have, with advice for any other; a kind in _BARE may have none.
_CATCH = {"timer", "message", "error", "escalation"}
_SEND = "Throw a message, or use a service task with an operator that sends"
_EVENTS = {
    "startEvent": (_CATCH, "Start the case from outside, by its trigger or the API"),
    "endEvent": ({"terminate", "error", "escalation", "message"}, f"{_SEND}, then a plain end"),
    "intermediateCatchEvent": ({"timer", "message", "link"}, "Wait for a message or a time"),
    "intermediateThrowEvent": ({"escalation", "link", "message"}, _SEND),
    "boundaryEvent": (_CATCH, "Use a timer, message, error or escalation"),
}
_BARE = {"startEvent", "endEvent", "intermediateThrowEvent"}
#: The kinds to which a boundary event with this trigger can be attached.
_HOSTS = {
    "timer": {"userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "subProcess", "callActivity"},
    "message": {"userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "subProcess", "callActivity"},
    "error": {"serviceTask", "sendTask", "subProcess", "callActivity"},
    "escalation": {"userTask", "manualTask", "subProcess", "callActivity"},
}
#: Children of a process that are not flow nodes and do not change how it runs.
_HARMLESS = {
    *("documentation", "extensionElements", "laneSet", "textAnnotation", "association", "group"),
    *("incoming", "outgoing", "auditing", "monitoring"),
}
#: Reported through the markers of their owner.
_REPORTED_BY_OWNER = {
    *("multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "ioSpecification"),
    *("dataInputAssociation", "dataOutputAssociation"),
}
#: Drawn only: case data are variables that every element can read.
_DRAWN = {
    "dataObject": "Data objects",
    "dataObjectReference": "Data objects",
    "dataStoreReference": "Data stores",
    "dataAssociation": "Arrows between data and tasks",
}
_NAMED = 5


def allowed_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings about elements that cannot run yet."""
    for node in sheet.process.nodes:
        yield from (sheet.finding(node.id, "cannot-run", message) for message in _reasons(sheet, node))
    yield from _drawn_only(sheet)
    for key, kind, line in sheet.process.others:
        if kind not in _HARMLESS | _REPORTED_BY_OWNER | _DRAWN.keys():
            message = f"{readable_kind(kind)} cannot run yet. Remove the element at line {line}."
            yield sheet.finding(key or sheet.process.id, "cannot-run", message)


def _drawn_only(sheet: Sheet) -> Iterator[Finding]:
    """One finding for each kind of element that is only drawn, on the first of its kind."""
    found: dict[str, list[str]] = {}
    for key, kind, _ in sheet.process.others:
        if kind in _DRAWN and key:
            found.setdefault(_DRAWN[kind], []).append(key)
    tasks = [node.id for node in sheet.process.nodes if "dataAssociation" in node.markers]
    if tasks:
        found[_DRAWN["dataAssociation"]] = tasks
    for what, keys in found.items():
        message = (
            f"{what} are drawn only ({len(keys)} here): Usher does not read or write them. "
            "It stores values under names in the case data."
        )
        yield sheet.finding(keys[0], "drawn-only", message, "info")


def _reasons(sheet: Sheet, node: Node) -> Iterator[str]:
    yield from (text for marker, text in _MARKERS.items() if marker in node.markers)
    if node.kind not in _KINDS:
        instead = _INSTEAD.get(node.kind)
        yield f"{readable_kind(node.kind)} cannot run yet." + (f" {instead}." if instead else "")
        return
    if node.repeat is not None and (node.kind not in _REPEATED or "eventSubProcess" in node.markers):
        yield f"{readable_kind(node.kind)} cannot repeat. Put it into a sub-process that repeats."
    yield from _event_reasons(sheet, node)


def _event_reasons(sheet: Sheet, node: Node) -> Iterator[str]:
    if node.kind not in _EVENTS:
        return
    possible, instead = _EVENTS[node.kind]
    if len(node.events) > 1:
        yield "It has several triggers; only one can run. Draw an event for each."
    elif not node.events and node.kind not in _BARE:
        yield f"{readable_kind(node.kind)} without a trigger cannot run. {instead}."
    elif set(node.events) - possible:
        yield f"{readable_kind(node.kind)} with {readable_kind(node.events[0]).lower()} cannot run yet. {instead}."
    elif node.kind == "startEvent" and node.events and not _starts_event_sub_process(sheet, node):
        yield f"A start by {readable_kind(node.events[0]).lower()} cannot run yet. {instead}."
    elif node.kind == "boundaryEvent":
        yield from _boundary_reasons(sheet, node, node.events[0])
    elif node.kind == "startEvent" and node.events == ("error",) and "nonInterrupting" in node.markers:
        yield "An error always interrupts. Make the start event interrupting."


def _starts_event_sub_process(sheet: Sheet, node: Node) -> bool:
    scope = sheet.nodes.get(node.scope)
    return scope is not None and "eventSubProcess" in scope.markers


def _boundary_reasons(sheet: Sheet, node: Node, event: str) -> Iterator[str]:
    host = sheet.nodes.get(node.attached_to)
    if host is not None and host.kind not in _HOSTS[event]:
        fitting = ", ".join(sorted(readable_kind(kind).lower() for kind in _HOSTS[event]))
        yield f"It can never happen on {quoted(host.id)}. Attach it to one of: {fitting}."
    if event == "error" and "nonInterrupting" in node.markers:
        yield "An error always interrupts. Make it interrupting."
    if event == "escalation" and host is not None and host.kind in ("userTask", "manualTask"):
        if node.codes != ("cancel",):
            yield "Only the escalation with the code “cancel” can be raised by staff. Refer to one with that code."
        if "nonInterrupting" in node.markers:
            yield "Staff cancel the task by it. Make it interrupting."


def readable_kind(kind: str) -> str:
    """Return *kind* for readers: ``intermediateCatchEvent`` as “Intermediate catch event”."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind)
    return spaced[:1].upper() + spaced[1:]
