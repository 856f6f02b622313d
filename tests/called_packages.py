"""Packages of several diagrams, written for a test: chains of steps with their drawing, in files named as it wishes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from usher_engine.definitions import Package

HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d_{key}" targetNamespace="t"
 xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
 xmlns:dd="http://www.omg.org/spec/DD/20100524/DI" xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core">"""
DESK = """<extensionElements><spiffworkflow:properties><spiffworkflow:property name="candidateGroups"
 value="Front desk"/></spiffworkflow:properties></extensionElements>"""
SIZES = {"startEvent": (36, 36), "endEvent": (36, 36)}
TASK = (120, 80)
GAP = 60


@dataclass(frozen=True)
class Step:
    """A step of a chain: a task, a *call* of a process, or a sub-process around *inner* steps; *each* repeats it."""

    id: str
    name: str = ""
    kind: str = "userTask"
    call: str = ""
    each: str = ""
    at_once: bool = True
    inner: tuple[Step, ...] = ()

    @property
    def tag(self) -> str:
        return "callActivity" if self.call else "subProcess" if self.inner else self.kind

    @property
    def size(self) -> tuple[int, int]:
        if not self.inner:
            return SIZES.get(self.tag, TASK)
        return sum(step.size[0] + GAP for step in _whole(self.id, self.inner)) + GAP, TASK[1] + 2 * GAP


def ask(key: str, name: str = "") -> Step:
    return Step(key, name or f"Ask {key}")


def call(key: str, process: str, **more: object) -> Step:
    return Step(key, f"Call {process} at {key}", call=process, **more)  # type: ignore[arg-type]


def chain(key: str, *steps: Step, name: str = "") -> bytes:
    """A file with one process: a start, the *steps* one after the other, an end."""
    whole = _whole(key, steps)
    name = name or f"The {key}"
    return "\n".join(
        [
            HEAD.format(key=key),
            f'<process id="{key}" name="{name}" isExecutable="true">',
            *_elements(whole, key),
            "</process>",
            f'<di:BPMNDiagram id="page_{key}"><di:BPMNPlane id="plane_{key}" bpmnElement="{key}">',
            *_shapes(whole, key, 160, 160),
            "</di:BPMNPlane></di:BPMNDiagram></definitions>",
        ]
    ).encode()


def package(**files: bytes) -> Package:
    """A package of diagrams by their names without the ending."""
    return Package({f"{name}.bpmn": content for name, content in files.items()})


def _whole(scope: str, steps: Sequence[Step]) -> list[Step]:
    return [Step(f"{scope}_begin", kind="startEvent"), *steps, Step(f"{scope}_end", kind="endEvent")]


def _elements(steps: Sequence[Step], scope: str) -> Iterator[str]:
    for place, step in enumerate(steps):
        called = f' calledElement="{step.call}"' if step.call else ""
        yield f'<{step.tag} id="{step.id}" name="{step.name}"{called}>'
        if step.tag == "userTask":
            yield DESK
        if step.each:
            yield f'<multiInstanceLoopCharacteristics isSequential="{str(not step.at_once).lower()}">'
            yield f"<loopDataInputRef>{step.each}</loopDataInputRef>"
            yield f'<inputDataItem id="one_{step.id}" name="one"/></multiInstanceLoopCharacteristics>'
        if step.inner:
            yield from _elements(_whole(step.id, step.inner), step.id)
        yield f"</{step.tag}>"
        if place:
            yield f'<sequenceFlow id="{scope}_{place}" sourceRef="{steps[place - 1].id}" targetRef="{step.id}"/>'


def _shapes(steps: Sequence[Step], scope: str, x: int, middle: int) -> Iterator[str]:
    for place, step in enumerate(steps):
        width, height = step.size
        expanded = ' isExpanded="true"' if step.inner else ""
        yield f'<di:BPMNShape id="{step.id}_di" bpmnElement="{step.id}"{expanded}>'
        yield f'<dc:Bounds x="{x}" y="{middle - height // 2}" width="{width}" height="{height}"/></di:BPMNShape>'
        if step.inner:
            yield from _shapes(_whole(step.id, step.inner), step.id, x + GAP, middle)
        if place:
            yield f'<di:BPMNEdge id="{scope}_{place}_di" bpmnElement="{scope}_{place}">'
            yield f'<dd:waypoint x="{x - GAP}" y="{middle}"/><dd:waypoint x="{x}" y="{middle}"/></di:BPMNEdge>'
        x += width + GAP


#: A main process in the middle of the alphabet, called ones before and after it, on two levels, from two places.
LETTER = chain("letter", ask("Write", "Write a letter"), name="Send a letter")
CONTACT = chain("contact", ask("Phone", "Call the patient"), call("Post", "letter"), name="Reach the patient")
MAIN = chain(
    "middle",
    call("First", "contact"),
    ask("Between", "Look at it"),
    call("Second", "contact"),
    name="Look after somebody",
)
NESTED = package(a_contact=CONTACT, m_middle=MAIN, z_letter=LETTER)
