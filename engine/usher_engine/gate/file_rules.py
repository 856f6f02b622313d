"""Rules for a BPMN file as XML: Usher can read it safely, it follows the schema, and its ids are unique."""

from __future__ import annotations

import re
from collections.abc import Iterator

from usher_engine.bpmn import schema_problems
from usher_engine.core.canonical import MAX_KEY
from usher_engine.definitions import BPMN, FLOW_NODES, XmlElement, XmlTree, elements_at, line_of

from ..definitions.lint_finding import Finding, Rule

_XINCLUDE = "http://www.w3.org/2001/XInclude"
_BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
_NAMESPACE = re.compile(r"\{[^}]*\}")
#: Names that SpiffWorkflow gives its own helper tasks.
_TAKEN = {"Root", "typename"}
_TAKEN_ENDINGS = (".EndJoin", ".BoundaryEventSplit", ".BoundaryEventJoin")
#: One mistake often breaks the schema in many places.
_MOST_BREACHES = 40


def file_findings(file: str, tree: XmlTree, seen_ids: dict[str, str]) -> Iterator[Finding]:
    """Findings about *tree* as BPMN; *seen_ids* maps the ids met so far in the package to their file."""
    root = tree.getroot()
    if not is_bpmn(tree):
        yield _finding(file, "", "not-bpmn", "The file is not BPMN 2.0: its outermost element is not bpmn:definitions.")
        return
    yield from _schema(file, tree)
    yield from _ids(file, root, seen_ids)
    for element in root.iter(f"{{{_XINCLUDE}}}*"):
        message = "Usher never includes other files by XInclude. Remove the element, or copy the content it names."
        yield _finding(file, _id_around(element), "safe-xml", message)
    for element in root.iter(f"{{{BPMN}}}import"):
        named = (element.get("location") or element.get("namespace") or "")[:200]
        message = f"The import of “{named}” cannot run yet. Put the file into the package and call its process."
        yield _finding(file, root.get("id") or "", "cannot-run", message)


def is_bpmn(tree: XmlTree) -> bool:
    return bool(tree.getroot().tag == f"{{{BPMN}}}definitions")


def drawing_findings(file: str, tree: XmlTree, drawable: list[str]) -> Iterator[Finding]:
    """A finding about elements without a shape or edge in the file's diagram: they run, but the viewer hides them."""
    drawn = {
        element.get("bpmnElement", "").rpartition(":")[2]
        for kind in ("BPMNShape", "BPMNEdge")
        for element in tree.getroot().iter(f"{{{_BPMNDI}}}{kind}")
    }
    hidden = [key for key in drawable if key not in drawn]
    if hidden:
        message = f"Not drawn in the diagram: {_list_some(hidden)}. They run, but the viewer does not show them."
        yield Finding(file=file, element=hidden[0], rule="not-drawn", message=message, severity="warning")


def _schema(file: str, tree: XmlTree) -> Iterator[Finding]:
    """Schema violations: errors in the parts that run, warnings in the drawing."""
    reported: set[str] = set()
    breaches = schema_problems(tree)[:_MOST_BREACHES]
    places = elements_at(tree, [path for _, _, path in breaches]) if breaches else []
    for (message, line, _), found in zip(breaches, places, strict=True):
        element = _last_before(tree, line) if found is None else found
        key = _id_around(element)
        if key in reported:
            continue
        reported.add(key)
        plain = _NAMESPACE.sub("", message).split("\n", maxsplit=1)[0][:300]
        drawn = not str(element.tag).startswith(f"{{{BPMN}}}")
        text = f"Line {line} does not follow the BPMN 2.0 schema: {plain}"
        yield Finding(file=file, element=key, rule="schema", message=text, severity="warning" if drawn else "error")


def _last_before(tree: XmlTree, line: int) -> XmlElement:
    """The last element that begins at or before *line*."""
    return max((e for e in tree.getroot().iter() if line_of(e) <= line), key=line_of, default=tree.getroot())


def _id_around(element: XmlElement) -> str:
    """Return the id of *element* or its nearest ancestor with one; for a shape, the id of the element it draws."""
    for here in (element, *element.iterancestors()):
        drawn = (here.get("bpmnElement") or "").rpartition(":")[2]
        if drawn and element.getroottree().xpath("boolean(//*[@id=$key])", key=drawn):
            return str(drawn)
        if key := here.get("id"):
            return str(key)
    return ""


def _ids(file: str, root: XmlElement, seen: dict[str, str]) -> Iterator[Finding]:
    """An id is unique in its file; ids of processes, flow nodes and sequence flows are unique in the package."""
    here: set[str] = set()
    for element in root.iter(f"{{{BPMN}}}*"):
        key = element.get("id")
        if key is None or element is root:
            continue
        elsewhere = seen.get(key, "") if _is_known_by_id(element) else ""
        if key in here or elsewhere:
            where = f" (the other is in {elsewhere})" if elsewhere else ""
            yield _finding(file, key, "unique-id", f"Two elements have the id “{key}”{where}. Give each its own.")
        here.add(key)
        if key in _TAKEN or key.endswith(_TAKEN_ENDINGS):
            yield _finding(file, key, "reserved-id", f"The id “{key}” is a name the engine uses; change it.")
        if len(key) > MAX_KEY:
            yield _finding(file, key, "reserved-id", f"An id has at most {MAX_KEY} characters; shorten it.")
    seen |= {str(element.get("id")): file for element in root.iter(f"{{{BPMN}}}*") if _is_known_by_id(element)}


def _is_known_by_id(element: XmlElement) -> bool:
    """Whether the engine and the history know *element* by its id alone."""
    kind = str(element.tag).rpartition("}")[2]
    return kind in FLOW_NODES or kind in ("process", "sequenceFlow")


def _list_some(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"“{name}”" for name in names[:most]) + more


def _finding(file: str, element: str, rule: Rule, message: str) -> Finding:
    return Finding(file=file, element=element, rule=rule, message=message)
