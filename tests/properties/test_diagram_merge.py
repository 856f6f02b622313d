"""Random independent changes of two people: merged they are what both together would be, whoever saved first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from usher_engine.definitions import CannotMerge, merge_diagrams, parse_xml, read_diagram
from usher_engine.definitions.diagram_records import document_of
from usher_engine.definitions.safe_xml import BPMN, XmlElement

BASE = (ROOT / "processes/enrollment/enrollment.bpmn").read_bytes()
NAME = "enrollment.bpmn"
B, DI, DC = f"{{{BPMN}}}", "{http://www.omg.org/spec/BPMN/20100524/DI}", "{http://www.omg.org/spec/DD/20100524/DC}"
PARSED = etree.fromstring(BASE)
FLOWS = sorted(one.get("id") for one in PARSED.iter(f"{B}sequenceFlow"))
STEPS = (f"{B}userTask", f"{B}serviceTask", f"{B}scriptTask", f"{B}endEvent")
NODES = sorted(one.get("id") for one in PARSED.iter(*STEPS))
SHAPES = sorted(one.get("bpmnElement") for one in PARSED.iter(f"{DI}BPMNShape"))
BOUNDARY = sorted(one.get("id") for one in PARSED.iter(f"{B}boundaryEvent"))

Edit = tuple[str, str]


def with_id(root: XmlElement, key: str) -> XmlElement:
    return next(one for one in root.iter(f"{B}*") if one.get("id") == key)


def rename(root: XmlElement, key: str) -> None:
    with_id(root, key).set("name", f"{key} renamed")


def insert(root: XmlElement, key: str) -> None:
    """A script task on the flow *key*, with its shape."""
    flow = with_id(root, key)
    old, new, onward = with_id(root, flow.get("targetRef")), f"New_{key}", f"On_{key}"
    flow.set("targetRef", new)
    for one in old.iter(f"{B}incoming"):
        if one.text == key:
            one.text = onward
    parent = flow.getparent()
    step = etree.SubElement(parent, f"{B}scriptTask", id=new, name=f"Step on {key}")
    etree.SubElement(step, f"{B}incoming").text = key
    etree.SubElement(step, f"{B}outgoing").text = onward
    etree.SubElement(step, f"{B}script").text = "x = 1"
    etree.SubElement(parent, f"{B}sequenceFlow", id=onward, sourceRef=new, targetRef=old.get("id"))
    shape = etree.SubElement(next(root.iter(f"{DI}BPMNPlane")), f"{DI}BPMNShape", id=f"{new}_di", bpmnElement=new)
    etree.SubElement(shape, f"{DC}Bounds", x="1", y="2", width="100", height="80")


def move(root: XmlElement, key: str) -> None:
    shape = next(one for one in root.iter(f"{DI}BPMNShape") if one.get("bpmnElement") == key)
    bounds = shape.find(f"{DC}Bounds")
    bounds.set("x", str(float(bounds.get("x")) + 7))


def remove(root: XmlElement, key: str) -> None:
    """A boundary event with the flow that leaves it."""
    gone = {key, *(one.get("id") for one in root.iter(f"{B}sequenceFlow") if one.get("sourceRef") == key)}
    for one in list(root.iter()):
        member = one.tag in (f"{B}incoming", f"{B}outgoing", f"{B}flowNodeRef") and (one.text or "").strip() in gone
        if member or one.get("id") in gone or one.get("bpmnElement") in gone:
            one.getparent().remove(one)


EDITS: dict[str, Callable[[XmlElement, str], None]] = {
    "rename": rename, "insert": insert, "move": move, "remove": remove,
}  # fmt: skip
KEYS = {"rename": NODES, "insert": FLOWS, "move": SHAPES, "remove": BOUNDARY}
edits = st.sampled_from(sorted(EDITS)).flatmap(lambda kind: st.tuples(st.just(kind), st.sampled_from(KEYS[kind])))


def applied(changes: list[Edit]) -> bytes:
    root = etree.fromstring(BASE)
    for kind, key in changes:
        EDITS[kind](root, key)
    return bytes(etree.tostring(root))


def touched(kind: str, key: str) -> set[str]:
    """What an edit changes, beside lists that follow from flows."""
    if kind == "remove":
        left = {one.get("id") for one in PARSED.iter(f"{B}sequenceFlow") if one.get("sourceRef") == key}
        return {key, f"at {key}", *left}
    return {f"at {key}"} if kind == "move" else {key}


def content(diagram: bytes) -> dict[str, object]:
    return {key: (one.says, one.members) for key, one in document_of(diagram, NAME).records.items()}


@settings(max_examples=40, deadline=None)
@given(st.lists(edits, unique=True, max_size=8), st.data())
def test_independent_changes_go_together_in_either_order(changes: list[Edit], data: st.DataObject) -> None:
    seen: set[str] = set()
    kept = [one for one in changes if not touched(*one) & seen and not seen.update(touched(*one))]
    whose = data.draw(st.lists(st.booleans(), min_size=len(kept), max_size=len(kept)))
    first = applied([one for one, mine in zip(kept, whose, strict=True) if not mine])
    second = applied([one for one, mine in zip(kept, whose, strict=True) if mine])
    merged = merge_diagrams(BASE, first, second, NAME)
    assert merged.conflicts == () and merged.content is not None
    assert content(merged.content) == content(applied(kept))
    assert merge_diagrams(BASE, second, first, NAME).content == merged.content
    read_diagram(parse_xml(merged.content, NAME), NAME)


@settings(max_examples=40, deadline=None)
@given(st.lists(edits, max_size=6), st.lists(edits, max_size=6))
def test_whatever_two_people_do_no_reference_is_left_hanging(theirs: list[Edit], mine: list[Edit]) -> None:
    def possible(changes: list[Edit]) -> bytes:
        seen: set[str] = set()
        return applied([one for one in changes if not touched(*one) & seen and not seen.update(touched(*one))])

    first, second = possible(theirs), possible(mine)
    merged = merge_diagrams(BASE, first, second, NAME)
    if merged.content is None:
        assert merged.conflicts
        for pick in ("mine", "theirs"):
            chosen = merge_diagrams(BASE, first, second, NAME, dict.fromkeys(merged.conflicts, pick))
            assert chosen.content is None or references_are_whole(chosen.content)
        return
    assert references_are_whole(merged.content)


def references_are_whole(diagram: bytes) -> bool:
    root = etree.fromstring(diagram)
    ids = {one.get("id") for one in root.iter(f"{B}*")}
    named = [one.get(name) for one in root.iter(f"{B}sequenceFlow") for name in ("sourceRef", "targetRef")]
    named += [one.get("attachedToRef") for one in root.iter(f"{B}boundaryEvent")]
    named += [one.get("bpmnElement") for one in root.iter(f"{DI}*") if one.get("bpmnElement")]
    named += [(one.text or "").strip() for one in root.iter(f"{B}incoming", f"{B}outgoing", f"{B}flowNodeRef")]
    read_diagram(parse_xml(diagram, NAME), NAME)
    return set(named) <= ids


COMMENTED = BASE.replace(b"<bpmn:process", b"<!-- x --><bpmn:process")


@pytest.mark.parametrize("broken", [b"", b"<a", b"<!DOCTYPE x><x/>", COMMENTED])
def test_what_cannot_be_read_or_has_comments_is_not_merged(broken: bytes) -> None:
    for three in ((broken, BASE, BASE), (BASE, broken, BASE), (BASE, BASE, broken)):
        with pytest.raises(CannotMerge):
            merge_diagrams(*three, NAME)
