"""Two events that catch the same thing in one place: the gate reports the second, which would never happen."""

import pytest
from usher_engine.definitions import Package
from usher_engine.gate import check_package
from usher_engine.services import Services

HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">
 <message id="m1" name="paid"/><message id="m2" name="paid"/><message id="m3" name="sent"/>
 <error id="e1" errorCode="E"/><error id="e2" errorCode="E"/><error id="e3" errorCode="F"/>
 <escalation id="x1" escalationCode="X"/><escalation id="x2" escalationCode="X"/>
 <escalation id="x3" escalationCode="Y"/>
 <process id="p" isExecutable="true"><startEvent id="s"/>"""
SUB = """<subProcess id="sub"><startEvent id="is"/><userTask id="iu" name="U"/><endEvent id="ie"/>
 {}<sequenceFlow id="i1" sourceRef="is" targetRef="iu"/>
 <sequenceFlow id="i2" sourceRef="iu" targetRef="ie"/></subProcess>"""
ENDS = """<endEvent id="end"/><sequenceFlow id="f1" sourceRef="s" targetRef="sub"/>
 <sequenceFlow id="f2" sourceRef="sub" targetRef="end"/></process></definitions>"""


def flow(source, target):
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'


def definition(kind, reference):
    return f'<{kind}EventDefinition {kind}Ref="{reference}"/>' if reference else f"<{kind}EventDefinition/>"


def boundary(key, kind, reference, host="sub"):
    inner = definition(kind, reference)
    return f'<boundaryEvent id="{key}" attachedToRef="{host}">{inner}</boundaryEvent>' + flow(key, "end")


def in_event_sub_process(key, kind, reference):
    start = f'<startEvent id="{key}">{definition(kind, reference)}</startEvent>'
    inner = f'{start}<endEvent id="{key}-end"/>{flow(key, f"{key}-end")}'
    return f'<subProcess id="{key}-sub" triggeredByEvent="true">{inner}</subProcess>'


def problems(*outer, inner=""):
    content = HEAD + "".join(outer) + SUB.format(inner) + ENDS
    findings = check_package(Package({"p.bpmn": content.encode()}), Services())
    return [(f.element, f.severity) for f in findings if f.rule == "catcher"]


PAIRS = [
    ("message", "m1", "m2", True),
    ("message", "m1", "m3", False),
    ("error", "e1", "e2", True),
    ("error", "e1", "e3", False),
    ("error", "", "", True),
    ("error", "e1", "", False),
    ("escalation", "x1", "x2", True),
    ("escalation", "x1", "x3", False),
    ("escalation", "", "", True),
    ("escalation", "x1", "", True),
    ("escalation", "", "x1", True),
]


@pytest.mark.parametrize(("kind", "one", "other", "refused"), PAIRS)
@pytest.mark.parametrize("place", ["boundary", "process", "sub-process"])
def test_the_second_catcher_in_one_place_is_an_error(kind, one, other, refused, place):
    make = boundary if place == "boundary" else in_event_sub_process
    drawn = make("c1", kind, one) + make("c2", kind, other)
    found = problems(inner=drawn) if place == "sub-process" else problems(drawn)
    assert found == ([("c2", "error")] if refused else [])


def test_catchers_in_different_places_do_not_collide():
    outer = boundary("c1", "error", "e1") + in_event_sub_process("c2", "error", "e1")
    assert problems(outer, inner=in_event_sub_process("c3", "error", "e1")) == []


def test_a_second_catcher_of_a_message_at_a_gateway_or_task_is_an_error():
    catch = '<intermediateCatchEvent id="{0}"><messageEventDefinition messageRef="{1}"/></intermediateCatchEvent>'
    gateway = '<eventBasedGateway id="g"/>' + catch.format("c1", "m1") + catch.format("c2", "m2")
    assert problems(gateway, flow("g", "c1"), flow("g", "c2")) == [("c2", "error")]
    receive = '<receiveTask id="r" messageRef="m1"/>' + boundary("c1", "message", "m2", host="r")
    assert problems(receive) == [("c1", "error")]
