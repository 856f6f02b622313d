"""Findings on pages: labels in place of ids, the panel's words in place of the file's."""

import json
from pathlib import Path

import pytest
from usher_engine.definitions import Finding, Package, element_labels, read_folder
from usher_web.analyst.finding_words import PANEL_WORDS, labels_of, shown_findings

ROOT = Path(__file__).parents[2]
DRAWN = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" name="Calls">
  <startEvent id="S" /><sequenceFlow id="f1" sourceRef="S" targetRef="T" />
  <userTask id="T" name="Call the patient" /><sequenceFlow id="f2" sourceRef="T" targetRef="G" />
  <boundaryEvent id="B" attachedToRef="T"><timerEventDefinition /></boundaryEvent>
  <exclusiveGateway id="G" /><sequenceFlow id="f3" sourceRef="G" targetRef="E" name="yes" />
  <sequenceFlow id="f4" sourceRef="G" targetRef="X" /><endEvent id="E" /><subProcess id="X" />
</process></definitions>"""
PACKAGE = Package({"p.bpmn": DRAWN.encode()})


def said(message: str, rule: str = "gateway", element: str = "G") -> dict:
    [shown] = shown_findings([Finding(file="p.bpmn", element=element, rule=rule, message=message)], PACKAGE)
    return shown


def test_every_element_has_a_label_that_is_no_id() -> None:
    assert element_labels(PACKAGE) == {
        ("p.bpmn", "p"): "Calls",
        ("p.bpmn", "S"): "Start event before “Call the patient”",
        ("p.bpmn", "T"): "Call the patient",
        ("p.bpmn", "B"): "Timer event at the edge of “Call the patient”",
        ("p.bpmn", "G"): "Gateway after “Call the patient”",
        ("p.bpmn", "E"): "End event",
        ("p.bpmn", "X"): "Sub-process",
        ("p.bpmn", "f1"): "Start event before “Call the patient” → Call the patient",
        ("p.bpmn", "f2"): "Call the patient → Gateway after “Call the patient”",
        ("p.bpmn", "f3"): "yes",
        ("p.bpmn", "f4"): "Gateway after “Call the patient” → Sub-process",
    }


@pytest.mark.parametrize("folder", sorted((ROOT / "tests" / "processes").iterdir()), ids=lambda path: path.name)
def test_labels_cover_every_node_and_flow(folder: Path) -> None:
    package = read_folder(folder)
    assert all(label and label != key for (_, key), label in element_labels(package).items() if "_" in key)


def test_a_message_names_elements_as_people_do() -> None:
    shown = said("The flow from “G” has no condition. Write one, or make it the default.")
    assert shown["label"] == "Gateway after “Call the patient”"
    assert shown["message"].startswith("The flow from the gateway after “Call the patient” has no condition.")
    assert said("“T” already catches it.")["message"] == "“Call the patient” already catches it."


def test_what_is_no_element_stays() -> None:
    assert said("No portal status is “Pendng”.")["message"] == "No portal status is “Pendng”."
    assert "“G”" in said("Two elements have the id “G”.", rule="unique-id")["message"]
    assert said("", element="")["label"] == ""
    assert said("", element="gone")["label"] == "gone"


def test_settings_have_the_panel_s_words() -> None:
    assert said("Set isExecutable, or remove it.")["message"] == "Set “Can be run”, or remove it."
    assert said("candidateGroups “a,,” is odd.")["message"] == "“Group” “a,,” is odd."


def test_the_panel_s_words_are_those_of_the_panel() -> None:
    panel = "".join(path.read_text() for path in (ROOT / "web/ui/src/workbench").glob("describe*.js"))
    assert [word for word in PANEL_WORDS.values() if f'"{word}"' not in panel] == []


def test_what_was_never_reached_is_named_once() -> None:
    assert labels_of(PACKAGE, ["T", "G", "T", "gone"]) == [
        "Call the patient",
        "Gateway after “Call the patient”",
        "gone",
    ]


def test_the_findings_of_a_package_can_be_sent() -> None:
    assert json.loads(json.dumps(shown_findings([], PACKAGE))) == []
