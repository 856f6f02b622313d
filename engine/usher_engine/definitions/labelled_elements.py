"""What an element is called in front of people, never its id: its name, else what it is and what stands beside it.

`web/ui/src/workbench/words.js` says the same in the editor: “Load patient → Update Now”, or
“Gateway after “Load patient””.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from usher_engine.core.errors import InvalidDefinition

from .bpmn_file import Flow, Node, Process, read_diagram
from .dmn_file import Decision, read_decisions
from .package import Package
from .safe_xml import parse_xml

_EVENTS = {
    "startEvent": "start event",
    "endEvent": "end event",
    "boundaryEvent": "event at the edge",
    "intermediateCatchEvent": "waiting event",
    "intermediateThrowEvent": "event on the way",
}
_KINDS = {"callActivity": "called process", "subProcess": "sub-process"}
#: Event definitions whose word for people differs from the standard's.
_TRIGGERS = {"conditional": "condition", "compensate": "compensation"}


def element_labels(package: Package) -> dict[tuple[str, str], str]:
    """
    Return the label of every element of the package's diagrams and decision tables, by (file, id).

    Files that cannot be read give no labels. Labels need not be unique.
    """
    found: dict[tuple[str, str], str] = {}
    for file in package.files:
        try:
            if file.endswith(".dmn"):
                labels = _decision_labels(read_decisions(parse_xml(package.files[file], file), file).decisions)
            elif file in package.diagrams():
                processes = read_diagram(parse_xml(package.files[file], file), file).processes
                labels = (pair for process in processes for pair in process_labels(process).items())
            else:
                continue
            found.update(((file, key), label) for key, label in labels)
        except InvalidDefinition:
            continue
    return found


def process_labels(process: Process) -> dict[str, str]:
    """Return the labels of *process*, its flow nodes and its sequence flows by id."""
    nodes = {node.id: node for node in process.nodes}
    named = {key: node.name or node_kind(node) for key, node in nodes.items()}
    labels = {key: _node_label(node, process, nodes, named) for key, node in nodes.items()}
    flows = {flow.id: _flow_label(flow, labels) for flow in process.flows}
    return {process.id: process.name or "Process", **labels, **flows}


def node_kind(node: Node) -> str:
    """Return what *node* is, for people: “User task”, “Timer event at the edge”."""
    if node.kind.endswith("Gateway"):
        return "Gateway"
    words = _EVENTS.get(node.kind) or _KINDS.get(node.kind) or "".join(_spaced(node.kind))
    trigger = next((_TRIGGERS.get(event, event) for event in node.events), "") if node.kind in _EVENTS else ""
    return f"{trigger} {words}".strip().capitalize()


def _node_label(node: Node, process: Process, nodes: Mapping[str, Node], named: Mapping[str, str]) -> str:
    if node.name:
        return node.name
    kind = node_kind(node)
    if node.attached_to in named:
        return f"{kind} of “{named[node.attached_to]}”"
    before = (flow.source for flow in process.flows if flow.target == node.id != flow.source)
    after = (flow.target for flow in process.flows if flow.source == node.id != flow.target)
    for word, neighbours in (("after", before), ("before", after)):
        neighbour = next((key for key in neighbours if key in nodes and nodes[key].name), "")
        if neighbour:
            return f"{kind} {word} “{named[neighbour]}”"
    return kind


def _flow_label(flow: Flow, labels: Mapping[str, str]) -> str:
    return flow.name or f"{labels.get(flow.source, 'nowhere')} → {labels.get(flow.target, 'nowhere')}"


def _decision_labels(decisions: tuple[Decision, ...]) -> Iterator[tuple[str, str]]:
    for decision in decisions:
        name = decision.name or "Decision"
        yield decision.id, name
        if decision.table:
            yield decision.table.id, name
            yield from ((row.id, f"{name}, row {number}") for number, row in enumerate(decision.table.rows, 1))
            yield from ((column.id, f"{name}, {column.label or column.text}") for column in decision.table.inputs)
            yield from ((column.id, f"{name}, {column.label or column.text}") for column in decision.table.outputs)


def _spaced(kind: str) -> Iterator[str]:
    for letter in kind:
        yield f" {letter.lower()}" if letter.isupper() else letter
