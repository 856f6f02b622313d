"""A BPMN file as records: one for each element with an id and each shape, with everything it says beside its children.

For `diagram_merge` only; what runs is read by `bpmn_file`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property

from lxml import etree

from usher_engine.core.errors import InvalidDefinition

from .safe_xml import BPMN, XmlElement, parse_as_written

DI = "http://www.omg.org/spec/BPMN/20100524/DI"
WAYPOINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
FLOW_ENDS = ("sourceRef", "targetRef")
#: Children that name other elements and follow from what these say: sets, in no order of their own.
MEMBERS = frozenset(f"{{{BPMN}}}{name}" for name in ("incoming", "outgoing", "flowNodeRef"))
#: The order that the schema of BPMN wants; all others stay between the last two.
FIRST = tuple(f"{{{BPMN}}}{name}" for name in ("documentation", "extensionElements", "incoming", "outgoing", "laneSet"))
LAST = (*(f"{{{BPMN}}}{name}" for name in ("association", "group", "textAnnotation")), f"{{{DI}}}BPMNDiagram")


@dataclass(frozen=True, kw_only=True)
class Record:
    """
    One element.

    *parent* is the key of the record around it, empty for the root. *owner* is the id of the nearest element with one.
    *opaque* holds children without an id, *members* the names of other elements, *order* one token for each child.
    """

    tag: str
    parent: str
    owner: str
    attributes: tuple[tuple[str, str], ...]
    text: str
    opaque: Mapping[str, XmlElement]
    members: frozenset[tuple[str, str]]
    order: tuple[str, ...]

    @property
    def id(self) -> str:
        """Its id, if it is an element of BPMN that others may name."""
        return "" if self.layout else dict(self.attributes).get("id", "")

    @property
    def layout(self) -> bool:
        """Whether it says only where something is drawn."""
        return not self.tag.startswith(f"{{{BPMN}}}")

    @property
    def draws(self) -> str:
        return dict(self.attributes).get("bpmnElement", "") if self.layout else ""

    @cached_property
    def says(self) -> tuple[object, ...]:
        """Everything but its children with ids and its members, for comparison."""
        texts = {token: _canonical(node) for token, node in self.opaque.items()}
        return self.tag, self.parent, tuple(sorted(self.attributes)), self.text, tuple(sorted(texts.items()))

    @property
    def references(self) -> set[str]:
        """What may be the id of another element: its attributes, and the short texts inside it."""
        values = {value for name, value in self.attributes if name != "id"}
        for node in self.opaque.values():
            for one in node.iter():
                if str(one.tag).startswith(f"{{{BPMN}}}"):
                    values |= {str(value) for value in one.attrib.values()}
                    values.add((one.text or "").strip())
        return values

    @property
    def waypoints(self) -> list[str]:
        """The tokens of its waypoints, in order."""
        return [token for token, node in self.opaque.items() if node.tag == WAYPOINT]

    def joined_with(self, other: Record, before: Record) -> Record:
        """This line, with each end where *other* moved it if it is still where it was *before* here."""
        mine, theirs, old = self.waypoints, other.waypoints, before.waypoints
        if not (mine and theirs and old):
            return self
        opaque = dict(self.opaque)
        for end in (0, -1):
            if _canonical(self.opaque[mine[end]]) == _canonical(before.opaque[old[end]]):
                opaque[mine[end]] = other.opaque[theirs[end]]
        return replace(self, opaque=opaque)


@dataclass(frozen=True, kw_only=True)
class Document:
    """The records of a file by key, parents first, and the prefixes of its root."""

    records: Mapping[str, Record]
    prefixes: Mapping[str | None, str]

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset(one.id for one in self.records.values() if one.id)

    @cached_property
    def parents(self) -> Mapping[str, str]:
        """The key of what is around each element, by its id."""
        return {one.id: one.parent for one in self.records.values() if one.id}

    def flow_crosses(self, key: str) -> bool:
        """Whether the sequence flow *key* leaves the scope it is in."""
        record = self.records[key]
        ends = [value for name, value in record.attributes if name in FLOW_ENDS]
        return any(self.parents.get(end, record.parent) != record.parent for end in ends)

    @cached_property
    def lanes(self) -> Counter[tuple[str, str]]:
        """In how many lanes of one set each element is."""
        lanes = [one for one in self.records.values() if one.tag == f"{{{BPMN}}}lane"]
        return Counter((lane.parent, node) for lane in lanes for _, node in lane.members)


def document_of(content: bytes, name: str) -> Document:
    """Read a file; raises `InvalidDefinition` if it cannot be read, has comments or names two things alike."""
    root = parse_as_written(content, name).getroot()
    if any(not isinstance(node.tag, str) for node in root.iter()):
        raise InvalidDefinition(problems=[(name, "The file has comments.")])
    records: dict[str, Record] = {}
    _collect(root, "", "", records, name)
    return Document(records=records, prefixes=dict(root.nsmap))


def _collect(node: XmlElement, parent: str, owner: str, records: dict[str, Record], name: str) -> str:
    """Add the record of *node* and of all below it; return its key."""
    key = _key(node) or f"{parent}/{etree.QName(node).localname}"
    while not _key(node) and key in records:
        key += "'"
    if key in records:
        raise InvalidDefinition(problems=[(key, f"“{key}” is there twice in {name}.")])
    owner = node.get("bpmnElement") or (node.get("id") if node.tag.startswith(f"{{{BPMN}}}") else "") or owner
    records[key] = Record(
        tag=node.tag, parent=parent, owner=owner, attributes=(), text="", opaque={}, members=frozenset(), order=()
    )
    opaque: dict[str, XmlElement] = {}
    members: set[tuple[str, str]] = set()
    order, seen = [], Counter[str]()
    for child in node:
        if child.tag in MEMBERS and not len(child):
            member = (str(child.tag), (child.text or "").strip())
            token = f"in {member[0]} {member[1]}"
            members.add(member)
        elif any(_key(one) for one in child.iter()):
            token = f"key {child.tag} {_collect(child, key, owner, records, name)}"
        else:
            seen[child.tag] += 1
            token = f"opaque {child.tag} {seen[child.tag]:06}"
            opaque[token] = _bare(child)
        order.append(token)
    text = (node.text or "") if not len(node) else (node.text or "").strip()
    records[key] = Record(
        tag=node.tag, parent=parent, owner=owner, attributes=tuple((str(n), str(v)) for n, v in node.attrib.items()),
        text=text, opaque=opaque, members=frozenset(members), order=tuple(dict.fromkeys(order)),
    )  # fmt: skip
    return key


def _key(node: XmlElement) -> str:
    """What tells *node* from all others: its id in BPMN, the element it draws in a diagram; empty if nothing does."""
    if node.tag.startswith(f"{{{BPMN}}}"):
        return str(node.get("id") or "")
    if node.tag.startswith(f"{{{DI}}}") and (node.get("bpmnElement") or node.get("id")):
        return f"{etree.QName(node).localname}:{node.get('bpmnElement') or node.get('id')}"
    return ""


def _bare(node: XmlElement) -> XmlElement:
    """A copy of *node* without what follows it and without the white space between its children."""
    copied = deepcopy(node)
    copied.tail = None
    for one in copied.iter():
        if len(one) and not (one.text or "").strip():
            one.text = None
        for child in one:
            if not (child.tail or "").strip():
                child.tail = None
    return copied


def _canonical(node: XmlElement) -> bytes:
    return bytes(etree.tostring(node, method="c14n", exclusive=True))


def token_rank(token: str) -> int:
    """Where the schema wants a child, by its token; children of one rank keep their order."""
    return _RANKS.get(token.split(" ", 2)[1], len(FIRST))


_RANKS = {tag: place for place, tag in enumerate((*FIRST, "", *LAST))}
