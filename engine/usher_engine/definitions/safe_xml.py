"""The only XML parser in the product: no document type, no entities, no network, bounded size and depth.

It adds ids that BPMN and DMN let authors omit, because SpiffWorkflow never follows a sequence flow without one.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeAlias, cast

from lxml import etree

from usher_engine.core.errors import InvalidDefinition

from .flow_node_types import FLOW_NODES

XmlElement: TypeAlias = etree._Element  # noqa: SLF001 - lxml's only name for it
XmlTree: TypeAlias = etree._ElementTree  # noqa: SLF001 - the same

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
#: Namespaces of DMN 1.1 to 1.5 in the standard and in tools; the parts that Usher reads are the same in all of them.
DMN = frozenset(
    {
        *("http://www.omg.org/spec/DMN/20151101/dmn.xsd", "http://www.omg.org/spec/DMN/20151101/dmn11.xsd"),
        "http://www.omg.org/spec/DMN/20151101",
        "http://www.omg.org/spec/DMN/20151130",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        *("https://www.omg.org/spec/DMN/20230324/MODEL/", "https://www.omg.org/spec/DMN/20230324/DMN15.xsd"),
    }
)

MAX_XML_BYTES = 1_000_000
MAX_XML_DEPTH = 100  # real diagrams stay below 20; libxml2 stops at 256

#: BPMN elements that own an ``id`` attribute and that diagrams, events or findings refer to.
_BPMN_KINDS_WITH_IDS = FLOW_NODES | {
    *("collaboration", "choreography", "globalChoreographyTask", "conversation", "participant", "process"),
    *("laneSet", "lane", "sequenceFlow", "messageFlow", "association", "textAnnotation"),
    *("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"),
}
#: The same for DMN, where the id is optional on every element.
_DMN_KINDS_WITH_IDS = frozenset({"decision", "decisionTable", "input", "output", "rule", "informationRequirement"})


def parse_xml(content: bytes, name: str) -> XmlTree:
    """
    Parse one XML file of a package for execution: drop comments and add missing ids.

    The same bytes give the same tree, including the added ids, so callers may store an id.

    Args:
        content: The raw file, at most `MAX_XML_BYTES`.
        name: Its path in the package, for messages.

    Raises:
        InvalidDefinition: ``problems`` holds (*name*, what is wrong).
    """
    tree = parse_as_written(content, name, comments=False)
    root = tree.getroot()
    add_ids(root)
    for parameter in root.iter(f"{{{SPIFF}}}parameter"):
        # SpiffWorkflow requires a type there and never uses it.
        parameter.set("type", parameter.get("type", "any"))
    return tree


def parse_as_written(content: bytes, name: str, *, comments: bool = True) -> XmlTree:
    """Parse one XML file safely and add nothing; raises like `parse_xml`."""
    if len(content) > MAX_XML_BYTES:
        raise _refusal(name, f"is larger than {MAX_XML_BYTES // 1000} kB; split the process into called processes.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=not comments,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refusal(name, f"is not well-formed XML: {_first_line(error)}") from None
    tree = root.getroottree()
    document: Any = tree.docinfo
    if document.doctype or document.internalDTD is not None:
        raise _refusal(name, "has a DOCTYPE; remove that line, process files do not need one.")
    if _depth(root) > MAX_XML_DEPTH:
        raise _refusal(name, f"nests elements deeper than {MAX_XML_DEPTH} levels.")
    return tree


def xml_text(tree: XmlTree) -> bytes:
    """The file of *tree*, in UTF-8."""
    return bytes(etree.tostring(tree, encoding="UTF-8", xml_declaration=True))


def line_of(element: XmlElement) -> int:
    """The line where *element* starts; 0 if unknown."""
    return cast("int | None", element.sourceline) or 0


def elements_at(tree: XmlTree, paths: list[str]) -> list[XmlElement | None]:
    """Look up the elements that a validator names by XPath; None for a path without a match."""
    prefixes = {str(name[0]): str(name[1]) for _, name in etree.iterwalk(tree, events=("start-ns",)) if name[0]}
    return [_element_at(tree, path, prefixes) for path in paths]


def _element_at(tree: XmlTree, path: str, prefixes: dict[str, str]) -> XmlElement | None:
    try:
        found: Any = tree.xpath(path, namespaces=prefixes) if path else []
    except etree.XPathError:
        return None
    return cast("XmlElement", found[0]) if isinstance(found, list) and found and hasattr(found[0], "tag") else None


def _refusal(name: str, reason: str) -> InvalidDefinition:
    return InvalidDefinition(f"{name} {reason}", problems=[(name, f"The file {reason}")])


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0][:200]


def _depth(root: XmlElement) -> int:
    deepest = depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def _kinds_with_ids(namespace: str) -> frozenset[str]:
    if namespace == BPMN:
        return _BPMN_KINDS_WITH_IDS
    return _DMN_KINDS_WITH_IDS if namespace in DMN else frozenset()


def add_ids(root: XmlElement) -> list[str]:
    """Add missing ids to the elements that need one; return the added ids in file order."""
    added: list[str] = []
    taken = {element.get("id") for element in root.iter(etree.Element)}
    numbers: Counter[str] = Counter()
    for element in root.iter(etree.Element):
        namespace, _, kind = str(element.tag).rpartition("}")
        if element.get("id") or kind not in _kinds_with_ids(namespace.removeprefix("{")):
            continue
        while True:
            numbers[kind] += 1
            candidate = f"{kind}_unnamed_{numbers[kind]}"
            if candidate not in taken:
                break
        element.set("id", candidate)
        added.append(candidate)
    return added
