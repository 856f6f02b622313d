"""Random processes: what the gate claims of the data at a place is what a run finds there.

Each script is a probe: it writes down what it finds under every name, then sets one of them. A name that is certain is
always there and of its shape; a name that the closed data do not list never is.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import pytest
from playing import flow, node, process, scope, script, step
from usher_engine.bpmn import Run, compile_diagram
from usher_engine.core.shapes import boolean, value_problems
from usher_engine.definitions import Package, parse_xml, read_diagram
from usher_engine.dmn import Decisions
from usher_engine.expressions import Known, KnownData
from usher_engine.gate.data_flow import ProcessFlow
from usher_engine.gate.process_graph import Sheet
from usher_engine.services import Services

NAMES = ("a", "b", "c", "d")
CHOICES = ("r0", "r1", "r2")
NOTHING = "nothing here"
VALUES = ("1", "2.5", "'x'", "'y'", "None", "True", "get('a')", "get('b', 0)")
PROCESSES = 60
ORDERS = 4
FIRST = KnownData({name: Known(boolean()) for name in CHOICES}, closed=True)


#: The text of a block, the id of its first element, and that of its last.
Block: TypeAlias = tuple[str, str, str]


@dataclass
class Drawing:
    """The elements of a random process, block by block; each block has one way in and one out."""

    random: random.Random
    count: int = 0
    probes: list[str] = field(default_factory=list)

    def key(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def probe(self) -> Block:
        key = self.key("Probe")
        self.probes.append(key)
        seen = ", ".join(f"get('{name}', '{NOTHING}')" for name in NAMES)
        name, value = self.random.choice(NAMES), self.random.choice(VALUES)
        change = self.random.choice([f"{name} = {value}"] * 5 + [f"if '{name}' != '':\n    {name} = {value}"])
        if self.random.random() < 0.1:
            change = f"{name} = 1\ndel {name}"
        return script(key, f"seen_{key} = [{seen}]\n{change}".replace("<", "&lt;")), key, key

    def task(self) -> Block:
        key = self.key("Task")
        return node("userTask", key), key, key

    def row(self, depth: int) -> Block:
        blocks = [self.block(depth) for _ in range(self.random.randint(1, 3))]
        text = "".join(block[0] for block in blocks)
        text += "".join(flow(one[2], other[1]) for one, other in pairwise(blocks))
        return text, blocks[0][1], blocks[-1][2]

    def block(self, depth: int) -> Block:
        deep = [self.choice, self.parallel, self.loop, self.sub_process, self.interrupted]
        if depth and self.random.random() < 0.6:
            return self.random.choice(deep)(depth)
        return self.random.choice([self.probe, self.probe, self.task])()

    def choice(self, depth: int) -> Block:
        split, merge = self.key("Split"), self.key("Merge")
        one, other = self.row(depth - 1), self.row(depth - 1)
        name = self.random.choice([*CHOICES, "get('a') != None", "get('b', 0) == 0", "get('c') == 'x'"])
        text = node("exclusiveGateway", split, default=f"{split}-{other[1]}") + node("exclusiveGateway", merge)
        ways = flow(split, one[1], name) + flow(split, other[1]) + flow(one[2], merge) + flow(other[2], merge)
        return text + one[0] + other[0] + ways, split, merge

    def parallel(self, depth: int) -> Block:
        fork, join = self.key("Fork"), self.key("Join")
        branches = [self.row(depth - 1) for _ in range(2)]
        text = node("parallelGateway", fork, join) + "".join(branch[0] for branch in branches)
        return text + "".join(flow(fork, b[1]) + flow(b[2], join) for b in branches), fork, join

    def loop(self, depth: int) -> Block:
        begin, again, task = self.key("Merge"), self.key("Split"), self.key("Task")
        body = self.row(depth - 1)
        out = self.key("Merge")
        text = node("exclusiveGateway", begin, out) + node("exclusiveGateway", again, default=f"{again}-{out}")
        count = self.key("Count")
        text += script(count, f"rounds{begin} = 1") + node("userTask", task)
        ways = flow(begin, body[1]) + flow(body[2], task) + flow(task, again) + flow(again, out)
        ways += flow(again, count, f"get('rounds{begin}', 0) == 0")
        return text + body[0] + ways + flow(count, begin), begin, out

    def sub_process(self, depth: int) -> Block:
        key, begin, end = self.key("Sub"), self.key("Begin"), self.key("End")
        body = self.row(depth - 1)
        parts = node("startEvent", begin), body[0], node("endEvent", end), flow(begin, body[1]), flow(body[2], end)
        return scope(key, *parts), key, key

    def interrupted(self, depth: int) -> Block:
        """A sub-process that may end with an error, which an event on its edge catches."""
        key, begin, end, fail = self.key("Sub"), self.key("Begin"), self.key("End"), self.key("Fail")
        split, edge, merge = self.key("Split"), self.key("Edge"), self.key("Merge")
        one, other, after = self.row(depth - 1), self.row(depth - 1), self.row(0)
        error = '<errorEventDefinition errorRef="err"/>'
        inside = node("startEvent", begin) + node("exclusiveGateway", split, default=f"{split}-{other[1]}")
        inside += one[0] + other[0] + node("endEvent", end) + f'<endEvent id="{fail}">{error}</endEvent>'
        inside += flow(begin, one[1]) + flow(one[2], split) + flow(split, fail, self.random.choice(CHOICES))
        inside += flow(split, other[1]) + flow(other[2], end)
        caught = f'<boundaryEvent id="{edge}" attachedToRef="{key}">{error}</boundaryEvent>' + after[0]
        ways = flow(key, merge) + flow(edge, after[1]) + flow(after[2], merge)
        return scope(key, inside) + node("exclusiveGateway", merge) + caught + ways, key, merge


def drawn(seed: int) -> tuple[Package, Drawing]:
    drawing = Drawing(random.Random(seed))
    text, first, last = drawing.row(3)
    ends = node("startEvent", "Start") + node("endEvent", "Over") + flow("Start", first) + flow(last, "Over")
    return process(text, ends, head='<error id="err" errorCode="e"/>'), drawing


def followed(package: Package) -> ProcessFlow:
    content = package.files["p.bpmn"]
    found = read_diagram(parse_xml(content, "p.bpmn"), "p.bpmn").processes[0]
    one = ProcessFlow(Sheet("p.bpmn", found, package, Services(), {found.id: found}), Decisions())
    one.run(FIRST)
    return one


def played(package: Package, choice: random.Random) -> dict[str, Any]:
    """The data at the end of a run in which people answer in a random order."""
    diagram = compile_diagram(package)
    run = Run.start(diagram, step(), {name: choice.random() < 0.5 for name in CHOICES})
    while run.after.tasks:
        element, _, visit = choice.choice(list(run.after.tasks)).rpartition(":")
        run = Run.resume(diagram, step(), json.loads(json.dumps(run.dump())), run.after)
        run.complete(element, int(visit), {})
    return dict(run.after.data)


@pytest.mark.parametrize("seed", range(PROCESSES))
def test_what_is_claimed_of_the_data_is_what_a_run_finds(seed: int) -> None:
    package, drawing = drawn(seed)
    claimed = followed(package)
    choice = random.Random(seed)
    for _ in range(ORDERS):
        data = played(package, choice)
        for key in (key for key in drawing.probes if f"seen_{key}" in data):
            seen = dict(zip(NAMES, data[f"seen_{key}"], strict=True))
            for name, value in seen.items():
                known = claimed.entered[key].names.get(name)
                where = f"{name} at {key}"
                assert value == NOTHING or known is not None, f"{where} is there, and nothing should set it"
                assert value != NOTHING or known is None or not known.certain, f"{where} is certain, and not there"
                if known is not None and value != NOTHING:
                    assert value_problems(known.shape, value, where=where) == [], known.shape
