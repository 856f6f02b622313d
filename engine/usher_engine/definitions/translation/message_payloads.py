"""Moves settings that SpiffWorkflow's modeller writes on a message to the events that throw or catch it."""

from __future__ import annotations

from collections.abc import Iterator

from ..safe_xml import XmlElement
from .translation_context import TranslationContext, bpmn, kind_of, spiff

_CATCH = {"receiveTask", "intermediateCatchEvent", "boundaryEvent", "startEvent"}
_THROW = {"sendTask", "intermediateThrowEvent", "endEvent"}
#: For each setting of a message: the element types that use it, and the property it becomes on them.
_READ = {"messageVariable": (_CATCH, "resultVariable"), "messagePayload": (_THROW, "contents")}


def translate_messages(context: TranslationContext) -> None:
    """Copy a message's variable and contents to the elements that catch or throw it."""
    for message in list(context.root.iterchildren(bpmn("message"))):
        for word, (kinds, name) in _READ.items():
            for written in list(message.iterfind(f"{bpmn('extensionElements')}/{spiff(word)}")):
                users = [user for user in _users(context.root, message) if kind_of(user) in kinds]
                text = (written.text or "").strip()
                if not users or not text:
                    continue
                for user in users:
                    context.set_property(user, name, text)
                    context.report(user, f"{word} of its message is read as the property {name}.")
                context.remove(written)


def _users(root: XmlElement, message: XmlElement) -> Iterator[XmlElement]:
    for element in root.iter(*(bpmn(kind) for kind in _CATCH | _THROW)):
        named = (element, *element.findall(bpmn("messageEventDefinition")))
        if message.get("id") in {source.get("messageRef") for source in named}:
            yield element
