"""Diagrams drawn by chance: pools, lanes, sub-processes in one another, events at edges, notes, messages, in a heap."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

SIZES = {"startEvent": (36, 36), "endEvent": (36, 36), "exclusiveGateway": (50, 50), "subProcess": (200, 140)}
TASK = (100, 80)
KINDS = ("task", "userTask", "serviceTask", "task", "exclusiveGateway", "parallelGateway", "endEvent", "subProcess")


@dataclass
class Scribble:
    """One file in the making; `text` is the file."""

    chance: random.Random
    count: int = 0
    model: list[str] = field(default_factory=list)
    shapes: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def key(self) -> str:
        self.count += 1
        return f"n{self.count}"

    def drawn(self, key: str, width: float, height: float, more: str = "") -> None:
        x, y = self.chance.randint(0, 1400), self.chance.randint(0, 900)
        bounds = f'<dc:Bounds x="{x}" y="{y}" width="{width}" height="{height}" />'
        self.shapes.append(f'<bpmndi:BPMNShape id="{key}_di" bpmnElement="{key}"{more}>{bounds}</bpmndi:BPMNShape>')

    def line(self, key: str) -> None:
        points = "".join(f'<di:waypoint x="{self.chance.randint(0, 900)}" y="{at}" />' for at in (10, 400))
        self.lines.append(f'<bpmndi:BPMNEdge id="{key}_di" bpmnElement="{key}">{points}</bpmndi:BPMNEdge>')


def scribble(seed: int, *, tasks: int = 12, subs: bool = True) -> str:
    """A BPMN file of about *tasks* steps in one or two pools, or on a plane without any."""
    made = Scribble(random.Random(seed))
    pools = made.chance.choice([0, 0, 1, 2])
    processes = []
    ends: list[list[str]] = []
    for number in range(max(1, pools)):
        steps, inner = _steps(made, tasks, depth=2 if subs else 0)
        lanes = _lanes(made, steps, number * 1000) if pools and made.chance.random() < 0.8 else ""
        processes.append(f'<process id="p{number}" isExecutable="{str(number == 0).lower()}">{lanes}{inner}</process>')
        ends.append(steps)
    collaboration = "".join(_collaboration(made, ends)) if pools else ""
    plane = "c" if pools else "p0"
    return (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x"'
        ' xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"'
        ' xmlns:di="http://www.omg.org/spec/DD/20100524/DI">'
        f"{collaboration}{''.join(processes)}"
        f'<bpmndi:BPMNDiagram id="b"><bpmndi:BPMNPlane id="pl" bpmnElement="{plane}">{"".join(made.shapes)}'
        f"{''.join(made.lines)}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram></definitions>"
    )


def _steps(made: Scribble, count: int, depth: int) -> tuple[list[str], str]:
    """The ids of the steps of one process or sub-process, and its elements."""
    chance, steps, parts, hosts = made.chance, [], [], []
    for place in range(max(2, count)):
        kind = "startEvent" if place == 0 else chance.choice(KINDS)
        kind = "task" if kind == "subProcess" and depth == 0 else kind
        key = made.key()
        name = f' name="{chance.choice(("Call them", "A longer name of a step", ""))}"'
        made.drawn(key, *SIZES.get(kind, TASK), ' isExpanded="true"' if kind == "subProcess" else "")
        inner = _steps(made, chance.randint(2, 4), depth - 1)[1] if kind == "subProcess" else ""
        parts.append(f'<{kind} id="{key}"{name}>{inner}</{kind}>')
        steps.append(key)
        if kind.lower().endswith(("task", "process")) and chance.random() < 0.4:
            hosts.append(key)
    parts += _flows(made, steps, hosts)
    if chance.random() < 0.5:
        note, line = made.key(), made.key()
        made.drawn(note, 120, 40)
        made.line(line)
        parts.append(f'<textAnnotation id="{note}"><text>A note</text></textAnnotation>')
        parts.append(f'<association id="{line}" sourceRef="{chance.choice(steps)}" targetRef="{note}" />')
    return steps, "".join(parts)


def _flows(made: Scribble, steps: list[str], hosts: list[str]) -> Iterator[str]:
    chance = made.chance
    sources = [*steps[:-1], *chance.choices(steps, k=len(steps) // 3)]
    for source in sources:
        target = chance.choice(steps[1:])
        yield _flow(made, source, target)
    for host in hosts:
        for _ in range(chance.randint(1, 3)):
            event = made.key()
            made.drawn(event, 36, 36)
            attached = f'attachedToRef="{host}" name="Late"'
            yield f'<boundaryEvent id="{event}" {attached}><timerEventDefinition /></boundaryEvent>'
            yield _flow(made, event, chance.choice(steps[1:]))


def _flow(made: Scribble, source: str, target: str) -> str:
    key = made.key()
    made.line(key)
    name = made.chance.choice(("", "", ' name="yes"', ' name="in some other case"'))
    return f'<sequenceFlow id="{key}" sourceRef="{source}" targetRef="{target}"{name} />'


def _lanes(made: Scribble, steps: list[str], top: int) -> str:
    lanes: list[str] = []
    names = [made.key() for _ in range(made.chance.randint(1, 3))]
    held: dict[str, list[str]] = {name: [] for name in names}
    for step in steps:
        held[made.chance.choice(names)].append(step)
    for place, name in enumerate(names):
        made.shapes.append(
            f'<bpmndi:BPMNShape id="{name}_di" bpmnElement="{name}" isHorizontal="true">'
            f'<dc:Bounds x="30" y="{top + place * 300}" width="1500" height="300" /></bpmndi:BPMNShape>'
        )
        refs = "".join(f"<flowNodeRef>{step}</flowNodeRef>" for step in held[name])
        lanes.append(f'<lane id="{name}" name="{name}">{refs}</lane>')
    return f'<laneSet id="{made.key()}">{"".join(lanes)}</laneSet>'


def _collaboration(made: Scribble, ends: list[list[str]]) -> Iterator[str]:
    yield '<collaboration id="c">'
    for number in range(len(ends)):
        made.shapes.insert(
            number,
            f'<bpmndi:BPMNShape id="pool{number}_di" bpmnElement="pool{number}" isHorizontal="true">'
            f'<dc:Bounds x="0" y="{number * 1000}" width="1600" height="950" /></bpmndi:BPMNShape>',
        )
        yield f'<participant id="pool{number}" name="Pool {number}" processRef="p{number}" />'
    if len(ends) == 2:
        key = made.key()
        made.line(key)
        one, other = (made.chance.choice(steps) for steps in ends)
        yield f'<messageFlow id="{key}" sourceRef="{one}" targetRef="{other}" />'
    yield "</collaboration>"
