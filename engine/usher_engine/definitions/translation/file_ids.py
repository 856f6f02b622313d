"""Makes ids unique across the files of a package: the main file keeps its ids, colliding ids in other files change.

Modellers start every file with StartEvent_1, but the engine and the history identify an element by its id alone.
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
from .translation_context import TranslationContext, bpmn, kind_of

_RUNS = FLOW_NODES | {"sequenceFlow"}
#: Attributes and child elements that refer to an element, in addition to those ending in “Ref”.
_NAMING = {"default", "bpmnElement", "incoming", "outgoing", "source", "target"}
#: Names ending in “Ref” that refer to data.
_DATA = {"loopDataInputRef", "loopDataOutputRef"}
#: Element types that store an answer or message under their id unless resultVariable is set.
_ANSWERED = {"userTask", "manualTask", "receiveTask", "sendTask"}


def separate_files(files: dict[str, bytes], contexts: Mapping[str, TranslationContext]) -> dict[str, dict[str, str]]:
    """
    Replace ids that an earlier file already uses, and record one finding per file, on its first changed element.

    Returns, per file, a mapping from each new id to the id in the original file.
    """
    changed: dict[str, dict[str, str]] = {}
    if len(contexts) < 2:
        return changed
    taken = {key for context in contexts.values() for key in _ids(context.root)}
    owner: dict[str, str] = {}
    for file in _main_first(files, contexts):
        context = contexts[file]
        new = dict(_new_ids(context.root, owner, taken))
        if new:
            _report(context, new, owner)
            _rename(context, new)
            changed[file] = {after: before for before, after in new.items()}
            files[file] = etree.tostring(context.root.getroottree(), encoding="UTF-8", xml_declaration=True)
        owner |= {str(element.get("id")): file for _, element in _executable_elements(context.root)}
    return changed


def _main_first(files: Mapping[str, bytes], contexts: Mapping[str, TranslationContext]) -> list[str]:
    """The file with the main process first, then the others by path."""
    try:
        main = Package(files).key
    except InvalidDefinition:
        return sorted(contexts)
    return sorted(contexts, key=lambda file: (not _has_process(contexts[file].root, main), file))


def _has_process(root: XmlElement, key: str) -> bool:
    return any(process.get("id") == key for process in root.iter(bpmn("process")))


def _executable_elements(root: XmlElement) -> Iterator[tuple[str, XmlElement]]:
    """Flow nodes and sequence flows with an id, each with the id of its process."""
    for process in root.iter(bpmn("process")):
        for element in process.iter(etree.Element):
            if kind_of(element) in _RUNS and element.get("id"):
                yield process.get("id") or "", element


def _ids(root: XmlElement) -> Iterator[str]:
    yield from (str(key) for element in root.iter(etree.Element) if (key := element.get("id")))


def _new_ids(root: XmlElement, owner: Mapping[str, str], taken: set[str]) -> Iterator[tuple[str, str]]:
    """Pairs of (old id, new id) for the ids of *root* that already have an *owner*; new ids are free in all files."""
    for process, element in _executable_elements(root):
        key = str(element.get("id"))
        if key in owner:
            named = [f"{process}_{key}"] if process and len(process) + len(key) < MAX_KEY else []
            free = next(name for name in (*named, *_numbered_id(key, taken)) if name not in taken)
            taken.add(free)
            yield key, free


def _numbered_id(key: str, taken: set[str]) -> tuple[str, ...]:
    number = next(number for number in count(2) if f"{key}_{number}" not in taken)
    return (f"{key}_{number}",)


def _rename(context: TranslationContext, new: Mapping[str, str]) -> None:
    for _, element in list(_executable_elements(context.root)):
        if element.get("id") in new:
            _keep_variable_name(context, element)
            element.set("id", new[str(element.get("id"))])
    for element in context.root.iter(etree.Element):
        for attribute, value in element.attrib.items():
            name = str(attribute).rpartition("}")[2]
            if _names_element(name) and str(value) in new:
                element.set(attribute, new[str(value)])
        text = (element.text or "").strip()
        if text in new and _names_element(kind_of(element)):
            element.text = new[text]


def _names_element(name: str) -> bool:
    return name in _NAMING or (name.endswith("Ref") and name not in _DATA)


def _keep_variable_name(context: TranslationContext, element: XmlElement) -> None:
    """Keep storing the element's answer or message under its old id, which expressions use."""
    kind, key = kind_of(element), str(element.get("id"))
    if kind in _ANSWERED or element.find(bpmn("messageEventDefinition")) is not None:
        context.set_property(element, "resultVariable", key)


def _report(context: TranslationContext, new: Mapping[str, str], owner: Mapping[str, str]) -> None:
    first, *_ = new
    others = ", ".join(sorted({owner[key] for key in new}))
    message = (
        f"{len(new)} ids of this file are also used in {others}. The deployed version uses different ids: "
        f"“{new[first]}” for “{first}”. Use those in examples and mappings."
    )
    context.add_finding(
        next(e for _, e in _executable_elements(context.root) if e.get("id") == first), "translated", message, "info"
    )
