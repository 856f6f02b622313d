"""Rules for a BPMN file as XML: it can be read safely, keeps to the schema, and its ids are unique."""

from __future__ import annotations

import re
from collections.abc import Iterator

from usher_engine.bpmn import schema_problem
from usher_engine.canonical import MAX_KEY
from usher_engine.definitions import BPMN, XmlElement, XmlTree, line_of

from .finding import Finding

_BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
_NAMESPACE = re.compile(r"\{[^}]*\}")
#: Names the engine library gives its own helpers.
_TAKEN = {"Root", "typename"}
_TAKEN_ENDINGS = (".EndJoin", ".BoundaryEventSplit", ".BoundaryEventJoin")
#: Extensions other products write; what they say would be ignored without a word.
_FOREIGN = {"http://camunda.org/schema/1.0/bpmn": "Camunda 7", "http://camunda.org/schema/zeebe/1.0": "Camunda 8"}


def file_findings(file: str, tree: XmlTree, seen_ids: dict[str, str]) -> Iterator[Finding]:
    """What is wrong with *tree* as BPMN; *seen_ids* maps ids met so far in the package to their file."""
    root = tree.getroot()
    if root.tag != f"{{{BPMN}}}definitions":
        yield _finding(file, "", "not-bpmn", "The file is not BPMN 2.0: its outermost element is not bpmn:definitions.")
        return
    yield from _schema(file, tree)
    yield from _ids(file, root, seen_ids)
    for element in root.iter(f"{{{BPMN}}}import"):
        message = "Imports cannot run yet. Put the imported file into the package and call its process."
        yield _finding(file, element.get("id") or "import", "cannot-run", message)
    yield from _foreign(file, root)


def drawing_findings(file: str, tree: XmlTree, drawable: list[str]) -> Iterator[Finding]:
    """Elements without a shape or line in the file's diagram: they run, but nobody sees them."""
    drawn = {
        element.get("bpmnElement", "").rpartition(":")[2]
        for kind in ("BPMNShape", "BPMNEdge")
        for element in tree.getroot().iter(f"{{{_BPMNDI}}}{kind}")
    }
    lost = [key for key in drawable if key not in drawn]
    if lost:
        message = f"Not drawn in the diagram: {_some(lost)}. They run, but are not seen in the viewer."
        yield Finding(file=file, element=lost[0], rule="not-drawn", message=message, severity="warning")


def _schema(file: str, tree: XmlTree) -> Iterator[Finding]:
    problem = schema_problem(tree)
    if problem is not None:
        message, line = problem
        plain = _NAMESPACE.sub("", message).split("\n", maxsplit=1)[0][:300]
        element = _element_at(tree.getroot(), line)
        yield _finding(file, element, "schema", f"Line {line} does not keep to the BPMN 2.0 schema: {plain}")


def _element_at(root: XmlElement, line: int) -> str:
    """Id of the last element with an id that begins at or before *line*."""
    found = ""
    for element in root.iter():
        if element.get("id") and line_of(element) <= line:
            found = str(element.get("id"))
    return found


def _ids(file: str, root: XmlElement, seen: dict[str, str]) -> Iterator[Finding]:
    for element in root.iter(f"{{{BPMN}}}*"):
        key = element.get("id")
        if key is None or element is root:
            continue
        if key in seen:
            where = "" if seen[key] == file else f" (the other is in {seen[key]})"
            yield _finding(file, key, "unique-id", f"Two elements have the id “{key}”{where}. Give each its own.")
        seen[key] = file
        if key in _TAKEN or key.endswith(_TAKEN_ENDINGS):
            yield _finding(file, key, "reserved-id", f"The id “{key}” is a name the engine uses itself; change it.")
        if len(key) > MAX_KEY:
            yield _finding(file, key[:MAX_KEY], "reserved-id", f"An id has at most {MAX_KEY} characters; shorten it.")


def _foreign(file: str, root: XmlElement) -> Iterator[Finding]:
    for namespace, product in _FOREIGN.items():
        owners = [e for e in root.iter(f"{{{BPMN}}}*") if any(f"{{{namespace}}}" in str(name) for name in e.attrib)]
        owners += [e for e in root.iter(f"{{{namespace}}}*") if e.get("id")]
        if owners:
            names = _some([owner.get("id") or _NAMESPACE.sub("", str(owner.tag)) for owner in owners])
            message = f"Settings made for {product} are ignored: {names}. Set them again in the properties panel."
            yield Finding(file=file, element="", rule="foreign", message=message, severity="warning")


def _some(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _finding(file: str, element: str, rule: str, message: str) -> Finding:
    return Finding(file=file, element=element, rule=rule, message=message)
