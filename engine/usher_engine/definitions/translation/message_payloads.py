"""Moves what SpiffWorkflow's modeller writes on a message to the events that throw or catch it."""

from __future__ import annotations

from collections.abc import Iterator

from ..safe_xml import XmlElement
from .translation_context import Page, bpmn, kind_of, spiff

_CATCH = {"receiveTask", "intermediateCatchEvent", "boundaryEvent", "startEvent"}
_THROW = {"sendTask", "intermediateThrowEvent", "endEvent"}
#: By the word on the message: who reads it, and as which property of theirs.
_READ = {"messageVariable": (_CATCH, "resultVariable"), "messagePayload": (_THROW, "contents")}


def translate_messages(page: Page) -> None:
    """The variable a message goes into and its contents, where there is something that catches or throws it."""
    for message in list(page.root.iterchildren(bpmn("message"))):
        for word, (kinds, name) in _READ.items():
            for written in list(message.iterfind(f"{bpmn('extensionElements')}/{spiff(word)}")):
                users = [user for user in _users(page.root, message) if kind_of(user) in kinds]
                text = (written.text or "").strip()
                if not users or not text:
                    continue
                for user in users:
                    page.set_property(user, name, text)
                    page.read_as(user, f"{word} of its message is read as the property {name}.")
                page.remove(written)


def _users(root: XmlElement, message: XmlElement) -> Iterator[XmlElement]:
    for element in root.iter(*(bpmn(kind) for kind in _CATCH | _THROW)):
        named = (element, *element.findall(bpmn("messageEventDefinition")))
        if message.get("id") in {source.get("messageRef") for source in named}:
            yield element
