"""What is left open in a diagram, or is said at a place where nobody reads it, said as Usher runs it."""

from __future__ import annotations

from lxml import etree

from ..safe_xml import BPMN, SPIFF, XmlElement
from .translation_context import Page, bpmn, name_of
from .vendor_extensions import MEANT, PRODUCTS

_TASK_NAME = ("http://www.jboss.org/drools", "taskName")


def translate_kinds(page: Page) -> None:
    """Tasks that do not say who or what does them wait for a person; scripts around a script become one."""
    for task in list(page.root.iter(bpmn("task"))):
        if not any(_is_work(*name_of(name)) for name in _named(task)):
            task.tag = bpmn("manualTask")
            message = "The task is of no kind. It runs like a manual task: somebody says when it is done."
            page.read_as(task, message)
    for task in list(page.root.iter(bpmn("scriptTask"))):
        _join_scripts(page, task)


def _named(task: XmlElement) -> list[object]:
    """Names of what stands on *task* and in its extensions."""
    extensions = task.findall(bpmn("extensionElements"))
    return [*task.attrib, *(child.tag for holder in extensions for child in holder)]


def _is_work(namespace: str, name: str) -> bool:
    """Whether a product or we ourselves say by it that the task does something on its own."""
    if (namespace, name) == _TASK_NAME:
        return True
    if namespace == SPIFF:
        return name in ("serviceTaskOperator", "calledDecisionId")
    return namespace in PRODUCTS and namespace != BPMN and name in MEANT


def _join_scripts(page: Page, task: XmlElement) -> None:
    """The engine runs nothing before or behind a script; it is one script then."""
    extensions, script = task.find(bpmn("extensionElements")), task.find(bpmn("script"))
    if extensions is None:
        return
    around = {_ours(child): child for child in extensions}
    before, after = around.get("preScript"), around.get("postScript")
    texts = [_text(before), _text(script), _text(after)]
    if before is None and after is None:
        return
    if script is None:
        script = etree.SubElement(task, bpmn("script"))
    script.text = "\n".join(text for text in texts if text)
    for holder in (before, after):
        if holder is not None:
            page.remove(holder)
    page.read_as(task, "The scripts before and after it are now part of its script.")


def _ours(element: XmlElement) -> str:
    namespace, name = name_of(element.tag)
    return name if namespace == SPIFF else ""


def _text(element: XmlElement | None) -> str:
    return "" if element is None else (element.text or "").strip("\n").rstrip()
