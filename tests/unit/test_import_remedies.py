"""Remedies of imported diagrams: what is drawn is drawn in its place, and foreign settings stay readable."""

import pytest
from conftest import ROOT
from lxml import etree
from usher_engine.core.errors import InvalidSubmission
from usher_engine.definitions import Package, Remedy, parse_xml, read_folder, remedied
from usher_engine.enrollment import enrollment_services
from usher_engine.gate import check_package
from usher_engine.settings import Settings

FOLDER = read_folder(ROOT / "processes" / "enrollment")
FILE = "enrollment.bpmn"
SERVICES = enrollment_services(Settings(), None, None, None)  # type: ignore[arg-type]


def redrawn(*pairs: tuple[str, str]) -> Package:
    text = FOLDER.text(FILE)
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return Package({**FOLDER.files, FILE: text.encode()})


def errors(package: Package) -> set[tuple[str, str]]:
    return {(one.element, one.rule) for one in check_package(package, SERVICES) if one.severity == "error"}


def last_flow() -> str:
    """The id of the flow into the end event that most cases reach."""
    root = parse_xml(FOLDER.files[FILE], FILE).getroot()
    return next(one.get("id") for one in root.iter() if one.get("targetRef") == "InvitationSent")


def test_an_end_event_is_drawn_behind_the_element_in_its_lane():
    flow = last_flow()
    root = parse_xml(FOLDER.files[FILE], FILE).getroot()
    for one in list(root.iter()):
        if flow in (one.get("id"), one.get("bpmnElement"), (one.text or "").strip()):
            one.getparent().remove(one)
    cut = Package({**FOLDER.files, FILE: etree.tostring(root)})
    assert ("RecordPending", "connection") in errors(cut)
    mended = remedied(cut, FILE, "RecordPending", Remedy.END)
    assert ("RecordPending", "connection") not in errors(mended)
    text = mended.text(FILE)
    assert text.count("<bpmn:flowNodeRef>End_RecordPending</bpmn:flowNodeRef>") == 1
    assert 'bpmnElement="End_RecordPending"' in text and 'bpmnElement="To_End_RecordPending"' in text
    assert not any(rule == "not-drawn" for _, rule in errors(mended))
    with pytest.raises(InvalidSubmission):
        remedied(mended, FILE, "RecordPending", Remedy.END)


def test_settings_of_another_product_become_documentation():
    camunda = 'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
    task = '<bpmn:userTask id="UpdateNow" '
    foreign = f'{task}camunda:taskListenerX="a" '
    package = redrawn(("<bpmn:definitions ", f"<bpmn:definitions {camunda}"), (task, foreign))
    noted = remedied(package, FILE, "UpdateNow", Remedy.NOTE)
    assert "Camunda 7: taskListenerX = a" in noted.text(FILE)
    assert "camunda:taskListenerX" not in noted.text(FILE)
    assert errors(noted) == set()


@pytest.mark.parametrize("remedy", list(Remedy))
@pytest.mark.parametrize("element", ["UpdateNow", "PatientStatus", "enrollment", "nobody", ""])
def test_nothing_that_is_in_order_is_touched(remedy, element):
    with pytest.raises(InvalidSubmission):
        remedied(FOLDER, FILE, element, remedy)
    with pytest.raises(InvalidSubmission):
        remedied(FOLDER, "README.md", element, remedy)
