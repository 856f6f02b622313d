"""What no translation took: settings that do nothing here are told once, those that mean something are refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..finding import Finding
from ..safe_xml import BPMN, SPIFF, XmlElement
from .page import Page, bpmn, kind_of, name_of, owner_id
from .vendors import HARMLESS, MEANT, PLACES, PRODUCTS, TRANSLATED

_STANDARD = ("http://www.omg.org/", "http://www.w3.org/")


def tell_leftovers(page: Page) -> None:
    harmless: dict[str, set[str]] = {}
    tools: Counter[str] = Counter()
    for element in page.root.iter(f"{{{BPMN}}}*"):
        for namespace, name in _foreign(element):
            if namespace not in PRODUCTS:
                tools[namespace] += 1
                if name in MEANT or name in TRANSLATED:
                    message = f"“{name}” of {namespace[:80]}, an engine or tool not known here, does nothing."
                    page.say(element, "foreign", message, "warning")
                elif name in HARMLESS:
                    harmless.setdefault(owner_id(element), set()).add(name)
                continue
            advice = PLACES.get((kind_of(element), name)) or MEANT.get(name)
            if advice:
                page.refuse(element, f"“{name}” of {PRODUCTS[namespace]} would be lost. {advice}")
            elif name in HARMLESS:
                harmless.setdefault(owner_id(element), set()).add(name)
            else:
                message = f"“{name[:60]}” of {PRODUCTS[namespace]} is not known here and does nothing."
                page.say(element, "foreign", message, "warning")
    for key, names in harmless.items():
        _tell(page, key, f"Settings of another engine that do nothing here: {', '.join(sorted(names))}.")
    if tools:
        told = ", ".join(f"{name[:80]} ({count})" for name, count in tools.most_common(5))
        _tell(page, str(page.root.get("id") or ""), f"Notes of other tools, which do nothing here: {told}.")


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
