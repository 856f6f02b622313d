"""Soundness: inclusive joins, structured blocks of any size, the limit of the check, reduction against play."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from usher_engine.definitions import Package, parse_xml, read_diagram
from usher_engine.gate.block_reduction import reduce_blocks
from usher_engine.gate.loop_rules import loop_findings
from usher_engine.gate.process_graph import Sheet
from usher_engine.gate.soundness import soundness_findings
from usher_engine.gate.token_game import TooManyWays, play
from usher_engine.gate.token_net import net_of
from usher_engine.services import Services

HEAD = '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'
KINDS = {"xor": "exclusiveGateway", "and": "parallelGateway", "or": "inclusiveGateway"}


class Drawing:
    """Builds a process step by step; numbers the ids by kind."""

    def __init__(self):
        self.parts = []
        self.count = {}

    def node(self, kind, more="", inner=""):
        self.count[kind] = self.count.get(kind, 0) + 1
        key = f"{kind}{self.count[kind]}"
        self.parts.append(f'<{kind} id="{key}"{more}>{inner}</{kind}>')
        return key

    def flow(self, source, target):
        self.node("sequenceFlow", f' sourceRef="{source}" targetRef="{target}"')

    def row(self, *keys):
        for one, other in pairwise(keys):
            self.flow(one, other)

    def sheet(self):
        text = f'{HEAD}<process id="p" isExecutable="true">{"".join(self.parts)}</process></definitions>'.encode()
        (process,) = read_diagram(parse_xml(text, "p.bpmn"), "p.bpmn").processes
        return Sheet("p.bpmn", process, Package({"p.bpmn": text}), Services(), {})

    def findings(self):
        return list(soundness_findings(self.sheet()))


def block(drawing, rng, size, *, alone):
    """Return first and last element of a sound block of about *size* elements, which may end early only if *alone*."""
    if size < 4:
        key = drawing.node(rng.choice(["userTask", "userTask", "scriptTask", "manualTask"]))
        return key, key
    choice = rng.choice(["row", "row", "xor", "and", "or", "loop", "boundary", "end"])
    if choice == "row" or (choice == "end" and not alone):
        first, middle = block(drawing, rng, size // 2, alone=alone)
        after, last = block(drawing, rng, size - size // 2, alone=alone)
        drawing.flow(middle, after)
        return first, last
    if choice in KINDS:
        split, join = drawing.node(KINDS[choice]), drawing.node(KINDS[choice])
        ways = rng.randint(2, 4)
        for _ in range(ways):
            first, last = block(drawing, rng, size // ways, alone=alone and choice == "xor")
            drawing.row(split, first)
            drawing.row(last, join)
        return split, join
    if choice == "loop":
        merge, ask = drawing.node(KINDS["xor"]), drawing.node(KINDS["xor"])
        first, last = block(drawing, rng, size - 3, alone=alone)
        back = drawing.node("userTask")
        drawing.row(merge, first)
        drawing.row(last, ask, back, merge)
        return merge, ask
    if choice == "boundary":
        host, merge = drawing.node("userTask"), drawing.node(KINDS["xor"])
        event = drawing.node("boundaryEvent", f' attachedToRef="{host}"', "<timerEventDefinition/>")
        first, last = block(drawing, rng, size - 3, alone=alone)
        drawing.row(host, merge)
        drawing.row(event, first)
        drawing.row(last, merge)
        return host, merge
    split, stays = drawing.node(KINDS["xor"]), drawing.node(KINDS["xor"])
    first, last = block(drawing, rng, size - 3, alone=alone)
    inner = rng.choice(["", "<terminateEventDefinition/>"])
    drawing.row(split, first)
    drawing.row(last, stays)
    drawing.row(split, drawing.node("manualTask"), drawing.node("endEvent", inner=inner))
    return split, stays


def structured(rng, size):
    drawing = Drawing()
    first, last = block(drawing, rng, size, alone=True)
    drawing.flow(drawing.node("startEvent"), first)
    drawing.flow(last, drawing.node("endEvent"))
    return drawing


def tangle(rng):
    """Gateways and tasks connected at random; most such processes are not sound."""
    drawing = Drawing()
    kinds = [*KINDS.values(), "exclusiveGateway", "userTask", "scriptTask"]
    nodes = [drawing.node(rng.choice(kinds)) for _ in range(rng.randint(3, 8))]
    ends = [drawing.node("endEvent", inner=rng.choice(["", "", "<terminateEventDefinition/>"])) for _ in range(2)]
    drawing.flow(drawing.node("startEvent"), nodes[0])
    for number, node in enumerate(nodes):
        ahead = nodes[number + 1 :] or ends
        ways = rng.randint(1, 3) if "Gateway" in node else 1
        targets = {rng.choice(nodes[1:] + ends if rng.random() < 0.15 else ahead + ends[:1]) for _ in range(ways)}
        for target in sorted(targets):
            drawing.flow(node, target)
        if node.startswith("userTask") and rng.random() < 0.3:
            event = drawing.node("boundaryEvent", f' attachedToRef="{node}"', "<timerEventDefinition/>")
            drawing.flow(event, rng.choice(ahead))
    return drawing


@pytest.mark.parametrize("seed", range(25))
def test_a_sound_structured_diagram_of_any_size_passes_with_all_of_it_checked(seed):
    rng = random.Random(seed)
    drawing = structured(rng, rng.choice([20, 60, 150, 280]))
    began = time.process_time()
    assert drawing.findings() == []
    assert time.process_time() - began < 10


@pytest.mark.parametrize("seed", range(12))
def test_a_join_of_another_kind_is_found_in_a_large_diagram_too(seed):
    rng = random.Random(seed)
    drawing = structured(rng, 280)
    split, join = drawing.node(KINDS["xor"]), drawing.node(KINDS["and"])
    first, last = block(drawing, rng, 40, alone=False)
    drawing.row(split, first)
    drawing.row(last, join)
    drawing.row(split, drawing.node("userTask"), join)
    old = next(n for n, part in enumerate(drawing.parts) if f'targetRef="endEvent{drawing.count["endEvent"]}"' in part)
    before = drawing.parts.pop(old).split('sourceRef="')[1].split('"')[0]
    drawing.row(before, split)
    drawing.row(join, f"endEvent{drawing.count['endEvent']}")
    (finding,) = drawing.findings()
    assert (finding.severity, finding.element, finding.path[-1]) == ("error", join, join)
    assert finding.path[0] == "startEvent1"
    assert "“”" not in finding.message


def verdict(net):
    try:
        return play(net) is not None
    except TooManyWays:
        return None


def test_reducing_blocks_changes_no_verdict():
    sound = unsound = 0
    for seed in range(900):
        sheet = tangle(random.Random(seed)).sheet()
        if list(loop_findings(sheet)):
            continue
        net = net_of(sheet, sheet.process.nodes, "startEvent1")
        whole, parts = verdict(net), verdict(reduce_blocks(net))
        assert whole == parts, f"seed {seed}"
        sound, unsound = sound + (whole is False), unsound + (whole is True)
    assert min(sound, unsound) > 90


def task_and_block_in_a_loop(inner="inclusiveGateway"):
    """A task in parallel with an inclusive block, both in a loop."""
    drawing = Drawing()
    merge, ask = drawing.node(KINDS["xor"]), drawing.node(KINDS["xor"])
    split, join = drawing.node(KINDS["and"]), drawing.node(KINDS["and"])
    fork, meet = drawing.node(KINDS["or"]), drawing.node(inner)
    tasks = [drawing.node("userTask") for _ in range(3)]
    drawing.row(drawing.node("startEvent"), merge, split, tasks[0], join, ask, drawing.node("endEvent"))
    drawing.row(split, fork, tasks[1], meet, join)
    drawing.row(fork, tasks[2], meet)
    drawing.row(ask, merge)
    return drawing, meet


def test_an_inclusive_block_parallel_to_a_branch_in_a_loop_is_sound():
    drawing, _ = task_and_block_in_a_loop()
    assert drawing.findings() == []
    sheet = drawing.sheet()
    assert play(net_of(sheet, sheet.process.nodes, "startEvent1")) is None


def test_a_parallel_join_of_an_inclusive_split_names_the_branch():
    drawing, meet = task_and_block_in_a_loop("parallelGateway")
    (finding,) = drawing.findings()
    assert finding.element == meet
    assert "a branch from “userTask" in finding.message


def test_two_inclusive_joins_that_wait_for_each_other_are_refused():
    drawing = Drawing()
    fork = drawing.node(KINDS["and"])
    one, other = drawing.node(KINDS["or"]), drawing.node(KINDS["or"])
    choices = [drawing.node(KINDS["xor"]) for _ in range(2)]
    tasks = [drawing.node("userTask") for _ in range(2)]
    drawing.row(drawing.node("startEvent"), fork, tasks[0], one, choices[0], other)
    drawing.row(fork, tasks[1], other, choices[1], one)
    for choice in choices:
        drawing.row(choice, drawing.node("endEvent"))
    (finding,) = drawing.findings()
    assert finding.element in (one, other)
    assert "can wait forever" in finding.message


def test_an_inclusive_split_of_many_ways_is_checked():
    drawing = Drawing()
    fork, meet = drawing.node(KINDS["or"]), drawing.node(KINDS["or"])
    drawing.row(drawing.node("startEvent"), fork)
    for _ in range(20):
        drawing.row(fork, drawing.node("userTask"), meet)
    drawing.row(meet, drawing.node("endEvent"))
    assert drawing.findings() == []


def test_an_incomplete_check_is_a_warning():
    drawing = Drawing()
    fork, last = drawing.node(KINDS["and"]), drawing.node(KINDS["and"])
    drawing.row(drawing.node("startEvent"), fork)
    for _ in range(16):  # a loop with two entries is not a block
        enter, leave = drawing.node(KINDS["xor"]), drawing.node(KINDS["xor"])
        merges, asks = ([drawing.node(KINDS["xor"]) for _ in range(2)] for _ in range(2))
        drawing.row(fork, enter)
        drawing.row(leave, last)
        for number in range(2):
            drawing.row(enter, merges[number], drawing.node("userTask"), asks[number], merges[1 - number])
            drawing.row(asks[number], leave)
    drawing.row(last, drawing.node("endEvent"))
    began = time.process_time()
    (finding,) = drawing.findings()
    assert (finding.severity, finding.element) == ("warning", "p")
    assert "could not be checked completely" in finding.message
    assert time.process_time() - began < 10
