"""Draws small processes for tests: flows as text, and elements only where their id does not tell what they are."""

from __future__ import annotations

import re

from usher_engine.definitions import Package

NAMESPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'
)

#: What an element is by how its id begins; anything else is a user task.
KINDS = {
    "S": "startEvent", "E": "endEvent", "Fork": "parallelGateway", "Join": "parallelGateway",
    "Any": "inclusiveGateway", "Or": "exclusiveGateway",
}  # fmt: skip


def process(flows: str, *elements: str, ident: str = "drawn") -> Package:
    """
    A package of one process.

    Args:
        flows: ``A>B`` for each sequence flow, between spaces; its id is ``A-B``.
        elements: XML of those that are more than their kind.
        ident: The id of the process.
    """
    content = f'<process id="{ident}" isExecutable="true">{scope(flows, *elements)}</process>'
    return Package({f"{ident}.bpmn": document(content)})


def document(content: str) -> bytes:
    return f'<definitions {NAMESPACES} targetNamespace="http://usher.example/drawn">{content}</definitions>'.encode()


def scope(flows: str, *elements: str) -> str:
    """What stands inside a process or sub-process."""
    ways = [flow.split(">") for flow in flows.split()]
    drawn = {found[1] for element in elements if (found := re.search(r'\bid="([^"]+)"', element))}
    simple = [element(end) for end in dict.fromkeys(end for way in ways for end in way) if end not in drawn]
    lines = [f'<sequenceFlow id="{one}-{other}" sourceRef="{one}" targetRef="{other}"/>' for one, other in ways]
    return "".join((*simple, *elements, *lines))


def element(ident: str, inside: str = "", name: str = "") -> str:
    """*ident* as an element of the kind it begins with."""
    prefix = next((prefix for prefix in sorted(KINDS, key=len, reverse=True) if ident.startswith(prefix)), "")
    kind = KINDS.get(prefix, "userTask")
    return f'<{kind} id="{ident}" name="{name or ident}">{inside}</{kind}>'


def script(ident: str, text: str) -> str:
    return f'<scriptTask id="{ident}"><script>{text}</script></scriptTask>'


def boundary(ident: str, host: str, definition: str, *, interrupts: bool = True) -> str:
    stays = "" if interrupts else ' cancelActivity="false"'
    return f'<boundaryEvent id="{ident}" attachedToRef="{host}"{stays}>{definition}</boundaryEvent>'


def after(duration: str) -> str:
    """The definition of a timer event."""
    text = f'<timeDuration xsi:type="tFormalExpression">{duration}</timeDuration>'
    return f"<timerEventDefinition>{text}</timerEventDefinition>"
