"""One diagram during translation: its tree, its findings, and how to write Usher's settings into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from lxml import etree

from ..lint_finding import Finding, Rule, Severity
from ..safe_xml import BPMN, SPIFF, XmlElement
from .lexer import NotUnderstood

Translator: TypeAlias = Callable[[str], str]

#: Suffixes of the elements that own findings; a finding about a part goes to the element around it.
_FINDING_OWNERS = (
    *("Event", "Task", "task", "Gateway", "ubProcess", "transaction", "Activity", "sequenceFlow", "process"),
    *("participant", "lane", "collaboration", "message", "signal", "error", "escalation"),
)


@dataclass
class TranslationContext:
    """*files* are the package's; *added* are new files that the translation writes, such as forms."""

    file: str
    root: XmlElement
    files: Mapping[str, bytes]
    findings: list[Finding] = field(default_factory=list)
    added: dict[str, bytes] = field(default_factory=dict)
    changed: bool = False

    # findings

    def add_finding(self, element: XmlElement, rule: Rule, message: str, severity: Severity) -> None:
        key = owner_id(element)
        self.findings.append(Finding(file=self.file, element=key, rule=rule, message=message, severity=severity))

    def report(self, element: XmlElement, message: str, severity: Severity = "info") -> None:
        """Record what was translated and mark the tree as changed."""
        self.changed = True
        self.add_finding(element, "translated", message, severity)

    def refuse(self, element: XmlElement, message: str) -> None:
        self.add_finding(element, "not-translated", message, "error")

    # texts

    def translate_expression(self, element: XmlElement, source: str, what: str, translator: Translator) -> str | None:
        """Translate *source* and record an info finding; return None and record an error if it cannot be translated."""
        try:
            text = translator(source)
        except NotUnderstood as problem:
            message = f"{what} “{_short(source)}” cannot be translated: {problem.reason}. Write it in Usher's language."
            self.refuse(element, message)
            return None
        if text != source.strip():
            self.report(element, f"{what} “{_short(source)}” is read as “{_short(text)}”.")
        return text

    # our settings

    def set_property(self, element: XmlElement, name: str, value: str) -> None:
        """Set Usher's property *name* on *element*, unless it is already set."""
        holder = self._inside(self.extensions(element), "properties")
        if not any(existing.get("name") == name for existing in holder):
            etree.SubElement(holder, spiff("property"), {"name": name, "value": value})
            self.changed = True

    def add_script(self, element: XmlElement, name: str, line: str) -> None:
        """Append *line* to the element's ``preScript`` or ``postScript``."""
        script = self._inside(self.extensions(element), name)
        script.text = f"{script.text}\n{line}" if (script.text or "").strip() else line
        self.changed = True

    def set_operator(self, element: XmlElement, operator: str, variable: str, parameters: Mapping[str, str]) -> None:
        named = {"id": operator, "resultVariable": variable}
        call = etree.SubElement(self.extensions(element), spiff("serviceTaskOperator"), named)
        holder = etree.SubElement(call, spiff("parameters"))
        for name, value in parameters.items():
            etree.SubElement(holder, spiff("parameter"), {"id": name, "type": "any", "value": value})
        self.changed = True

    def set_decision(self, element: XmlElement, decision: str) -> None:
        self._inside(self.extensions(element), "calledDecisionId").text = decision
        self.changed = True

    def extensions(self, element: XmlElement) -> XmlElement:
        found = element.find(bpmn("extensionElements"))
        if found is None:
            found = etree.Element(bpmn("extensionElements"))
            documentation = element.findall(bpmn("documentation"))
            element.insert(element.index(documentation[-1]) + 1 if documentation else 0, found)
        return found

    def free_id(self, wanted: str) -> str:
        """Return *wanted* if no element has that id, else *wanted* with the first free number appended."""
        taken = {element.get("id") for element in self.root.iter(etree.Element)}
        return next(key for key in (wanted, *(f"{wanted}_{n}" for n in range(2, len(taken) + 3))) if key not in taken)

    def drop_attributes(self, element: XmlElement, *attributes: str) -> None:
        for name in attributes:
            if name in element.attrib:
                del element.attrib[name]
                self.changed = True

    def remove(self, element: XmlElement) -> None:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
            self.changed = True

    def _inside(self, extensions: XmlElement, name: str) -> XmlElement:
        found = extensions.find(spiff(name))
        return etree.SubElement(extensions, spiff(name)) if found is None else found


def bpmn(name: str) -> str:
    return f"{{{BPMN}}}{name}"


def spiff(name: str) -> str:
    return f"{{{SPIFF}}}{name}"


def kind_of(element: XmlElement) -> str:
    """The local name of a BPMN element; empty for comments and elements of other namespaces."""
    namespace, name = name_of(element.tag)
    return name if namespace == BPMN else ""


def name_of(tag: object) -> tuple[str, str]:
    """Namespace and local name of a tag or attribute; empty for comments."""
    if not isinstance(tag, str):
        return "", ""
    namespace, _, local = tag.rpartition("}")
    return namespace.removeprefix("{"), local


def owner_id(element: XmlElement) -> str:
    """Id of the nearest flow element, process or similar at or above *element*; "" if there is none."""
    here: XmlElement | None = element
    while here is not None:
        if here.get("id") and kind_of(here).endswith(_FINDING_OWNERS):
            return str(here.get("id"))
        here = here.getparent()
    return next((str(e.get("id")) for e in element.iterancestors() if e.get("id")), "")


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 120 else f"{plain[:117]}…"
