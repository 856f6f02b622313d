"""Rules for how elements connect: references resolve, gateways have a way out, tokens reach and leave everything."""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import Node

from ..definitions.lint_finding import Finding
from .gateway_coverage import uncovered_case
from .process_graph import Sheet, quoted
from .structural_remedies import DRAW_END, marked_default

_ACTIVITIES = {
    *("userTask", "manualTask", "serviceTask", "scriptTask", "receiveTask", "sendTask"),
    *("subProcess", "callActivity"),
}
_CHOOSING = {"exclusiveGateway", "inclusiveGateway"}
_GATEWAYS = _CHOOSING | {"parallelGateway"}
_SPLITTING = _GATEWAYS | {"eventBasedGateway"}
#: Markers of elements outside the sequence flow.
_APART = frozenset({"eventSubProcess", "compensation"})


def reference_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings about flows, boundary events, defaults and calls that point nowhere."""
    for flow in sheet.process.flows:
        for end, key in (("begins", flow.source), ("ends", flow.target)):
            node = sheet.nodes.get(key)
            if node is None:
                yield sheet.finding(flow.id, "reference", f"The flow {end} at {quoted(key)}, which does not exist.")
            elif node.scope != flow.scope:
                message = f"The flow {end} at {quoted(key)}, across the border of a sub-process. Flows stay inside."
                yield sheet.finding(flow.id, "reference", message)
    for node in sheet.process.nodes:
        yield from (sheet.finding(node.id, "reference", message) for message in _dangling(sheet, node))


def _dangling(sheet: Sheet, node: Node) -> Iterator[str]:
    if node.kind == "boundaryEvent":
        host = sheet.nodes.get(node.attached_to)
        if host is None or host.kind not in _ACTIVITIES or host.scope != node.scope:
            yield f"The boundary event is attached to {quoted(node.attached_to)}, which is no activity in its scope."
    if node.events in (("error",), ("escalation",)) and not any(node.codes) and not _catches_all(node):
        yield f"The {node.events[0]} event names no {node.events[0]} with a code. Choose one in its properties."
    if node.default and node.default not in {flow.id for flow in sheet.outgoing.get(node.id, ())}:
        yield f"Its default flow {quoted(node.default)} does not leave it. Choose another default."
    if node.kind == "callActivity" and node.called not in sheet.callable_processes:
        yield f"It calls {quoted(node.called)}, which is not an executable process in this package."


def _catches_all(node: Node) -> bool:
    """Whether *node* catches every error or escalation, as a catching event that names none does."""
    return node.kind in ("boundaryEvent", "startEvent") and not node.refers


def structure_findings(sheet: Sheet) -> Iterator[Finding]:
    """Findings about starts, ends, dead ends, gateways and unreachable elements."""
    for scope, nodes in sheet.scopes.items():
        yield from (sheet.finding(scope, "start-and-end", message) for message in _starts_and_ends(nodes))
    for node in sheet.process.nodes:
        yield from _connections(sheet, node)
        if node.kind in _GATEWAYS:
            yield from _gateway(sheet, node)
        elif node.kind not in _SPLITTING:
            yield from _plain_flows(sheet, node)
    yield from _parallel_flows(sheet)
    yield from _unreachable(sheet)


def _starts_and_ends(nodes: list[Node]) -> Iterator[str]:
    starts = [node.id for node in nodes if node.kind == "startEvent"]
    if not starts:
        yield "There is no start event. Draw one."
    elif len(starts) > 1:
        yield f"There are {len(starts)} start events ({', '.join(map(quoted, starts[:5]))}). Keep one."
    if not any(node.kind == "endEvent" for node in nodes):
        yield "There is no end event. Draw one for each way it can end."


def _connections(sheet: Sheet, node: Node) -> Iterator[Finding]:
    if node.markers & _APART:
        return
    enters, leaves = bool(sheet.incoming.get(node.id)), bool(sheet.outgoing.get(node.id))
    if enters and node.kind in ("startEvent", "boundaryEvent"):
        message = "A flow ends here, but a start or boundary event has none coming in."
        yield sheet.finding(node.id, "connection", message)
    if leaves and node.kind == "endEvent":
        yield sheet.finding(node.id, "connection", "A flow begins here, but nothing follows an end event.")
    if not leaves and node.kind != "endEvent":
        message = "Nothing follows. Draw a flow to what comes next, or to an end event."
        yield sheet.finding(node.id, "connection", message, remedy=DRAW_END)


def _gateway(sheet: Sheet, node: Node) -> Iterator[Finding]:
    flows = sheet.outgoing.get(node.id, [])
    conditional = [flow for flow in flows if flow.condition]
    if node.kind == "parallelGateway":
        for flow in conditional:
            message = "A parallel gateway takes all its flows; remove the condition, or make the gateway exclusive."
            yield sheet.finding(flow.id, "gateway", message)
        return
    if (conditional or len(flows) > 1) and not node.default:
        case = uncovered_case(sheet, flows)
        if case is not None:
            message = f"No way out when {case or 'no condition holds'}. Mark one flow as the default."
            yield sheet.finding(node.id, "gateway", message)
    for flow in flows:
        if flow.id == node.default and flow.condition:
            message = "The default flow has a condition, which is never evaluated. Remove it."
            yield sheet.finding(flow.id, "gateway", message)
        elif flow.id != node.default and not flow.condition and len(flows) > 1:
            message = f"The flow from {quoted(node.id)} has no condition. Write one, or make it the default."
            yield sheet.finding(flow.id, "gateway", message, remedy=marked_default(node, flow, flows))


def _plain_flows(sheet: Sheet, node: Node) -> Iterator[Finding]:
    flows = sheet.outgoing.get(node.id, [])
    if len(flows) > 1:
        message = f"{len(flows)} flows leave. Put a gateway after it that takes one or all of them."
        yield sheet.finding(node.id, "gateway", message)
    for flow in flows:
        if flow.condition:
            message = f"The flow from {quoted(node.id)} has a condition; conditions belong after a gateway."
            yield sheet.finding(flow.id, "gateway", message)


def _parallel_flows(sheet: Sheet) -> Iterator[Finding]:
    seen: dict[tuple[str, str], str] = {}
    for flow in sheet.process.flows:
        twin = seen.setdefault((flow.source, flow.target), flow.id)
        if twin != flow.id:
            message = f"{quoted(twin)} connects the same two elements. Keep one and combine the conditions."
            yield sheet.finding(flow.id, "connection", message)


def _unreachable(sheet: Sheet) -> Iterator[Finding]:
    for nodes in sheet.scopes.values():
        waiting = [node.id for node in nodes if node.kind == "startEvent"]
        if not waiting:
            continue
        reached: set[str] = set()
        while waiting:
            key = waiting.pop()
            if key not in reached:
                reached.add(key)
                waiting.extend(sheet.successors(key))
        for node in nodes:
            if node.id not in reached and not node.markers & _APART:
                yield sheet.finding(node.id, "unreachable", "No path leads here from the start event.")
