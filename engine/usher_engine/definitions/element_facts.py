"""A BPMN file as a list of elements, each with all its facts under readable labels, separate from its position.

Used to compare two versions. It keeps everything in the file, so no change goes unnoticed; a fact that Usher does not
know is labelled by its path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .flow_node_types import FLOW_NODES
from .safe_xml import BPMN, XmlElement, XmlTree

_DI = "http://www.omg.org/spec/BPMN/20100524/DI"
_OWN = FLOW_NODES | {
    *("process", "sequenceFlow", "lane", "participant", "collaboration", "messageFlow", "association", "group"),
    *("textAnnotation", "dataObject", "dataObjectReference", "dataStore", "dataStoreReference"),
    *("error", "escalation", "message", "signal"),
}
#: Content that repeats other content, or describes the file and not what runs.
_REDUNDANT_CHILDREN = {"incoming", "outgoing", "flowNodeRef", "laneSet", "childLaneSet", "BPMNDiagram"}
_REDUNDANT_ATTRIBUTES = {"id", "processRef", "itemRef", "type"}

#: Label of a fact, by its path or the last part of it.
_LABELS = {
    "conditionExpression": "condition",
    "sourceRef": "from", "targetRef": "to",
    "default": "default flow", "attachedToRef": "attached to", "calledElement": "called process",
    "isExecutable": "can be started", "cancelActivity": "interrupts",
    "instructionsForEndUser": "message to staff", "preScript": "script before", "postScript": "script after",
    "serviceTaskOperator/@id": "operator", "serviceTaskOperator/@resultVariable": "result variable",
    "calledDecisionId": "decision",
    "errorEventDefinition/@errorRef": "error", "escalationEventDefinition/@escalationRef": "escalation",
    "messageEventDefinition/@messageRef": "message", "signalEventDefinition/@signalRef": "signal",
    "timerEventDefinition/timeDuration": "timer", "timerEventDefinition/timeDate": "timer, date",
    "timerEventDefinition/timeCycle": "timer, cycle",
    "errorCode": "code", "escalationCode": "code",
    "property form": "form", "property candidateGroups": "group", "property dueIn": "due in",
    "property priority": "priority", "property initialValues": "filled in at first",
    "property resultVariable": "result variable", "property missed": "missed times",
    "property candidateStarterGroups": "groups that may start it",
    "property candidateStarterRoles": "roles that may start it",
    "property businessKey": "what the case is about",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ElementFacts:
    """
    One element. *kind* is its type in words, *facts* maps labels to values, *place* is its position in the drawing.

    ``key`` is the id. A flow without an id uses its two ends, which do not change when other flows come and go; a flow
    without a ``name`` is named after its two ends.
    """

    key: str
    kind: str
    name: str
    facts: Mapping[str, str]
    place: str = ""


def read_element_facts(tree: XmlTree) -> dict[str, ElementFacts]:
    """Return the elements of the file by key, in file order."""
    root = tree.getroot()
    places, lanes = dict(_places(root)), _lanes(root)
    names = {element.get("id"): element.get("name") or element.get("id") for element in root.iter(f"{{{BPMN}}}*")}
    found: dict[str, ElementFacts] = {}
    for element in root.iter(f"{{{BPMN}}}*"):
        kind, key = _local(element), element.get("id") or ""
        if kind not in _OWN or not key:
            continue
        name = (element.get("name") or "").strip()
        facts = dict(_label_facts(_walk_facts(element)))
        if kind in FLOW_NODES:
            facts |= {"kind": spaced_words(kind), "lane": lanes.get(key, "")}
            parent = element.getparent()
            if parent is not None and _local(parent) != "process":
                facts["inside"] = parent.get("id") or ""
        place = places.get(key, "")
        if kind == "sequenceFlow":
            source, target = element.get("sourceRef"), element.get("targetRef")
            key = f"{source} → {target}" if "_unnamed_" in key else key
            name = name or f"{names.get(source, source)} → {names.get(target, target)}"
        part = ElementFacts(key=key, kind=spaced_words(kind), name=name, facts=_non_empty(facts), place=place)
        found.setdefault(key, part)
    return found


def spaced_words(kind: str) -> str:
    """Write ``intermediateCatchEvent`` as “intermediate catch event”."""
    if kind == "sequenceFlow":
        return "flow"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()


def _non_empty(facts: dict[str, str]) -> dict[str, str]:
    return {aspect: value for aspect, value in facts.items() if value}


def _walk_facts(element: XmlElement) -> Iterator[tuple[str, str]]:
    """Yield (path, text) for everything below *element* except its child elements that are listed separately."""
    waiting: list[tuple[XmlElement, str]] = [(element, "")]
    while waiting:
        node, path = waiting.pop()
        children = [child for child in node if _is_part_of_element(child)]
        attributes = [(name, value) for name, value in _attributes(node, path)]
        yield from ((f"{path}/@{name}" if path else name, value) for name, value in attributes)
        text = (node.text or "").strip()
        if path and (text or not (children or attributes)):
            yield path, text or "yes"
        waiting += [(child, _child_path(path, child)) for child in reversed(children)]


def _is_part_of_element(child: XmlElement) -> bool:
    is_bpmn = str(child.tag).startswith(f"{{{BPMN}}}")
    return not (is_bpmn and _local(child) in _OWN | _REDUNDANT_CHILDREN)


def _child_path(path: str, child: XmlElement) -> str:
    kind = _local(child)
    key = child.get("name") if kind == "property" else child.get("id") if kind == "parameter" else None
    if key:
        return f"{kind} {key}"
    if kind in ("extensionElements", "properties", "parameters"):
        return path
    return f"{path}/{kind}" if path else kind


def _attributes(node: XmlElement, path: str) -> Iterator[tuple[str, str]]:
    keyed = path.startswith(("property ", "parameter "))
    for name, value in node.attrib.items():
        local = str(name).rpartition("}")[2]
        if keyed and local in ("name", "id", "type"):
            continue
        if local not in _REDUNDANT_ATTRIBUTES or (local == "id" and path.endswith("serviceTaskOperator")):
            yield local, str(value).strip()


def _label_facts(facts: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Replace each path with its label, numbered if the label occurs several times."""
    counts: dict[str, int] = {}
    for path, value in facts:
        label = _label(path)
        counts[label] = counts.get(label, 0) + 1
        yield (f"{label} {counts[label]}" if counts[label] > 1 else label), value


def _label(path: str) -> str:
    plain = path.removesuffix("/@value")
    if plain in _LABELS:
        return _LABELS[plain]
    if plain.startswith(("property ", "parameter ")):
        kind, _, name = plain.partition(" ")
        return f"{kind} “{name}”"
    return ", ".join(spaced_words(part.removeprefix("@").removesuffix("Definition")) for part in plain.split("/"))


def _lanes(root: XmlElement) -> dict[str, str]:
    return {
        (reference.text or "").strip(): lane.get("name") or lane.get("id") or ""
        for lane in root.iter(f"{{{BPMN}}}lane")
        for reference in lane.findall(f"{{{BPMN}}}flowNodeRef")
    }


def _places(root: XmlElement) -> Iterator[tuple[str, str]]:
    """Pairs of (element id, position): the bounds, way points and label bounds in the drawing."""
    for kind in ("BPMNShape", "BPMNEdge"):
        for shape in root.iter(f"{{{_DI}}}{kind}"):
            points = [
                ",".join(node.get(name) or "" for name in ("x", "y", "width", "height"))
                for node in shape.iter()
                if _local(node) in ("Bounds", "waypoint")
            ]
            yield (shape.get("bpmnElement") or "").rpartition(":")[2], " ".join(points)


def _local(element: XmlElement) -> str:
    return str(element.tag).rpartition("}")[2]
