"""A BPMN file as plain values: processes, flow nodes and sequence flows as drawn.

Reads everything, valid or not, and never raises on a tree from `parse_xml`; the gate checks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .flow_node_types import FLOW_NODES, SUB_PROCESSES
from .safe_xml import BPMN, SPIFF, XmlElement, XmlTree, line_of
from .timer_definitions import Repeat, Timer, read_repeat, read_timer

#: An element that bpmn-js needs to draw an association from data to a task; it has no meaning.
PLACEHOLDER = "__targetRef_placeholder"
#: Property of the start event of a process that starts by itself: the operator it follows (decisions/0030).
STARTS_AFTER = "startsAfter"


@dataclass(frozen=True, kw_only=True)
class ServiceCall:
    """The operator that a service task calls; *parameters* maps names to expressions."""

    operator: str
    variable: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Node:
    """
    One flow node. *scope* is the id of the process or sub-process that contains it, *line* its line in the file.

    ``events`` holds the types of its event definitions (``error``, ``timer``, …), ``codes`` the error or escalation
    codes they refer to ("" if the code is open), ``refers`` whether they refer to any. ``message`` is the name of the
    message it waits for, ``link`` the name of a link event. ``markers`` may hold ``multiInstance``, ``loop``,
    ``compensation``, ``eventSubProcess``, ``nonInterrupting``, ``ioSpecification``, ``dataAssociation`` and
    ``dataAssignment``. ``extensions`` maps the names of our extension elements to their text, ``twice`` lists those
    that occur more than once, ``properties`` holds the contents of ``spiffworkflow:properties``.
    """

    id: str
    kind: str
    name: str
    scope: str
    line: int
    events: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    refers: bool = False
    message: str = ""
    link: str = ""
    timer: Timer | None = None
    repeat: Repeat | None = None
    markers: frozenset[str] = frozenset()
    attached_to: str = ""
    default: str = ""
    called: str = ""
    documentation: str = ""
    script: str | None = None
    service: ServiceCall | None = None
    lane: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)
    twice: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One sequence flow; *condition* is None if it has none."""

    id: str
    name: str
    scope: str
    source: str
    target: str
    line: int
    condition: str | None = None


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process including its sub-processes, in file order; *others* are elements that are not flow nodes."""

    id: str
    name: str
    executable: bool
    line: int
    nodes: tuple[Node, ...]
    flows: tuple[Flow, ...]
    lanes: tuple[str, ...]
    others: tuple[tuple[str, str, int], ...]

    @cached_property
    def jumps(self) -> tuple[Flow, ...]:
        """Flows from each throwing link event to the catching one with the same name in its scope."""
        links = [node for node in self.nodes if node.events == ("link",) and node.link]
        catching = {(n.scope, n.link): n.id for n in reversed(links) if n.kind == "intermediateCatchEvent"}
        return tuple(
            Flow(id=f"{n.id}→{to}", name="", scope=n.scope, source=n.id, target=to, line=n.line)
            for n in links
            if n.kind == "intermediateThrowEvent" and (to := catching.get((n.scope, n.link)))
        )

    def node(self, key: str) -> Node | None:
        return next((node for node in self.nodes if node.id == key), None)


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """One BPMN file."""

    file: str
    processes: tuple[Process, ...]


def process_element(tree: XmlTree, key: str) -> XmlElement:
    """Return the element of the process *key*, which must be in *tree*."""
    return next(element for element in tree.getroot().iter(_bpmn("process")) if _id(element) == key)


def read_diagram(tree: XmlTree, file: str) -> Diagram:
    """Return the contents of *tree*."""
    root = tree.getroot()
    codes = _event_codes(root) | _message_names(root)
    return Diagram(file=file, processes=tuple(_process(element, codes) for element in root.iter(_bpmn("process"))))


def _process(element: XmlElement, codes: Mapping[str, str]) -> Process:
    lanes = {
        str(reference.text or "").strip(): lane.get("name") or _id(lane)
        for lane in element.iter(_bpmn("lane"))
        for reference in lane.findall(_bpmn("flowNodeRef"))
    }
    nodes: list[Node] = []
    flows: list[Flow] = []
    others: list[tuple[str, str, int]] = []
    for scope, child in _flow_elements(element):
        kind = _kind(child)
        if kind in FLOW_NODES:
            nodes.append(_node(child, kind, scope, codes, lanes))
        elif kind == "sequenceFlow":
            flows.append(_flow(child, scope))
        elif kind != "property" or child.get("name") != PLACEHOLDER:
            others.append((_id(child), kind, line_of(child)))
    return Process(
        id=_id(element),
        name=element.get("name") or "",
        executable=element.get("isExecutable") in ("true", "1"),
        line=line_of(element),
        nodes=tuple(nodes),
        flows=tuple(flows),
        lanes=tuple(lane.get("name") or _id(lane) for lane in element.iter(_bpmn("lane"))),
        others=tuple(others),
    )


def _flow_elements(scope: XmlElement) -> Iterator[tuple[str, XmlElement]]:
    """Yield (scope id, element) for the BPMN children of a process and, recursively, of its sub-processes."""
    for child in scope:
        if not _kind(child):
            continue
        yield _id(scope), child
        if _kind(child) in SUB_PROCESSES:
            yield from _flow_elements(child)


def _node(element: XmlElement, kind: str, scope: str, codes: Mapping[str, str], lanes: Mapping[str, str]) -> Node:
    definitions = [child for child in element if _kind(child).endswith("EventDefinition")]
    references = [definition.get("errorRef") or definition.get("escalationRef") or "" for definition in definitions]
    messages = [source.get("messageRef") or "" for source in (element, *definitions)]
    extensions = element.find(_bpmn("extensionElements"))
    ours = [] if extensions is None else [child for child in extensions if _is_spiff(child)]
    names = Counter(_local(child) for child in ours)
    return Node(
        id=_id(element),
        kind=kind,
        name=(element.get("name") or "").strip(),
        scope=scope,
        line=line_of(element),
        events=tuple(_kind(definition).removesuffix("EventDefinition") for definition in definitions)
        + tuple("referenced" for _ in element.findall(_bpmn("eventDefinitionRef"))),
        codes=tuple(codes[reference] for reference in references if reference in codes),
        refers=any(references),
        message=next((codes[reference] for reference in messages if reference in codes), ""),
        link=next((d.get("name") or "" for d in definitions if _kind(d) == "linkEventDefinition"), "").strip(),
        timer=read_timer(element),
        repeat=read_repeat(element),
        markers=frozenset(_markers(element)),
        attached_to=element.get("attachedToRef") or "",
        default=element.get("default") or "",
        called=element.get("calledElement") or "",
        documentation=_text(element, _bpmn("documentation")) or "",
        script=_text(element, _bpmn("script")),
        service=_service(extensions),
        lane=lanes.get(_id(element), ""),
        properties=_properties(extensions),
        extensions={_local(child): child.text or "" for child in ours},
        twice=tuple(name for name, count in names.items() if count > 1),
    )


def _markers(element: XmlElement) -> Iterator[str]:
    if element.find(_bpmn("multiInstanceLoopCharacteristics")) is not None:
        yield "multiInstance"
    if element.find(_bpmn("standardLoopCharacteristics")) is not None:
        yield "loop"
    if element.get("isForCompensation") in ("true", "1"):
        yield "compensation"
    if element.get("triggeredByEvent") in ("true", "1"):
        yield "eventSubProcess"
    if element.get("cancelActivity") in ("false", "0") or element.get("isInterrupting") in ("false", "0"):
        yield "nonInterrupting"
    if element.find(_bpmn("ioSpecification")) is not None:
        yield "ioSpecification"
    associations = [child for child in element if _kind(child) in ("dataInputAssociation", "dataOutputAssociation")]
    if associations:
        yield "dataAssociation"
    if any(_kind(part) in ("assignment", "transformation") for child in associations for part in child):
        yield "dataAssignment"


def _flow(element: XmlElement, scope: str) -> Flow:
    return Flow(
        id=_id(element),
        name=(element.get("name") or "").strip(),
        scope=scope,
        source=element.get("sourceRef") or "",
        target=element.get("targetRef") or "",
        line=line_of(element),
        condition=_text(element, _bpmn("conditionExpression")),
    )


def _service(extensions: XmlElement | None) -> ServiceCall | None:
    operator = None if extensions is None else extensions.find(_spiff("serviceTaskOperator"))
    if operator is None:
        return None
    return ServiceCall(
        operator=operator.get("id") or "",
        variable=operator.get("resultVariable") or "",
        parameters={p.get("id") or "": p.get("value") or "" for p in operator.iter(_spiff("parameter"))},
    )


def _properties(extensions: XmlElement | None) -> dict[str, str]:
    found = [] if extensions is None else extensions.iterfind(f"{_spiff('properties')}/{_spiff('property')}")
    return {element.get("name") or "": element.get("value") or "" for element in found}


def _event_codes(root: XmlElement) -> dict[str, str]:
    return {
        _id(element): element.get(attribute) or ""
        for kind, attribute in (("error", "errorCode"), ("escalation", "escalationCode"))
        for element in root.iter(_bpmn(kind))
    }


def _message_names(root: XmlElement) -> dict[str, str]:
    return {_id(element): element.get("name") or "" for element in root.iter(_bpmn("message"))}


def _text(element: XmlElement, tag: str) -> str | None:
    child = element.find(tag)
    return None if child is None else "".join(str(part) for part in child.itertext()).strip()


def _kind(element: XmlElement) -> str:
    """Local name of a BPMN element; empty for elements of other namespaces."""
    namespace, _, name = str(element.tag).rpartition("}")
    return name if namespace == f"{{{BPMN}" else ""


def _local(element: XmlElement) -> str:
    return str(element.tag).rpartition("}")[2]


def _is_spiff(element: XmlElement) -> bool:
    return str(element.tag).startswith(f"{{{SPIFF}}}")


def _id(element: XmlElement) -> str:
    return element.get("id") or ""


def _bpmn(name: str) -> str:
    return f"{{{BPMN}}}{name}"


def _spiff(name: str) -> str:
    return f"{{{SPIFF}}}{name}"
