"""Ids: unique in their file, whatever ids other files use; the translation assigns unused ids."""

from __future__ import annotations

import re

import pytest
from lxml import etree
from usher_engine.bpmn import compile_diagram
from usher_engine.definitions import Package, parse_xml, read_diagram, translate
from usher_engine.examples.player import Player
from usher_engine.gate import admit, check_package
from usher_engine.services import Services

HEAD = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t"
 xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI">"""
DRAWN = """<di:BPMNDiagram id="D"><di:BPMNPlane id="P" bpmnElement="{0}">
 <di:BPMNShape id="Activity_1_di" bpmnElement="Activity_1"/></di:BPMNPlane></di:BPMNDiagram>"""
FLOWS = """<sequenceFlow id="Flow_1" sourceRef="StartEvent_1" targetRef="Activity_1"/>
 <sequenceFlow id="Flow_2" sourceRef="Activity_1" targetRef="Gateway_1"/>
 <sequenceFlow id="Flow_3" sourceRef="Gateway_1" targetRef="Event_1"/>"""


def process(key, activity, condition="Activity_1 is not None"):
    """A process as modelling tools write it: with the same ids in each file."""
    conditional = f"""<sequenceFlow id="Flow_4" sourceRef="Gateway_1" targetRef="Event_2">
 <conditionExpression>{condition}</conditionExpression></sequenceFlow><endEvent id="Event_2"/>"""
    return f"""{HEAD}<message id="Message_1" name="m"/><process id="{key}" isExecutable="true">
 <laneSet id="L"><lane id="Lane_1" name="Desk"><flowNodeRef>Activity_1</flowNodeRef></lane></laneSet>
 <startEvent id="StartEvent_1"><outgoing>Flow_1</outgoing></startEvent>{activity}
 <exclusiveGateway id="Gateway_1" default="Flow_3"/><endEvent id="Event_1"/>{FLOWS}{conditional}</process>
 {DRAWN.format(key)}</definitions>""".encode()


def call(key):
    return process("main", f'<callActivity id="Activity_1" calledElement="{key}"/>', "get('done') == 1")


def task(key):
    return process(key, '<userTask id="Activity_1" name="Ask"><incoming>Flow_1</incoming></userTask>')


def nodes(package, file):
    (drawn,) = read_diagram(parse_xml(package.files[file], file), file).processes
    return {node.id: node for node in drawn.nodes}, drawn


CALLER = Package({"a_callee.bpmn": task("callee"), "b_main.bpmn": call("callee")})


def test_two_files_of_a_modeller_make_one_package():
    admitted, findings = admit(CALLER, Services())
    assert [f for f in findings if f.severity == "error"] == []
    assert admitted.files["b_main.bpmn"] == CALLER.files["b_main.bpmn"]
    (finding,) = [f for f in findings if f.rule == "translated"]
    assert (finding.file, finding.severity) == ("a_callee.bpmn", "info")
    assert finding.element == "StartEvent_1"
    assert "b_main.bpmn" in finding.message
    assert "“callee_StartEvent_1” for “StartEvent_1”" in finding.message


def test_findings_name_the_ids_in_the_original_file():
    broken = task("callee").replace(b' default="Flow_3"', b"").replace(b">Activity_1 is not None<", b">Activity_1 is<")
    findings = check_package(Package({"a_callee.bpmn": broken, "b_main.bpmn": call("callee")}), Services())
    errors = [(f.file, f.element, f.rule) for f in findings if f.severity == "error"]
    assert ("a_callee.bpmn", "Flow_4", "expression") in errors
    assert ("a_callee.bpmn", "Flow_3", "gateway") in errors
    assert "callee_" not in "".join(f.message for f in findings if f.rule != "translated")
    assert "“Gateway_1”" in "".join(f.message for f in findings if f.element == "Flow_3")


def test_references_of_every_kind_follow_the_new_ids():
    admitted, _ = translate(CALLER)
    drawn, whole = nodes(admitted, "a_callee.bpmn")
    assert set(drawn) == {f"callee_{n}" for n in ("StartEvent_1", "Activity_1", "Gateway_1", "Event_1", "Event_2")}
    assert drawn["callee_Gateway_1"].default == "callee_Flow_3"
    assert {flow.source for flow in whole.flows} <= set(drawn)
    assert drawn["callee_Activity_1"].lane == "Desk"
    text = admitted.files["a_callee.bpmn"].decode()
    assert 'bpmnElement="callee_Activity_1"' in text
    assert "<incoming>callee_Flow_1</incoming>" in text
    assert 'bpmnElement="callee"' in text


def test_the_answer_stays_where_conditions_look_for_it():
    admitted, _ = translate(CALLER)
    assert nodes(admitted, "a_callee.bpmn")[0]["callee_Activity_1"].properties == {"resultVariable": "Activity_1"}
    player = Player(compile_diagram(admitted), Services())
    player.play({"do": [{"complete": "callee_Activity_1"}]})
    assert player.state.outcome == "Event_1"
    assert "callee_Event_2" in player.path


def test_translating_again_changes_nothing():
    admitted, _ = translate(CALLER)
    again, findings = translate(admitted)
    assert again.files == admitted.files
    assert findings == []


def test_new_ids_avoid_those_in_use():
    main = call("x").replace(b'"Event_2"', b'"x_Activity_1"')
    admitted, findings = admit(Package({"main.bpmn": main, "x.bpmn": task("x"), "y.bpmn": task("y")}), Services())
    drawn = {file: set(nodes(admitted, file)[0]) for file in admitted.files}
    assert "Activity_1_2" in drawn["x.bpmn"]
    assert "y_Activity_1" in drawn["y.bpmn"]
    assert not drawn["x.bpmn"] & drawn["y.bpmn"]
    assert "unique-id" not in {f.rule for f in findings}


def test_a_new_id_is_never_too_long():
    long = "c" * 95
    admitted, _ = translate(Package({"a.bpmn": task(long), "b.bpmn": call(long)}))
    assert max(map(len, nodes(admitted, "a.bpmn")[0])) <= 100


def test_ids_in_one_file_and_of_processes_are_unique():
    two = call("callee").replace(b"</process>", b"</process><process id='other'><task id='Activity_1'/></process>")
    findings = check_package(Package({"a.bpmn": task("callee"), "b.bpmn": two}), Services())
    assert ("b.bpmn", "Activity_1", "unique-id") in {(f.file, f.element, f.rule) for f in findings}
    same = Package({"a.bpmn": task("main"), "b.bpmn": call("main")})
    assert ("main", "unique-id") in {(f.element, f.rule) for f in check_package(same, Services())}


@pytest.mark.parametrize("variable", ["person", "a", "p"])
def test_items_of_one_name_get_ids_of_their_own(variable):
    again = f'camunda:collection="people" camunda:elementVariable="{variable}"/>'
    several = "".join(
        f'<userTask id="{key}" name="A"><multiInstanceLoopCharacteristics {again}</userTask>' for key in ("a", "b")
    )
    flows = "".join(
        f'<sequenceFlow id="{x}-{y}" sourceRef="{x}" targetRef="{y}"/>' for x, y in (("s", "a"), ("a", "b"), ("b", "e"))
    )
    text = f'{HEAD}<process id="p" isExecutable="true"><startEvent id="s"/>{several}<endEvent id="e"/>{flows}</process>'
    admitted, findings = admit(Package({"p.bpmn": f"{text}</definitions>".encode()}), Services())
    assert [f for f in findings if f.severity == "error"] == []
    drawn, _ = nodes(admitted, "p.bpmn")
    assert [drawn[key].repeat.item for key in ("a", "b")] == [variable, variable]
    ids = re.findall(r'id="([^"]+)"', etree.tostring(parse_xml(admitted.files["p.bpmn"], "p.bpmn"), encoding="unicode"))
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("key", ["Start", "End", "Root"])
def test_a_flow_named_like_a_helper_of_the_library_is_not_lost(key):
    content = task("p").replace(b"Flow_3", key.encode())
    findings = check_package(Package({"p.bpmn": content}), Services())
    expected = {"reserved-id"} if key == "Root" else set()
    assert {f.rule for f in findings if f.severity == "error"} == expected
