"""Makes defaults explicit and moves misplaced settings to where Usher reads them."""

from __future__ import annotations

from lxml import etree

from ..safe_xml import BPMN, SPIFF, XmlElement
from .translation_context import TranslationContext, bpmn, name_of
from .vendor_extensions import MEANINGFUL, PRODUCTS

_TASK_NAME = ("http://www.jboss.org/drools", "taskName")


def apply_defaults(context: TranslationContext) -> None:
    """Turn tasks without a type into manual tasks, and merge pre- and post-scripts into the script of a script task."""
    for task in list(context.root.iter(bpmn("task"))):
        if not any(_is_work(*name_of(name)) for name in _setting_names(task)):
            task.tag = bpmn("manualTask")
            message = "The task has no type. Usher runs it as a manual task: a person confirms that it is done."
            context.report(task, message)
    for task in list(context.root.iter(bpmn("scriptTask"))):
        _join_scripts(context, task)


def _setting_names(task: XmlElement) -> list[object]:
    """Names of the attributes and extension elements of *task*."""
    extensions = task.findall(bpmn("extensionElements"))
    return [*task.attrib, *(child.tag for holder in extensions for child in holder)]


def _is_work(namespace: str, name: str) -> bool:
    """Whether this setting makes the task do automated work, in another product or in Usher."""
    if (namespace, name) == _TASK_NAME:
        return True
    if namespace == SPIFF:
        return name in ("serviceTaskOperator", "calledDecisionId")
    return namespace in PRODUCTS and namespace != BPMN and name in MEANINGFUL


def _join_scripts(context: TranslationContext, task: XmlElement) -> None:
    """Merge the scripts around a script into it: the engine runs no pre- or post-scripts of script tasks."""
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
            context.remove(holder)
    context.report(task, "Its pre- and post-scripts are now part of its script.")


def _ours(element: XmlElement) -> str:
    namespace, name = name_of(element.tag)
    return name if namespace == SPIFF else ""


def _text(element: XmlElement | None) -> str:
    return "" if element is None else (element.text or "").strip("\n").rstrip()
