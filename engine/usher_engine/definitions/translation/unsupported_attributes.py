"""Reports attributes and elements that no translation handled: harmless ones once, meaningful ones as errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..flow_node_types import SUB_PROCESSES
from ..lint_finding import Finding
from ..safe_xml import BPMN, SPIFF, XmlElement
from .translation_context import TranslationContext, bpmn, kind_of, name_of, owner_id
from .vendor_extensions import AMBIGUOUS, HARMLESS, MEANINGFUL, MEANINGFUL_IN_PLACE, PRODUCTS, TOOLS, TRANSLATED

_STANDARD = ("http://www.omg.org/", "http://www.w3.org/")


def report_unsupported(context: TranslationContext) -> None:
    harmless: dict[str, set[str]] = {}
    tools: Counter[str] = Counter()
    for element in context.root.iter(f"{{{BPMN}}}*"):
        for namespace, name in _foreign_names(element):
            if namespace not in PRODUCTS:
                tools[namespace] += 1
            if advice := _advice(element, namespace, name):
                context.refuse(element, f"“{name}” of {_product_name(namespace)} would be lost. {advice}")
            elif name in HARMLESS:
                harmless.setdefault(owner_id(element), set()).add(name)
            elif not _is_off(element, namespace, name) and (namespace in PRODUCTS or _is_ambiguous(namespace, name)):
                message = f"“{name[:60]}” of {_product_name(namespace)} does nothing here."
                context.add_finding(element, "foreign", message, "warning")
    for key, names in harmless.items():
        _add_note(context, key, f"Settings of another engine that do nothing here: {', '.join(sorted(names))}.")
    if tools:
        counts = ", ".join(f"{name[:80]} ({count})" for name, count in tools.most_common(5))
        _add_note(context, str(context.root.get("id") or ""), f"Notes of other tools, which do nothing here: {counts}.")


def _advice(element: XmlElement, namespace: str, name: str) -> str:
    """What the author should do instead if dropping *name* would change the process; empty if nothing is lost."""
    if namespace.startswith(TOOLS) or _is_off(element, namespace, name):
        return ""
    if (kind_of(element), name) == ("terminateEventDefinition", "terminateAll"):
        return _ends_all(element)
    advice = MEANINGFUL_IN_PLACE.get((kind_of(element), name)) or MEANINGFUL.get(name, "")
    if namespace not in PRODUCTS:
        if name in AMBIGUOUS:
            return ""
        return "Set it again in the properties panel." if name in TRANSLATED else advice
    return advice


def _ends_all(definition: XmlElement) -> str:
    """Advice for ``terminateAll`` inside a sub-process; at process level it equals an ordinary terminate event."""
    if any(kind_of(around) in SUB_PROCESSES for around in definition.iterancestors()):
        return "Here, it ends only its own sub-process. Throw an error, catch it on the sub-process, then end there."
    return ""


def _is_ambiguous(namespace: str, name: str) -> bool:
    """Whether a name from an unknown namespace might carry meaning, so an author should look at it."""
    return name in AMBIGUOUS and not namespace.startswith(TOOLS)


def _is_off(element: XmlElement, namespace: str, name: str) -> bool:
    """Whether the setting is switched off (``false``)."""
    return (element.get(f"{{{namespace}}}{name}") or "").strip().lower() == "false"


def _product_name(namespace: str) -> str:
    return PRODUCTS.get(namespace) or f"{namespace[:80]}, an engine or tool not known here,"


def _foreign_names(element: XmlElement) -> Iterator[tuple[str, str]]:
    """Foreign attributes and child elements of *element*, including those in its extension elements."""
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


def _add_note(context: TranslationContext, element: str, message: str) -> None:
    context.findings.append(
        Finding(file=context.file, element=element, rule="foreign", message=message, severity="info")
    )
