"""A Camunda 7 process on the page Import: taken over, put right step by step, each undone, until it can be deployed."""

import io
import re

import pytest
from usher_engine import Actor
from usher_engine.definitions import SAFE, Remedy

IMPORT = "/processes/invoice/import"
ANA = Actor(name="ana", role="analyst")
INVOICE = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="d" targetNamespace="x">
  <bpmn:process id="invoice" name="Invoice" isExecutable="false" camunda:historyTimeToLive="5">
    <bpmn:startEvent id="S" camunda:formKey="embedded:app:start.html"/>
    <bpmn:sequenceFlow id="f1" sourceRef="S" targetRef="Review"/>
    <bpmn:userTask id="Review" name="Review" camunda:candidateGroups="accounting" camunda:dueDate="P2D">
      <bpmn:extensionElements>
        <camunda:formData><camunda:formField id="ok" label="OK?" type="boolean"/></camunda:formData>
        <camunda:taskListener event="create" class="a.B"/>
      </bpmn:extensionElements>
    </bpmn:userTask>
    <bpmn:sequenceFlow id="f2" sourceRef="Review" targetRef="G"/>
    <bpmn:exclusiveGateway id="G"/>
    <bpmn:sequenceFlow id="f3" sourceRef="G" targetRef="E">
      <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">${ok}</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f4" sourceRef="G" targetRef="A"/>
    <bpmn:serviceTask id="A" name="Archive" camunda:delegateExpression="${archive}"/>
    <bpmn:endEvent id="E"/>
  </bpmn:process>
</bpmn:definitions>
"""


@pytest.fixture
def engine(house):
    return house.enrollment.engine


@pytest.fixture
def ana(house):
    visitor = house.visitor("ana")
    visitor.get("/drafts/new")
    visitor.post("/drafts/new", {"key": "", "upload": (io.BytesIO(INVOICE.encode()), "invoice.bpmn")})
    return visitor


def etag(engine):
    return engine.drafts.find("invoice").etag


def drawn(engine):
    return engine.drafts.package("invoice").text("invoice.bpmn")


def plain(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def left(engine):
    return {one.finding.element: one.remedy for one in engine.import_desk.state("invoice").left if one.remedy}


def test_the_translation_is_taken_over_and_can_be_edited_then(ana, engine):
    assert "See what was translated" in plain(ana.get("/processes/invoice/edit"))
    page = plain(ana.get(IMPORT))
    assert "7 things are left to do." in page
    assert "It is for the group “accounting”." in page
    ana.post(IMPORT, {"etag": etag(engine)})
    assert 'name="candidateGroups" value="accounting"' in drawn(engine)
    assert "Review.form" in engine.drafts.package("invoice").files
    page = ana.get(IMPORT)
    assert "Translated by Usher" not in page.text
    number = re.search(r"/history/(\d+)/back", page.text).group(1)
    ana.post(f"/processes/invoice/history/{number}/back", {"etag": etag(engine), "next": "import"})
    assert drawn(engine) == INVOICE
    assert "Review.form" not in engine.drafts.package("invoice").files


def test_each_remedy_mends_its_finding_and_nothing_else(ana, engine):
    assert left(engine) == {
        "invoice": Remedy.EXECUTABLE, "S": Remedy.NOTE, "Review": Remedy.NOTE, "G": Remedy.DEFAULT, "A": Remedy.END,
    }  # fmt: skip
    for element, remedy in left(engine).items():
        before = len(engine.import_desk.state("invoice").left)
        ana.get(IMPORT)
        sent = {"etag": etag(engine), "remedy": remedy.value, "file": "invoice.bpmn", "element": element}
        assert ana.post(IMPORT, sent).status_code == 200
        assert element not in left(engine)
        assert len(engine.import_desk.state("invoice").left) < before
        sent["etag"] = etag(engine)
        assert ana.post(IMPORT, sent).status_code == 422  # it does not fit twice
    rest = [one.finding.rule for one in engine.import_desk.state("invoice").left]
    assert rest == ["service"]
    assert "Camunda 7: formKey = embedded:app:start.html" in drawn(engine)
    assert "Camunda 7: taskListener (event = create, class = a.B)" in drawn(engine)
    assert 'default="f4"' in drawn(engine) and 'isExecutable="true"' in drawn(engine)


def test_the_safe_ones_go_in_one_step(ana, engine):
    wanted = {element for element, remedy in left(engine).items() if remedy in SAFE}
    ana.get(IMPORT)
    ana.post(IMPORT, {"etag": etag(engine), "safe": "yes"})
    assert wanted == {"invoice", "G", "A"} and not wanted & set(left(engine))
    assert [point.kind.value for point in engine.draft_history.points("invoice", limit=2)] == ["saved", "translation"]


def test_nothing_is_done_over_anothers_change_or_to_what_is_not_there(ana, engine):
    seen = etag(engine)
    engine.drafts.save_file("invoice", "notes.txt", b"x", etag="", actor=ANA)
    ana.get(IMPORT)
    assert ana.post(IMPORT, {"etag": seen}).status_code == 409
    for wrong in ({"remedy": "other"}, {"remedy": "note", "file": "invoice.bpmn", "element": "E"}, {"remedy": "end"}):
        assert ana.post(IMPORT, {"etag": etag(engine), **wrong}).status_code in (400, 422)
    assert drawn(engine) == INVOICE
    assert ana.get("/processes/other/import").status_code == 404


@pytest.mark.parametrize("content", ["", "<a", "<!DOCTYPE x><x/>", "<bpmn/>"])
def test_a_broken_file_breaks_no_page(ana, engine, content):
    seen = engine.drafts.find("invoice").file("invoice.bpmn").etag
    engine.drafts.save_file("invoice", "invoice.bpmn", content.encode(), etag=seen, actor=ANA)
    assert ana.get(IMPORT).status_code == 200
    ana.post(IMPORT, {"etag": etag(engine), "safe": "yes"})
    assert drawn(engine) == content


@pytest.mark.parametrize("name", ["alice", "audrey", "adam"])
def test_it_is_for_analysts(house, ana, engine, name):
    other = house.visitor(name)
    assert other.get(IMPORT).status_code == 403
    assert other.post(IMPORT, {"etag": etag(engine)}).status_code == 403
