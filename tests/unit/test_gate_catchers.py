"""Two events that catch one thing in one place: the gate names the second, which would never happen."""

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


def beside(key, kind, reference):
    start = f'<startEvent id="{key}">{definition(kind, reference)}</startEvent>'
    inner = f'{start}<endEvent id="{key}-end"/>{flow(key, f"{key}-end")}'
    return f'<subProcess id="{key}-sub" triggeredByEvent="true">{inner}</subProcess>'


def told(*outer, inner=""):
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
def test_the_second_catcher_in_one_place_is_told(kind, one, other, refused, place):
    make = boundary if place == "boundary" else beside
    drawn = make("c1", kind, one) + make("c2", kind, other)
    found = told(inner=drawn) if place == "sub-process" else told(drawn)
    assert found == ([("c2", "error")] if refused else [])


def test_catchers_in_different_places_do_not_meet():
    outer = boundary("c1", "error", "e1") + beside("c2", "error", "e1")
    assert told(outer, inner=beside("c3", "error", "e1")) == []


def test_a_message_behind_one_gateway_or_on_its_own_task_is_told():
    catch = '<intermediateCatchEvent id="{0}"><messageEventDefinition messageRef="{1}"/></intermediateCatchEvent>'
    gateway = '<eventBasedGateway id="g"/>' + catch.format("c1", "m1") + catch.format("c2", "m2")
    assert told(gateway, flow("g", "c1"), flow("g", "c2")) == [("c2", "error")]
    receive = '<receiveTask id="r" messageRef="m1"/>' + boundary("c1", "message", "m2", host="r")
    assert told(receive) == [("c1", "error")]
