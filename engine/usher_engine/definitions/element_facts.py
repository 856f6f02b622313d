"""A BPMN file as elements with everything that is said of each, in words, apart from where it is drawn.

For comparing two versions: nothing in the file is left out, so that nothing can change unseen; what Usher does not know
is called by its path.
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
#: Said a second time elsewhere, or said of the file and not of what runs.
_REPEATED = {"incoming", "outgoing", "flowNodeRef", "laneSet", "childLaneSet", "BPMNDiagram"}
_SAID_ELSEWHERE = {"id", "processRef", "itemRef", "type"}

#: What people call an aspect, by the last part of its path or by the whole of it.
_WORDS = {
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
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Part:
    """
    One element. *kind* in words; *said* maps each aspect to what the file says of it; *place* is where it is drawn.

    ``key`` is the id, or for a flow without one its ends, which stay when other flows come and go. A flow without a
    ``name`` is called by what it leads from and to.
    """

    key: str
    kind: str
    name: str
    said: Mapping[str, str]
    place: str = ""


def read_parts(tree: XmlTree) -> dict[str, Part]:
    """The elements of the file by key, in file order."""
    root = tree.getroot()
    places, lanes = dict(_places(root)), _lanes(root)
    names = {element.get("id"): element.get("name") or element.get("id") for element in root.iter(f"{{{BPMN}}}*")}
    found: dict[str, Part] = {}
    for element in root.iter(f"{{{BPMN}}}*"):
        kind, key = _local(element), element.get("id") or ""
        if kind not in _OWN or not key:
            continue
        name = (element.get("name") or "").strip()
        said = dict(_numbered(_said(element)))
        if kind in FLOW_NODES:
            said |= {"kind": words_of_kind(kind), "lane": lanes.get(key, "")}
            parent = element.getparent()
            if parent is not None and _local(parent) != "process":
                said["inside"] = parent.get("id") or ""
        place = places.get(key, "")
        if kind == "sequenceFlow":
            source, target = element.get("sourceRef"), element.get("targetRef")
            key = f"{source} → {target}" if "_unnamed_" in key else key
            name = name or f"{names.get(source, source)} → {names.get(target, target)}"
        part = Part(key=key, kind=words_of_kind(kind), name=name, said=_filled(said), place=place)
        found.setdefault(key, part)
    return found


def words_of_kind(kind: str) -> str:
    """``intermediateCatchEvent`` as “intermediate catch event”."""
    if kind == "sequenceFlow":
        return "flow"
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()


def _filled(said: dict[str, str]) -> dict[str, str]:
    return {aspect: value for aspect, value in said.items() if value}


def _said(element: XmlElement) -> Iterator[tuple[str, str]]:
    """Each (path, text) below *element* that belongs to it and not to an element of its own."""
    waiting: list[tuple[XmlElement, str]] = [(element, "")]
    while waiting:
        node, path = waiting.pop()
        children = [child for child in node if _belongs(child)]
        attributes = [(name, value) for name, value in _attributes(node, path)]
        yield from ((f"{path}/@{name}" if path else name, value) for name, value in attributes)
        text = (node.text or "").strip()
        if path and (text or not (children or attributes)):
            yield path, text or "yes"
        waiting += [(child, _below(path, child)) for child in reversed(children)]


def _belongs(child: XmlElement) -> bool:
    is_bpmn = str(child.tag).startswith(f"{{{BPMN}}}")
    return not (is_bpmn and _local(child) in _OWN | _REPEATED)


def _below(path: str, child: XmlElement) -> str:
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
        if local not in _SAID_ELSEWHERE or (local == "id" and path.endswith("serviceTaskOperator")):
            yield local, str(value).strip()


def _numbered(said: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The aspects by what people call them, told apart where there are several of one kind."""
    seen: dict[str, int] = {}
    for path, value in said:
        words = _aspect(path)
        seen[words] = seen.get(words, 0) + 1
        yield (f"{words} {seen[words]}" if seen[words] > 1 else words), value


def _aspect(path: str) -> str:
    plain = path.removesuffix("/@value")
    if plain in _WORDS:
        return _WORDS[plain]
    if plain.startswith(("property ", "parameter ")):
        kind, _, name = plain.partition(" ")
        return f"{kind} “{name}”"
    return ", ".join(words_of_kind(part.removeprefix("@").removesuffix("Definition")) for part in plain.split("/"))


def _lanes(root: XmlElement) -> dict[str, str]:
    return {
        (reference.text or "").strip(): lane.get("name") or lane.get("id") or ""
        for lane in root.iter(f"{{{BPMN}}}lane")
        for reference in lane.findall(f"{{{BPMN}}}flowNodeRef")
    }


def _places(root: XmlElement) -> Iterator[tuple[str, str]]:
    """Where each element is drawn: bounds, way points, label."""
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
