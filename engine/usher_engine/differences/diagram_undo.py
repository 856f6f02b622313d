"""Undoes some changes of a diagram: the newer file with these elements as the older one has them. Draws nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy

from ..definitions import BPMN, XmlElement, XmlTree, parse_xml, xml_text
from .change import Change

_OWN_PARTS = {f"{{{BPMN}}}{name}" for name in ("extensionElements", "documentation")}


def touching(changes: Sequence[Change], was: bytes, now: bytes, file: str) -> Iterator[list[Change]]:
    """The *changes* of a diagram, those together that can only be undone together."""
    old, new = _by_key(parse_xml(was, file)), _by_key(parse_xml(now, file))
    leader = {change.key: change.key for change in changes}

    def lead(key: str) -> str:
        while leader[key] != key:
            key = leader[key]
        return key

    for change in changes:
        for element in (old.get(change.key), new.get(change.key)):
            for name, other in _referred(element) if element is not None else ():
                in_one_only = (other in old) != (other in new)
                if other in leader and (in_one_only or name == "default"):
                    leader[lead(change.key)] = lead(other)
    for one, other in _replaced(old, new, leader):
        leader[lead(one)] = lead(other)
    together: dict[str, list[Change]] = {}
    for change in changes:
        together.setdefault(lead(change.key), []).append(change)
    yield from together.values()


def _replaced(
    old: Mapping[str, XmlElement], new: Mapping[str, XmlElement], changed: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The pairs of a flow that went and one that came in its place, from the same element or to the same."""
    flow = f"{{{BPMN}}}sequenceFlow"
    went = [(key, old[key]) for key in changed if key in old and key not in new and old[key].tag == flow]
    came = [(key, new[key]) for key in changed if key in new and key not in old and new[key].tag == flow]
    for one, before in went:
        for other, after in came:
            if any(before.get(end) == after.get(end) for end in ("sourceRef", "targetRef")):
                yield one, other


def _referred(element: XmlElement) -> Iterator[tuple[str, str]]:
    """The elements without which *element* cannot be drawn: (how it refers to them, key)."""
    for name in ("sourceRef", "targetRef", "attachedToRef", "default"):
        if element.get(name):
            yield name, str(element.get(name))
    parent = element.getparent()
    if parent is not None and parent.get("id"):
        yield "parent", str(parent.get("id"))


def undo_in_diagram(parts: Sequence[Change], was: bytes, now: bytes, file: str) -> bytes:
    """The file *now* with the elements of *parts* as they are in *was*."""
    before, tree = parse_xml(was, file), parse_xml(now, file)
    old = _by_key(before)
    for part in parts:
        present, former = _by_key(tree).get(part.key), old.get(part.key)
        if former is None and present is not None:
            _parent(present).remove(present)
        elif former is not None and present is None:
            _put_back(tree, former)
        elif former is not None and present is not None:
            _replace(present, former)
    return xml_text(tree)


def _put_back(tree: XmlTree, former: XmlElement) -> None:
    parent = former.getparent()
    there = _by_key(tree).get(str(parent.get("id"))) if parent is not None else None
    (tree.getroot() if there is None else there).append(deepcopy(former))


def _replace(present: XmlElement, former: XmlElement) -> None:
    """Make *present* what *former* was; what it holds keeps its own changes."""
    if not any(child.get("id") and child.tag.startswith(f"{{{BPMN}}}") and len(child) for child in present):
        _parent(present).replace(present, deepcopy(former))
        return
    present.attrib.clear()
    present.attrib.update(former.attrib)
    for child in [child for child in present if child.tag in _OWN_PARTS]:
        present.remove(child)
    for place, child in enumerate(child for child in former if child.tag in _OWN_PARTS):
        present.insert(place, deepcopy(child))


def _parent(element: XmlElement) -> XmlElement:
    """What holds *element*, which is never the root of a file."""
    parent = element.getparent()
    if parent is None:
        raise ValueError("root")
    return parent


def _by_key(tree: XmlTree) -> dict[str, XmlElement]:
    """The elements by the key of their `Change`: the id, or both ends of a flow that has none."""
    found: dict[str, XmlElement] = {}
    for element in tree.getroot().iter(f"{{{BPMN}}}*"):
        key = str(element.get("id") or "")
        if "_unnamed_" in key and element.tag == f"{{{BPMN}}}sequenceFlow":
            key = f"{element.get('sourceRef')} → {element.get('targetRef')}"
        if key:
            found.setdefault(key, element)
    return found
