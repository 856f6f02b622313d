"""Rules for the root elements of a file other than processes: messages, errors, escalations and correlations.

Every setting there runs or yields a finding on its element: an error if it would change what happens.
"""

from __future__ import annotations

from collections.abc import Iterator

from usher_engine.definitions import BPMN, SPIFF, XmlElement, XmlTree

from ..definitions.lint_finding import Finding, Severity

_TAG = f"{{{BPMN}}}"
_SPIFF = f"{{{SPIFF}}}"
_PAYLOAD = "Usher stores what it catches as {0}, with its code. Set other names by a script after the event."
#: SpiffWorkflow settings that would change case data, with what to do instead.
_LOST = {
    ("error", "payloadExpression"): _PAYLOAD.format("error"),
    ("error", "variableName"): _PAYLOAD.format("error"),
    ("escalation", "payloadExpression"): _PAYLOAD.format("escalation"),
    ("escalation", "variableName"): _PAYLOAD.format("escalation"),
    ("signal", "payloadExpression"): "Signals cannot run yet. Throw a message.",
    ("signal", "variableName"): "Signals cannot run yet. Throw a message.",
}
_CORRELATION = {"correlationProperty", "correlationKey"}
_BY_KEY = (
    "A message finds its case by its name and the business key, not by values in it. Remove this; a thrown message "
    "names its case by businessKey."
)


def root_findings(file: str, tree: XmlTree) -> Iterator[Finding]:
    """Findings about settings outside the processes that Usher would lose."""
    root = tree.getroot()
    sent = any(True for _ in root.iter(f"{_TAG}messageEventDefinition", f"{_TAG}receiveTask", f"{_TAG}sendTask"))
    for element in root.iter(f"{{{BPMN}}}*"):
        kind = str(element.tag).removeprefix(_TAG)
        if kind in _CORRELATION:
            severity: Severity = "error" if sent else "warning"
            yield Finding(file=file, element=_id(element), rule="correlation", message=_BY_KEY, severity=severity)
        elif not _is_inside_process(element):
            yield from _spiff_settings(file, element, kind)


def _spiff_settings(file: str, element: XmlElement, kind: str) -> Iterator[Finding]:
    extensions = element.find(f"{_TAG}extensionElements")
    written = [*element.attrib, *(child.tag for child in (extensions if extensions is not None else ()))]
    for name in (str(name).removeprefix(_SPIFF) for name in written if str(name).startswith(_SPIFF)):
        if advice := _LOST.get((kind, name)):
            message = f"“{name}” would be lost. {advice}"
            yield Finding(file=file, element=_id(element), rule="cannot-run", message=message)
        else:
            message = f"“{name[:60]}” of SpiffWorkflow does nothing here."
            yield Finding(file=file, element=_id(element), rule="ignored", message=message, severity="warning")


def _is_inside_process(element: XmlElement) -> bool:
    return any(str(around.tag) == f"{_TAG}process" for around in (element, *element.iterancestors()))


def _id(element: XmlElement) -> str:
    """Return the id of *element* or of its nearest ancestor with an id."""
    return next((str(key) for here in (element, *element.iterancestors()) if (key := here.get("id"))), "")
