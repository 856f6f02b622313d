"""Thrown messages: what one needs to find the waiting case, or an operator that sends it elsewhere."""

import pytest
from usher_engine.definitions import Package
from usher_engine.gate import check_package
from usher_engine.services import Mode, Operator, Services

SPACES = 'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core"'
SERVICES = Services((Operator(name="fax", title="Fax", mode=Mode.EFFECT, call=lambda _given, _call: {}),))
FAX = '<s:serviceTaskOperator id="fax" resultVariable="faxed"><s:parameters/></s:serviceTaskOperator>'
EVENT = '<messageEventDefinition id="d" messageRef="m"/>'
THROWN = "intermediateThrowEvent"


def element(kind, inner="", attributes="", **properties):
    given = "".join(f'<s:property name="{name}" value="{value}"/>' for name, value in properties.items())
    event = "" if kind == "sendTask" or "messageEvent" in inner else EVENT
    extensions = f"<extensionElements><s:properties>{given}</s:properties>{inner}</extensionElements>"
    return f'<{kind} id="x" {attributes}>{extensions}{event}</{kind}>'


def check(body):
    flows = '<sequenceFlow id="a" sourceRef="s" targetRef="x"/>'
    if "endEvent" not in body:
        flows += '<endEvent id="e"/><sequenceFlow id="b" sourceRef="x" targetRef="e"/>'
    process = f'<process id="p" isExecutable="true"><startEvent id="s"/>{body}{flows}</process>'
    text = f'<definitions {SPACES} id="d0" targetNamespace="t"><message id="m" name="M"/>{process}</definitions>'
    findings = check_package(Package({"p.bpmn": text.encode()}), SERVICES)
    return {(finding.element, finding.rule) for finding in findings if finding.severity != "info"} - {
        ("s", "not-drawn")
    }


@pytest.mark.parametrize(
    "body",
    [
        element(THROWN, businessKey="key", contents="{&quot;a&quot;: 1}"),
        element("endEvent", businessKey="key", resultVariable="delivery"),
        element("sendTask", attributes='messageRef="m"', businessKey="str(1)"),
        element(THROWN, FAX),
        element("endEvent", FAX),
        element("sendTask", FAX),
    ],
)
def test_complete_messages_pass(body):
    assert check(body) == set()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (element(THROWN), "message"),
        (element("sendTask", businessKey="key"), "message"),
        (element("endEvent", businessKey="key ="), "message"),
        (element(THROWN, businessKey="key", contents="{"), "message"),
        (element(THROWN, businessKey="key", resultVariable="if"), "message"),
        (element(THROWN, FAX.replace("fax", "telex")), "service"),
        (element("endEvent", FAX.replace('"faxed"', '""')), "property"),
        (element(THROWN, FAX, businessKey="key"), "ignored"),
        (element(THROWN, "<s:preScript>a = 1</s:preScript>", businessKey="key"), "misplaced"),
    ],
)
def test_an_incomplete_message_is_an_error_on_its_element(body, expected):
    assert ("x", expected) in check(body)
