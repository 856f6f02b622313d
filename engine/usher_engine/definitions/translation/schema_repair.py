"""What BPMN lets authors leave out or tools put in the wrong order, put right without any change to what is meant."""

from __future__ import annotations

from lxml import etree

from ..lint_finding import Finding
from ..safe_xml import BPMN, XmlElement, add_ids
from .translation_context import Page, bpmn, kind_of

_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NAMESPACE = "http://bpmn.io/schema/bpmn"

#: Where the schema wants the children of a flow node or process; what is not named comes at 20 (BPMN20.xsd).
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


#: Attributes the schema reads without blanks around them: names of elements, and what is true or false.
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


def repair(page: Page) -> None:
    """Ids and references, order of children, the target namespace and the types of expressions."""
    _settle(page)
    _name(page)
    _add_namespace(page)
    _mend_types(page)
    _sort_children(page)


def _settle(page: Page) -> None:
    """References, and what is true or false, in the one form that every reader of the file takes for the same."""
    ids = {str(key).strip() for element in page.root.iter() if (key := element.get("id"))}
    changed: list[XmlElement] = []
    for element in page.root.iter(etree.Element):
        for name in (*_REFERENCES, *_QUALIFIED, *_TRUE_OR_FALSE):
            written = element.get(name)
            if written is None or (name in _TRUE_OR_FALSE and not kind_of(element)):
                continue
            plain = written.strip()
            if name in _TRUE_OR_FALSE:
                plain = _BOOLEANS.get(plain, plain)
            elif name in _QUALIFIED and plain not in ids and plain.rpartition(":")[2] in ids:
                plain = plain.rpartition(":")[2]
            if plain != written:
                element.set(name, plain)
                changed.append(element)
    told = next((element for element in changed if kind_of(element)), None)
    if told is not None:
        names = {str(element.get("id")) for element in changed if element.get("id")}
        page.read_as(told, f"References or settings of {max(len(names), 1)} elements were written in their plain form.")
    page.changed |= bool(changed)


def _name(page: Page) -> None:
    named = add_ids(page.root)
    if named:
        page.changed = True
        names = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
        message = f"Elements without an id were given one: {names}."
        page.findings.append(
            Finding(file=page.file, element=named[0], rule="translated", message=message, severity="info")
        )


def _add_namespace(page: Page) -> None:
    if not page.root.get("targetNamespace"):
        page.root.set("targetNamespace", _NAMESPACE)
        page.read_as(page.root, "The file has no targetNamespace; it was given one.")


def _mend_types(page: Page) -> None:
    """``xsi:type="tFormalExpression"`` is meant for BPMN whatever prefix the file binds."""
    for element in page.root.iter(f"{{{BPMN}}}*"):
        written = element.get(_XSI_TYPE)
        prefix, _, local = (written or "").rpartition(":")
        if local in ("tFormalExpression", "tExpression") and element.nsmap.get(prefix or None) != BPMN:
            own = element.prefix
            element.set(_XSI_TYPE, f"{own}:{local}" if own else local)
            page.changed = True


def _sort_children(page: Page) -> None:
    moved: list[XmlElement] = []
    for element in page.root.iter(f"{{{BPMN}}}*"):
        if not kind_of(element).endswith(_ORDERED):
            continue
        children = list(element)
        extensions = element.findall(bpmn("extensionElements"))
        for other in extensions[1:]:
            extensions[0].extend(list(other))
            element.remove(other)
            moved.append(element)
        ordered = sorted(element, key=_place)
        if ordered != list(element):
            element[:] = ordered
            moved.append(element)
        elif len(children) != len(element):
            page.changed = True
    if moved:
        page.read_as(moved[0], f"{len(moved)} elements had their parts in an order the schema does not know; sorted.")


def _place(child: XmlElement) -> int:
    kind = kind_of(child)
    return _LAST.get(kind, _ORDER.get(kind, 20))
