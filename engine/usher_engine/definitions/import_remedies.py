"""What can be put right in an imported diagram in one step: remedies with one meaning, and foreign settings as notes.

Pure functions of a package. A remedy is offered only where it changes something and nothing has to be guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from lxml import etree

from usher_engine.core.errors import InvalidDefinition, InvalidSubmission

from .flow_node_types import FLOW_NODES
from .lint_finding import Finding
from .package import Package
from .safe_xml import BPMN, XmlElement, parse_as_written
from .translation.vendor_extensions import PRODUCTS

_DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
_DC = "{http://www.omg.org/spec/DD/20100524/DC}"
_DD = "{http://www.omg.org/spec/DD/20100524/DI}"
#: Distance and size of an end event that is drawn, in units of the diagram.
_GAP, _END = 50, 36


class Remedy(StrEnum):
    #: The only process of the package is marked as executable.
    EXECUTABLE = "executable"
    #: The only flow without a condition becomes the gateway's default.
    DEFAULT = "default"
    #: An end event is drawn behind an element that nothing follows.
    END = "end"
    #: Settings of another product that do nothing here become the element's documentation.
    NOTE = "note"


#: Remedies that decide nothing: they can be taken all at once.
SAFE = frozenset({Remedy.EXECUTABLE, Remedy.DEFAULT, Remedy.END})


def remedy_for(package: Package, finding: Finding) -> Remedy | None:
    """The remedy of *finding*; None where a person has to draw, write or choose something."""
    remedy = _BY_RULE.get(finding.rule)
    node = _element(package, finding.file, finding.element) if remedy else None
    if remedy is None or node is None or finding.severity != "error":
        return None
    return remedy if _FITS[remedy](node) else None


def remedied(package: Package, file: str, element: str, remedy: Remedy) -> Package:
    """
    *package* with one remedy taken.

    Raises:
        InvalidSubmission: It does not fit the element any more.
    """
    node = _element(package, file, element)
    if node is None or not _FITS[remedy](node):
        reason = f"There is nothing of the kind to put right at “{element[:100]}” any more."
        raise InvalidSubmission(reason, fields={"element": reason})
    _TAKE[remedy](node)
    content = etree.tostring(node.getroottree(), encoding="UTF-8", xml_declaration=True)
    return Package({**package.files, file: content})


def _element(package: Package, file: str, element: str) -> XmlElement | None:
    if not element or file not in package.diagrams():
        return None
    try:
        root = parse_as_written(package.files[file], file).getroot()
    except InvalidDefinition:
        return None
    nodes = (node for node in root.iter(f"{{{BPMN}}}*") if node.get("id") == element)
    return next(nodes, None)


def _bpmn(name: str) -> str:
    return f"{{{BPMN}}}{name}"


# executable


def _is_the_only_process(node: XmlElement) -> bool:
    processes = list(node.getroottree().getroot().iter(_bpmn("process")))
    return processes == [node] and node.get("isExecutable") not in ("true", "1")


def _make_executable(node: XmlElement) -> None:
    node.set("isExecutable", "true")


# default


def _leaving(node: XmlElement) -> list[XmlElement]:
    parent = node.getparent()
    flows = [] if parent is None else parent.iterchildren(_bpmn("sequenceFlow"))
    return [flow for flow in flows if flow.get("sourceRef") == node.get("id")]


def _has_one_default(node: XmlElement) -> bool:
    if node.tag not in (_bpmn("exclusiveGateway"), _bpmn("inclusiveGateway")) or node.get("default"):
        return False
    flows = _leaving(node)
    return len(flows) > 1 and len(_unconditional(flows)) == 1 and bool(_unconditional(flows)[0].get("id"))


def _unconditional(flows: list[XmlElement]) -> list[XmlElement]:
    return [flow for flow in flows if flow.find(_bpmn("conditionExpression")) is None]


def _mark_default(node: XmlElement) -> None:
    (flow,) = _unconditional(_leaving(node))
    node.set("default", str(flow.get("id")))


# end


def _ends_nowhere(node: XmlElement) -> bool:
    name = etree.QName(node).localname
    return node.tag == _bpmn(name) and name in FLOW_NODES and name != "endEvent" and not _leaving(node)


def _draw_end(node: XmlElement) -> None:
    """An end event behind *node*, with a flow; drawn at its right where *node* is drawn."""
    ids = {str(one.get("id")) for one in node.getroottree().getroot().iter(f"{{{BPMN}}}*")}
    key = str(node.get("id"))
    end, flow = _free(f"End_{key}", ids), _free(f"To_End_{key}", ids)
    parent = node.getparent()
    if parent is None:
        raise TypeError
    after = _place_after_references(node)
    node.insert(after, _with_text("outgoing", flow))
    event = etree.SubElement(parent, _bpmn("endEvent"), id=end)
    event.append(_with_text("incoming", flow))
    etree.SubElement(parent, _bpmn("sequenceFlow"), id=flow, sourceRef=key, targetRef=end)
    for lane in node.getroottree().getroot().iter(_bpmn("lane")):
        if any((one.text or "").strip() == key for one in lane.iterchildren(_bpmn("flowNodeRef"))):
            lane.insert(list(lane).index(lane.findall(_bpmn("flowNodeRef"))[-1]) + 1, _with_text("flowNodeRef", end))
    _draw(node, end, flow)


def _place_after_references(node: XmlElement) -> int:
    first = [_bpmn(name) for name in ("documentation", "extensionElements", "incoming", "outgoing")]
    return sum(1 for child in node if child.tag in first)


def _with_text(name: str, text: str) -> XmlElement:
    made = etree.Element(_bpmn(name))
    made.text = text
    return made


def _free(wanted: str, ids: set[str]) -> str:
    number, found = 1, wanted
    while found in ids:
        number += 1
        found = f"{wanted}_{number}"
    return found


def _draw(node: XmlElement, end: str, flow: str) -> None:
    root = node.getroottree().getroot()
    shapes = (shape for shape in root.iter(f"{_DI}BPMNShape") if shape.get("bpmnElement") == node.get("id"))
    shape = next(shapes, None)
    bounds = None if shape is None else shape.find(f"{_DC}Bounds")
    plane = None if shape is None else shape.getparent()
    try:
        x, y, width, height = (float(bounds.get(name)) for name in ("x", "y", "width", "height"))  # type: ignore[union-attr, arg-type]
    except (AttributeError, TypeError, ValueError):
        return
    if plane is None:
        return
    left, middle = x + width + _GAP, y + height / 2
    drawn = etree.SubElement(plane, f"{_DI}BPMNShape", id=f"{end}_di", bpmnElement=end)
    sizes = {"x": left, "y": middle - _END / 2, "width": _END, "height": _END}
    etree.SubElement(drawn, f"{_DC}Bounds", {name: f"{value:g}" for name, value in sizes.items()})
    edge = etree.SubElement(plane, f"{_DI}BPMNEdge", id=f"{flow}_di", bpmnElement=flow)
    for at in (x + width, left):
        etree.SubElement(edge, f"{_DD}waypoint", x=f"{at:g}", y=f"{middle:g}")


# note


def _foreign(node: XmlElement) -> tuple[list[str], list[XmlElement]]:
    """The attributes and extension elements of *node* that belong to another product."""
    attributes = [str(name) for name in node.attrib if etree.QName(str(name)).namespace in PRODUCTS]
    holders = node.findall(_bpmn("extensionElements"))
    children = [child for holder in holders for child in holder if str(child.tag).startswith("{")]
    return attributes, [child for child in children if etree.QName(child).namespace in PRODUCTS]


def _has_foreign(node: XmlElement) -> bool:
    return any(_foreign(node))


def _keep_as_note(node: XmlElement) -> None:
    attributes, children = _foreign(node)
    lines = [f"{_product(name)}: {etree.QName(name).localname} = {node.get(name)}" for name in attributes]
    lines += [f"{_product(child.tag)}: {_described(child)}" for child in children]
    for name in attributes:
        del node.attrib[name]
    for child in children:
        holder = child.getparent()
        if holder is not None:
            holder.remove(child)
            if not len(holder):
                node.remove(holder)
    note = etree.Element(_bpmn("documentation"))
    note.text = "\n".join(["Settings of another product, which do nothing here:", *lines])
    node.insert(sum(1 for child in node if child.tag == _bpmn("documentation")), note)


def _product(name: object) -> str:
    return PRODUCTS[str(etree.QName(str(name)).namespace)]


def _described(element: XmlElement) -> str:
    """An extension element in one line: its name, its attributes, its text and what is in it."""
    said = [f"{etree.QName(str(name)).localname} = {value!s}" for name, value in element.attrib.items()]
    said += [(element.text or "").strip()] if (element.text or "").strip() else []
    said += [_described(child) for child in element if str(child.tag).startswith("{")]
    inner = f" ({', '.join(said)})" if said else ""
    return str(etree.QName(element).localname) + inner


_BY_RULE: Mapping[str, Remedy] = {
    "executable": Remedy.EXECUTABLE,
    "gateway": Remedy.DEFAULT,
    "connection": Remedy.END,
    "not-translated": Remedy.NOTE,
}
_FITS: Mapping[Remedy, Callable[[XmlElement], bool]] = {
    Remedy.EXECUTABLE: _is_the_only_process,
    Remedy.DEFAULT: _has_one_default,
    Remedy.END: _ends_nowhere,
    Remedy.NOTE: _has_foreign,
}
_TAKE: Mapping[Remedy, Callable[[XmlElement], None]] = {
    Remedy.EXECUTABLE: _make_executable,
    Remedy.DEFAULT: _mark_default,
    Remedy.END: _draw_end,
    Remedy.NOTE: _keep_as_note,
}
