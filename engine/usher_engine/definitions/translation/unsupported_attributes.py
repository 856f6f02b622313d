"""What no translation took: settings that do nothing here are told once, those that mean something are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..flow_node_types import SUB_PROCESSES
from ..lint_finding import Finding
from ..safe_xml import BPMN, SPIFF, XmlElement
from .translation_context import Page, bpmn, kind_of, name_of, owner_id
from .vendor_extensions import AMBIGUOUS, HARMLESS, MEANT, PLACES, PRODUCTS, TOOLS, TRANSLATED

_STANDARD = ("http://www.omg.org/", "http://www.w3.org/")


def tell_leftovers(page: Page) -> None:
    harmless: dict[str, set[str]] = {}
    tools: Counter[str] = Counter()
    for element in page.root.iter(f"{{{BPMN}}}*"):
        for namespace, name in _foreign(element):
            if namespace not in PRODUCTS:
                tools[namespace] += 1
            if advice := _advice(element, namespace, name):
                page.refuse(element, f"“{name}” of {_called(namespace)} would be lost. {advice}")
            elif name in HARMLESS:
                harmless.setdefault(owner_id(element), set()).add(name)
            elif not _is_off(element, namespace, name) and (namespace in PRODUCTS or _may_mean(namespace, name)):
                message = f"“{name[:60]}” of {_called(namespace)} does nothing here."
                page.say(element, "foreign", message, "warning")
    for key, names in harmless.items():
        _tell(page, key, f"Settings of another engine that do nothing here: {', '.join(sorted(names))}.")
    if tools:
        told = ", ".join(f"{name[:80]} ({count})" for name, count in tools.most_common(5))
        _tell(page, str(page.root.get("id") or ""), f"Notes of other tools, which do nothing here: {told}.")


def _advice(element: XmlElement, namespace: str, name: str) -> str:
    """What to do instead where *name* means something that is not done here; empty where nothing is lost."""
    if namespace.startswith(TOOLS) or _is_off(element, namespace, name):
        return ""
    if (kind_of(element), name) == ("terminateEventDefinition", "terminateAll"):
        return _ends_all(element)
    advice = PLACES.get((kind_of(element), name)) or MEANT.get(name, "")
    if namespace not in PRODUCTS:
        if name in AMBIGUOUS:
            return ""
        return "Set it again in the properties panel." if name in TRANSLATED else advice
    return advice


def _ends_all(definition: XmlElement) -> str:
    """An end of all is an end of the scope where that is the process itself, if nothing called it."""
    if any(kind_of(around) in SUB_PROCESSES for around in definition.iterancestors()):
        return "An end ends its own sub-process here. Throw an error and catch it around, then end there."
    return ""


def _may_mean(namespace: str, name: str) -> bool:
    """Whether somebody should look at a word of nobody known."""
    return name in AMBIGUOUS and not namespace.startswith(TOOLS)


def _is_off(element: XmlElement, namespace: str, name: str) -> bool:
    """A setting that says no."""
    return (element.get(f"{{{namespace}}}{name}") or "").strip().lower() == "false"


def _called(namespace: str) -> str:
    return PRODUCTS.get(namespace) or f"{namespace[:80]}, an engine or tool not known here,"


def _foreign(element: XmlElement) -> Iterator[tuple[str, str]]:
    """Foreign attributes of *element*, and foreign elements in it, in its extension elements or beside them."""
    for attribute in element.attrib:
        namespace, name = name_of(attribute)
        if namespace and not namespace.startswith(_STANDARD):
            yield namespace, name
    if kind_of(element) == "definitions":
        return
    holders = [element, *element.iterchildren(bpmn("extensionElements"))]
    for child in (child for holder in holders for child in holder):
        namespace, name = name_of(child.tag)
        if namespace and namespace not in (SPIFF, BPMN) and kind_of(element) != "extensionElements":
            yield namespace, name


def _tell(page: Page, element: str, message: str) -> None:
    page.findings.append(Finding(file=page.file, element=element, rule="foreign", message=message, severity="info"))
