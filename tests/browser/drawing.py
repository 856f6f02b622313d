"""What a drawing must keep, asked of the file: no two shapes on one another, none outside what holds it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations, pairwise
from typing import NamedTuple

from usher_engine.definitions import BPMN, XmlElement, XmlTree, parse_xml

DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DD = "{http://www.omg.org/spec/DD/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    def overlaps(self, other: Box) -> bool:
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def holds(self, other: Box) -> bool:
        begins = self.x <= other.x and self.y <= other.y
        return begins and other.right <= self.right and other.bottom <= self.bottom


def faults(text: str) -> list[str]:
    """Pairs of shapes that lie on one another, and shapes outside their lane, pool or sub-process; per plane."""
    tree = parse_xml(text.encode(), "drawn.bpmn")
    planes = [_boxes(plane) for plane in tree.iter(f"{DI}BPMNPlane")]
    checks = (_overlapping, _outside, _beside_the_edge)
    return [fault for boxes in planes for check in checks for fault in check(tree, boxes)]


def _boxes(plane: XmlElement) -> dict[str, Box]:
    return {str(shape.get("bpmnElement")): _box(shape) for shape in plane.iter(f"{DI}BPMNShape")}


def _box(shape: XmlElement) -> Box:
    bounds = shape.find(f"{DC}Bounds")
    assert bounds is not None
    return Box(*(float(bounds.get(name) or 0) for name in Box._fields))


def _scopes(tree: XmlTree) -> Iterator[tuple[str, list[XmlElement]]]:
    for scope in chain(tree.iter(f"{{{BPMN}}}process"), tree.iter(f"{{{BPMN}}}subProcess")):
        yield str(scope.get("id")), list(scope)


def _overlapping(tree: XmlTree, boxes: dict[str, Box]) -> list[str]:
    found = []
    for _, nodes in _scopes(tree):
        ids = [str(node.get("id")) for node in nodes if node.get("id") in boxes and not node.get("attachedToRef")]
        found += [f"{one} on {other}" for one, other in combinations(ids, 2) if boxes[one].overlaps(boxes[other])]
    return found


def _outside(tree: XmlTree, boxes: dict[str, Box]) -> list[str]:
    pools = {pool.get("processRef"): str(pool.get("id")) for pool in tree.iter(f"{{{BPMN}}}participant")}
    held = [(str(node.get("id")), pools.get(scope, scope)) for scope, nodes in _scopes(tree) for node in nodes]
    for lane in tree.iter(f"{{{BPMN}}}lane"):
        held += [(str(ref.text).strip(), str(lane.get("id"))) for ref in lane.iter(f"{{{BPMN}}}flowNodeRef")]
    drawn = [(inner, outer) for inner, outer in held if inner in boxes and outer in boxes]
    return [f"{inner} outside {outer}" for inner, outer in drawn if not boxes[outer].holds(boxes[inner])]


def places(text: str) -> list[str]:
    """Where everything is drawn, in the order of the file; not how large names are, which the editor measures."""
    tree = parse_xml(text.encode(), "drawn.bpmn")
    points = chain(tree.iter(f"{DC}Bounds"), tree.iter(f"{DD}waypoint"))
    return [f"{float(point.get('x') or 0):.0f} {float(point.get('y') or 0):.0f}" for point in points]


def lane_order(text: str) -> list[str]:
    """The lanes and pools from top to bottom."""
    tree = parse_xml(text.encode(), "drawn.bpmn")
    boxes = {key: box for plane in tree.iter(f"{DI}BPMNPlane") for key, box in _boxes(plane).items()}
    framed = chain(tree.iter(f"{{{BPMN}}}participant"), tree.iter(f"{{{BPMN}}}lane"))
    return sorted((str(one.get("id")) for one in framed), key=lambda key: (boxes[key].y, -boxes[key].width))


def crossed(text: str) -> list[str]:
    """Flows that run through a step, or through the frame of another step's sub-process; per plane."""
    tree = parse_xml(text.encode(), "drawn.bpmn")
    return [fault for plane in tree.iter(f"{DI}BPMNPlane") for fault in _through(tree, plane)]


def _through(tree: XmlTree, plane: XmlElement) -> Iterator[str]:
    boxes = _boxes(plane)
    lines = {str(edge.get("bpmnElement")): _points(edge) for edge in plane.iter(f"{DI}BPMNEdge")}
    for scope, nodes in _scopes(tree):
        steps = {str(node.get("id")): boxes[str(node.get("id"))] for node in nodes if node.get("id") in boxes}
        for flow in nodes:
            points = lines.get(str(flow.get("id")), [])
            pieces = [piece(one, other) for one, other in pairwise(points)]
            own = {flow.get("sourceRef"), flow.get("targetRef")}
            hit = [key for key, box in steps.items() for piece in pieces if _enters(piece, box, key in own)]
            yield from (f"{flow.get('id')} through {key} in {scope}" for key in hit)


def _points(edge: XmlElement) -> list[tuple[float, float]]:
    return [(float(point.get("x") or 0), float(point.get("y") or 0)) for point in edge.iter(f"{DD}waypoint")]


def piece(one: tuple[float, float], other: tuple[float, float]) -> Box:
    x, y = min(one[0], other[0]), min(one[1], other[1])
    return Box(x, y, abs(one[0] - other[0]), abs(one[1] - other[1]))


def _enters(piece: Box, box: Box, is_end: bool) -> bool:
    """Whether a piece of a line is inside *box*; its own step it may touch at the edge."""
    inner = 1 if is_end else 0
    core = Box(box.x + inner, box.y + inner, box.width - 2 * inner, box.height - 2 * inner)
    return piece.overlaps(core)


def _beside_the_edge(tree: XmlTree, boxes: dict[str, Box]) -> list[str]:
    found = []
    for event in tree.iter(f"{{{BPMN}}}boundaryEvent"):
        box, host = boxes.get(str(event.get("id"))), boxes.get(str(event.get("attachedToRef")))
        if not box or not host:
            continue
        x, y = box.x + box.width / 2, box.y + box.height / 2
        across = min(abs(x - host.x), abs(x - host.x - host.width)) < 1 and host.y <= y <= host.y + host.height
        along = min(abs(y - host.y), abs(y - host.y - host.height)) < 1 and host.x <= x <= host.x + host.width
        if not across and not along:
            found.append(f"{event.get('id')} away from the edge")
    return found
