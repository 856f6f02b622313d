"""Settings outside the processes run or yield a finding; so do names that the engine sets too."""

import pytest
from usher_engine.bpmn import compile_diagram
from usher_engine.definitions import Package, parse_xml, read_diagram
from usher_engine.gate import admit
from usher_engine.services import Services

HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t"
 xmlns:s="http://spiffworkflow.org/bpmn/schema/1.0/core">"""
WAIT = """<intermediateCatchEvent id="wait"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>"""
SEND = """<sendTask id="send" messageRef="m"><extensionElements><s:properties>
 <s:property name="businessKey" value="'k'"/></s:properties></extensionElements></sendTask>"""
FLOW = '<sequenceFlow id="{0}-{1}" sourceRef="{0}" targetRef="{1}"/>'


def admitted(roots, middle=WAIT, key="wait", more=""):
    body = f'<process id="p" isExecutable="true"><startEvent id="b"/>{middle}<endEvent id="e"/>{more}'
    text = f"{HEAD}{roots}{body}{FLOW.format('b', key)}{FLOW.format(key, 'e')}</process></definitions>"
    package, findings = admit(Package({"p.bpmn": text.encode()}), Services())
    return package, [f for f in findings if f.rule != "not-drawn"]


def problems(*args, severity="error", **more):
    return [(f.element, f.rule) for f in admitted(*args, **more)[1] if f.severity == severity]


def message(inner=""):
    return (
        f'<message id="m" name="m"><extensionElements>{inner}</extensionElements></message>'
        if inner
        else ('<message id="m" name="m"/>')
    )


@pytest.mark.parametrize("kind", ["error", "escalation"])
@pytest.mark.parametrize("word", ["payloadExpression", "variableName"])
def test_payload_and_variable_of_caught_events_are_refused(kind, word):
    inner = f"<extensionElements><s:{word}>x</s:{word}></extensionElements>"
    assert problems(message() + f'<{kind} id="r" {kind}Code="1">{inner}</{kind}>') == [("r", "cannot-run")]


def test_the_variable_of_a_message_stores_its_contents():
    package, findings = admitted(message("<s:messageVariable>got</s:messageVariable>"))
    assert [f.severity for f in findings] == ["info"]
    assert compile_diagram(package).elements["wait"].variable == "got"
    assert admit(package, Services())[0].files == package.files


def test_the_payload_of_a_message_becomes_its_contents():
    package, findings = admitted(message("<s:messagePayload>{'n': 1}</s:messagePayload>"), SEND, "send")
    assert [f for f in findings if f.severity == "error"] == []
    (process,) = read_diagram(parse_xml(package.files["p.bpmn"], "p.bpmn"), "p.bpmn").processes
    assert process.node("send").properties["contents"] == "{'n': 1}"


def test_a_payload_that_nothing_reads_is_a_warning():
    assert problems(message("<s:messagePayload>{'n': 1}</s:messagePayload>"), severity="warning") == [("m", "ignored")]


PROPERTY = """<correlationProperty id="c" name="k"><correlationPropertyRetrievalExpression messageRef="m">
 <messagePath>k</messagePath></correlationPropertyRetrievalExpression></correlationProperty>"""
POOLS = """<collaboration id="pools"><participant id="pool" processRef="p"/>
 <correlationKey id="ck"><correlationPropertyRef>c</correlationPropertyRef></correlationKey></collaboration>"""


def test_correlation_by_values_is_refused_if_the_file_uses_messages():
    assert problems(POOLS + message() + PROPERTY) == [("ck", "correlation"), ("c", "correlation")]
    task = '<userTask id="t" name="T"/>'
    assert problems(POOLS + message() + PROPERTY, task, "t") == []
    expected = [("ck", "correlation"), ("c", "correlation")]
    assert set(expected) <= set(problems(POOLS + message() + PROPERTY, task, "t", severity="warning"))


SET = '<scriptTask id="set"><script>{} = 1</script></scriptTask>'
EVENT_SUB_PROCESS = """<subProcess id="x" triggeredByEvent="true"><startEvent id="xs"><{0}EventDefinition/></startEvent>
 <endEvent id="xe"/><sequenceFlow id="xf" sourceRef="xs" targetRef="xe"/></subProcess>"""


@pytest.mark.parametrize("name", ["error", "escalation"])
def test_a_script_that_sets_a_name_of_the_engine_is_a_warning(name):
    script = SET.format(name)
    assert ("set", "engine-name") in problems(
        "", script, "set", more=EVENT_SUB_PROCESS.format(name), severity="warning"
    )
    assert ("set", "engine-name") not in problems("", script, "set", severity="warning")
    assert ("set", "engine-name") not in problems(
        "", SET.format("n"), "set", more=EVENT_SUB_PROCESS.format(name), severity="warning"
    )
