"""Ids that several files of a package use: the main file keeps its own, the others get new ones.

Every modeller begins with StartEvent_1, while the engine and the history know an element by its id alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from lxml import etree

from usher_engine.core.canonical import MAX_KEY
from usher_engine.core.errors import InvalidDefinition

from ..flow_node_types import FLOW_NODES
from ..package import Package
from ..safe_xml import XmlElement
from .translation_context import Page, bpmn, kind_of

_RUNS = FLOW_NODES | {"sequenceFlow"}
#: Attributes and texts that name an element, beside those that end with “Ref”.
_NAMING = {"default", "bpmnElement", "incoming", "outgoing", "source", "target"}
#: These name data.
_DATA = {"loopDataInputRef", "loopDataOutputRef"}
#: Kinds that keep an answer or message under their id where no resultVariable is set.
_ANSWERED = {"userTask", "manualTask", "receiveTask", "sendTask"}


def separate_files(files: dict[str, bytes], pages: Mapping[str, Page]) -> dict[str, dict[str, str]]:
    """
    Give elements in *files* ids that no other file of *pages* uses, and tell it on the first of each file.

    Returns by file, and by new id, the id that stands in the file.
    """
    changed: dict[str, dict[str, str]] = {}
    if len(pages) < 2:
        return changed
    every = {key for page in pages.values() for key in _ids(page.root)}
    owner: dict[str, str] = {}
    for file in _main_first(files, pages):
        page = pages[file]
        new = dict(_renamed(page.root, owner, every))
        if new:
            _tell(page, new, owner)
            _rename(page, new)
            changed[file] = {after: before for before, after in new.items()}
            files[file] = etree.tostring(page.root.getroottree(), encoding="UTF-8", xml_declaration=True)
        owner |= {str(element.get("id")): file for _, element in _running(page.root)}
    return changed


def _main_first(files: Mapping[str, bytes], pages: Mapping[str, Page]) -> list[str]:
    """The file with the process that is started, then the others by path."""
    try:
        main = Package(files).key
    except InvalidDefinition:
        return sorted(pages)
    return sorted(pages, key=lambda file: (not _has_process(pages[file].root, main), file))


def _has_process(root: XmlElement, key: str) -> bool:
    return any(process.get("id") == key for process in root.iter(bpmn("process")))


def _running(root: XmlElement) -> Iterator[tuple[str, XmlElement]]:
    """What the engine knows by its id, with the id of its process."""
    for process in root.iter(bpmn("process")):
        for element in process.iter(etree.Element):
            if kind_of(element) in _RUNS and element.get("id"):
                yield process.get("id") or "", element


def _ids(root: XmlElement) -> Iterator[str]:
    yield from (str(key) for element in root.iter(etree.Element) if (key := element.get("id")))


def _renamed(root: XmlElement, owner: Mapping[str, str], every: set[str]) -> Iterator[tuple[str, str]]:
    """The ids of *root* that have an *owner* already, each with a new one that is free in all files."""
    for process, element in _running(root):
        key = str(element.get("id"))
        if key in owner:
            named = [f"{process}_{key}"] if process and len(process) + len(key) < MAX_KEY else []
            free = next(name for name in (*named, *_numbered(key, every)) if name not in every)
            every.add(free)
            yield key, free


def _numbered(key: str, every: set[str]) -> tuple[str, ...]:
    number = next(number for number in count(2) if f"{key}_{number}" not in every)
    return (f"{key}_{number}",)


def _rename(page: Page, new: Mapping[str, str]) -> None:
    for _, element in list(_running(page.root)):
        if element.get("id") in new:
            _keep_name(page, element)
            element.set("id", new[str(element.get("id"))])
    for element in page.root.iter(etree.Element):
        for attribute, value in element.attrib.items():
            name = str(attribute).rpartition("}")[2]
            if _names_element(name) and str(value) in new:
                element.set(attribute, new[str(value)])
        text = (element.text or "").strip()
        if text in new and _names_element(kind_of(element)):
            element.text = new[text]


def _names_element(name: str) -> bool:
    return name in _NAMING or (name.endswith("Ref") and name not in _DATA)


def _keep_name(page: Page, element: XmlElement) -> None:
    """What is kept under the element's id stays where expressions look for it."""
    kind, key = kind_of(element), str(element.get("id"))
    if kind in _ANSWERED or element.find(bpmn("messageEventDefinition")) is not None:
        page.set_property(element, "resultVariable", key)


def _tell(page: Page, new: Mapping[str, str], owner: Mapping[str, str]) -> None:
    first, *_ = new
    others = ", ".join(sorted({owner[key] for key in new}))
    message = (
        f"{len(new)} ids of this file are used in {others} too. In what is deployed they differ, “{new[first]}” for "
        f"“{first}”; examples and mappings use those."
    )
    page.say(next(e for _, e in _running(page.root) if e.get("id") == first), "translated", message, "info")
