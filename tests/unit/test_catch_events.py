"""Which of two events in one place catches an error: the one that names its code, wherever it stands in the file."""

from dataclasses import replace
from itertools import permutations

import pytest
from usher_engine.bpmn import FIRST_RULES, Step, compile_diagram
from usher_engine.definitions import Package
from usher_engine.examples.player import Player
from usher_engine.services import Services

HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">
 <error id="e1" errorCode="E"/><error id="e2" errorCode="F"/><process id="p" isExecutable="true">"""
FLOW = '<sequenceFlow id="{0}-{1}" sourceRef="{0}" targetRef="{1}"/>'
THROWS = '<startEvent id="is"/><endEvent id="ie"><errorEventDefinition errorRef="e1"/></endEvent>'
THROWS += FLOW.format("is", "ie")
REST = '<startEvent id="s"/><endEvent id="e"/>' + FLOW.format("s", "sub") + FLOW.format("sub", "e")
CODES = {"all": "", "E": 'errorRef="e1"', "F": 'errorRef="e2"'}


def boundary(key):
    event = f'<boundaryEvent id="{key}" attachedToRef="sub"><errorEventDefinition {CODES[key]}/></boundaryEvent>'
    return f'{event}<endEvent id="{key}-end"/>{FLOW.format(key, f"{key}-end")}'


def beside(key):
    start = f'<startEvent id="{key}"><errorEventDefinition {CODES[key]}/></startEvent>'
    inner = f'{start}<endEvent id="{key}-end"/>{FLOW.format(key, f"{key}-end")}'
    return f'<subProcess id="{key}-sub" triggeredByEvent="true">{inner}</subProcess>'


def path(order, draw, player=Player):
    catchers = "".join(draw(key) for key in order)
    inside = catchers if draw is beside else ""
    body = f'<subProcess id="sub">{THROWS}{inside}</subProcess>{"" if inside else catchers}{REST}'
    one = player(compile_diagram(Package({"p.bpmn": f"{HEAD}{body}</process></definitions>".encode()})), Services())
    one.play({"do": []})
    return one.path


class EarlierPlayer(Player):
    """Plays by the rules of version 0.1."""

    def _step(self) -> Step:
        return replace(super()._step(), rules=FIRST_RULES)


@pytest.mark.parametrize("draw", [boundary, beside])
@pytest.mark.parametrize("order", list(permutations(CODES)))
def test_who_names_the_code_comes_before_who_catches_all(order, draw):
    assert "E-end" in path(order, draw)


@pytest.mark.parametrize("draw", [boundary, beside])
def test_steps_of_the_first_rules_go_the_way_they_went(draw):
    assert "all-end" in path(("all", "E"), draw, EarlierPlayer)
