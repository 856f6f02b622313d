"""Findings are in the order a person would fix them: errors first, then file by file, along the flow."""

from usher_engine.definitions import Package, read_diagram
from usher_engine.definitions.safe_xml import parse_xml
from usher_engine.gate import check_package
from usher_engine.gate.finding_order import in_flow_order
from usher_engine.services import Services

OPEN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    'id="d" targetNamespace="t"><process id="p" isExecutable="true">'
)
CLOSE = "</process></definitions>"
#: The elements are in a different order in the file than along the flow.
DRAWN = """
  <endEvent id="end"/>
  <userTask id="second" name="Second"/>
  <subProcess id="inner"><endEvent id="inner_end"/><userTask id="inside"/><startEvent id="inner_start"/>
    <sequenceFlow id="i1" sourceRef="inner_start" targetRef="inside"/>
    <sequenceFlow id="i2" sourceRef="inside" targetRef="inner_end"/></subProcess>
  <boundaryEvent id="late" attachedToRef="second"><timerEventDefinition><timeDuration>"P1D"</timeDuration>
    </timerEventDefinition></boundaryEvent>
  <userTask id="first" name="First" camunda:assignee="demo" camunda:candidateGroups="desk"/>
  <userTask id="forgotten" name="Forgotten"/>
  <startEvent id="start"/>
  <sequenceFlow id="f4" sourceRef="inner" targetRef="end"/>
  <sequenceFlow id="f3" sourceRef="second" targetRef="inner"/>
  <sequenceFlow id="f2" sourceRef="first" targetRef="second"/>
  <sequenceFlow id="f1" sourceRef="start" targetRef="first"/>
"""


def diagram(drawn: str) -> bytes:
    return f"{OPEN}{drawn}{CLOSE}".encode()


def test_elements_are_read_along_the_flow():
    (process,) = read_diagram(parse_xml(diagram(DRAWN), "p.bpmn"), "p.bpmn").processes
    assert list(in_flow_order(process)) == [
        *("p", "start", "f1", "first", "f2", "second", "f3", "late", "inner", "f4"),
        *("inner_start", "i1", "inside", "i2", "inner_end", "end", "forgotten"),
    ]


def test_loops_and_missing_targets_do_not_stop_the_order():
    broken = '<userTask id="a"/><sequenceFlow id="x" sourceRef="a" targetRef="a"/><sequenceFlow id="y" targetRef="no"/>'
    (process,) = read_diagram(parse_xml(diagram(broken), "p.bpmn"), "p.bpmn").processes
    assert list(in_flow_order(process))[:3] == ["p", "a", "x"]


def test_errors_come_before_notes_on_the_translation():
    broken = DRAWN.replace("P1D", "soon")
    files = {"mail/a.txt": b"Hello {{ nobody( }}", "p.bpmn": diagram(broken)}
    found = check_package(Package(files), Services())
    severities = [finding.severity for finding in found]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert {"error", "info"} <= set(severities)
    errors = [(one.file, one.element) for one in found if one.severity == "error"]
    assert errors[0][0] == "p.bpmn"
    assert errors[-1] == ("mail/a.txt", "")
    assert list(dict.fromkeys(element for _, element in errors[:-1])) == ["late", "forgotten"]
