"""Adds what BPMN lets authors omit and restores the order the schema requires, without changing the meaning."""

from __future__ import annotations

from lxml import etree

from ..lint_finding import Finding
from ..safe_xml import BPMN, XmlElement, add_ids
from .translation_context import TranslationContext, bpmn, kind_of

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NAMESPACE = "http://bpmn.io/schema/bpmn"

#: Position of each child of a flow node or process in the schema; unlisted children get 20 (BPMN20.xsd).
_ORDER = {
    name: place
    for place, names in enumerate(
        (
            ("documentation",),
            ("extensionElements",),
            ("auditing", "monitoring"),
            ("supportedInterfaceRef", "ioBinding"),
            ("categoryValueRef",),
            ("incoming",),
            ("outgoing",),
            ("ioSpecification",),
            ("property",),
            ("dataInputAssociation",),
            ("dataOutputAssociation",),
            ("performer", "humanPerformer", "potentialOwner", "resourceRole"),
            ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"),
            ("laneSet",),
        )
    )
    for name in names
}
_LAST = {"textAnnotation": 30, "association": 30, "group": 30}
_ORDERED = ("Event", "Task", "task", "Gateway", "ubProcess", "transaction", "Activity", "process", "sequenceFlow")


#: Attributes that the schema reads without surrounding blanks: references and booleans.
_REFERENCES = ("sourceRef", "targetRef", "default", "id")
_QUALIFIED = (
    *("attachedToRef", "processRef", "messageRef", "errorRef", "escalationRef", "signalRef", "bpmnElement"),
    *("dataObjectRef", "dataStoreRef"),
)
_TRUE_OR_FALSE = (
    *("isExecutable", "isForCompensation", "isInterrupting", "cancelActivity", "parallelMultiple", "instantiate"),
    *("triggeredByEvent", "isSequential", "testBefore", "isCollection", "isClosed", "isImmediate"),
)
_BOOLEANS = {"1": "true", "0": "false"}


def repair(context: TranslationContext) -> None:
    """Repair ids and references, the order of children, the target namespace and the types of expressions."""
    _normalize_values(context)
    _add_missing_ids(context)
    _add_namespace(context)
    _repair_types(context)
    _sort_children(context)


def _normalize_values(context: TranslationContext) -> None:
    """Write references and booleans in the plain form that every reader of the file understands alike."""
    ids = {str(key).strip() for element in context.root.iter() if (key := element.get("id"))}
    changed: list[XmlElement] = []
    for element in context.root.iter(etree.Element):
        for name in (*_REFERENCES, *_QUALIFIED, *_TRUE_OR_FALSE):
            value = element.get(name)
            if value is None or (name in _TRUE_OR_FALSE and not kind_of(element)):
                continue
            plain = value.strip()
            if name in _TRUE_OR_FALSE:
                plain = _BOOLEANS.get(plain, plain)
            elif name in _QUALIFIED and plain not in ids and plain.rpartition(":")[2] in ids:
                plain = plain.rpartition(":")[2]
            if plain != value:
                element.set(name, plain)
                changed.append(element)
    first = next((element for element in changed if kind_of(element)), None)
    if first is not None:
        names = {str(element.get("id")) for element in changed if element.get("id")}
        context.report(first, f"References or settings of {max(len(names), 1)} elements were normalized.")
    context.changed |= bool(changed)


def _add_missing_ids(context: TranslationContext) -> None:
    added = add_ids(context.root)
    if added:
        context.changed = True
        names = ", ".join(added[:5]) + (f" and {len(added) - 5} more" if len(added) > 5 else "")
        message = f"Usher added ids to elements without one: {names}."
        context.findings.append(
            Finding(file=context.file, element=added[0], rule="translated", message=message, severity="info")
        )


def _add_namespace(context: TranslationContext) -> None:
    if not context.root.get("targetNamespace"):
        context.root.set("targetNamespace", _NAMESPACE)
        context.report(context.root, "The file has no targetNamespace; Usher added one.")


def _repair_types(context: TranslationContext) -> None:
    """Point ``xsi:type="tFormalExpression"`` at the BPMN namespace, whatever prefix the file uses."""
    for element in context.root.iter(f"{{{BPMN}}}*"):
        value = element.get(_XSI_TYPE)
        prefix, _, local = (value or "").rpartition(":")
        if local in ("tFormalExpression", "tExpression") and element.nsmap.get(prefix or None) != BPMN:
            own = element.prefix
            element.set(_XSI_TYPE, f"{own}:{local}" if own else local)
            context.changed = True


def _sort_children(context: TranslationContext) -> None:
    moved: list[XmlElement] = []
    for element in context.root.iter(f"{{{BPMN}}}*"):
        if not kind_of(element).endswith(_ORDERED):
            continue
        children = list(element)
        extensions = element.findall(bpmn("extensionElements"))
        for other in extensions[1:]:
            extensions[0].extend(list(other))
            element.remove(other)
            moved.append(element)
        ordered = sorted(element, key=_schema_position)
        if ordered != list(element):
            element[:] = ordered
            moved.append(element)
        elif len(children) != len(element):
            context.changed = True
    if moved:
        context.report(
            moved[0], f"{len(moved)} elements had children in the wrong order for the schema; Usher sorted them."
        )


def _schema_position(child: XmlElement) -> int:
    kind = kind_of(child)
    return _LAST.get(kind, _ORDER.get(kind, 20))
