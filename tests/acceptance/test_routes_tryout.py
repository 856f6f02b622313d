"""Trying a process out: step by step with the real forms; nothing leaves; the run becomes an example of the draft."""

import html
import json
import re

import pytest

EXAMPLE = "examples/08-declined-enroll-now.json"


@pytest.fixture
def ana(house):
    return house.visitor("ana")


def hidden(page):
    """The run as it travels in the page."""
    return html.unescape(re.search(r'name="try\.run" value="([^"]*)"', page.text)[1])


def go(visitor, page, act, element="", **fields):
    given = {"try.source": "1", "try.run": hidden(page), "try.act": act, "try.element": element, **fields}
    return visitor.post("/processes/enrollment/try", given)


def begin(visitor, **fields):
    return visitor.post("/processes/enrollment/try", {"try.source": "1", "try.act": "begin", **fields})


def test_the_first_page_shows_the_examples_and_what_they_cover(ana):
    page = ana.get("/processes/enrollment/try")
    assert page.status_code == 200
    assert "100 % of the elements" in page.text
    assert EXAMPLE in page.text
    assert ana.get("/processes/enrollment/try/1/diagram.bpmn").status_code == 200


def test_an_example_is_stepped_through_with_the_real_forms(house, ana):
    before = len(house.enrollment.engine.queries.instances())
    page = begin(ana, example=EXAMPLE)
    assert page.status_code == 200
    assert "Enroll Now" in page.text
    wrong = go(ana, page, "complete", "EnrollNow")
    assert wrong.status_code == 422
    assert json.loads(hidden(wrong))["do"] == []
    done = go(ana, page, "complete", "EnrollNow", reason="The patient asked for it")
    assert done.status_code == 200, done.text
    assert "The run ended at" in done.text
    back = go(ana, done, "back")
    assert json.loads(hidden(back))["do"] == []
    assert len(house.enrollment.engine.queries.instances()) == before


def test_the_analyst_answers_for_the_services(ana):
    page = begin(ana, start='{"patient_id": "p1"}')
    assert "What does patient/load answer?" in page.text
    wrong = go(ana, page, "answer", **{"try.operator": "patient/load", "answer": "[1"})
    assert wrong.status_code == 422
    assert "is not JSON" in wrong.text
    answer = json.dumps({"status": "Completed", "guard": None, "response": None, "fields": {}})
    page = go(ana, page, "answer", **{"try.operator": "patient/load", "answer": answer})
    assert "The run ended at" in page.text
    page = go(ana, page, "back")
    assert "What does patient/load answer?" in page.text


def test_a_run_is_saved_as_an_example_of_the_draft(house, ana):
    page = begin(ana, start='{"patient_id": "p1"}')
    answer = json.dumps({"status": "Completed", "guard": None, "response": None, "fields": {}})
    page = go(ana, page, "answer", **{"try.operator": "patient/load", "answer": answer})
    given = {"try.source": "1", "try.run": hidden(page), "name": "Completed, tried"}
    assert "Saved as examples/completed-tried.json" in ana.post("/processes/enrollment/try/save", given).text
    files = house.enrollment.engine.drafts.package("enrollment").files
    assert json.loads(files["examples/completed-tried.json"])["services"]["patient/load"][0]["status"] == "Completed"
    assert "completed-tried" in ana.get("/processes/enrollment/try").text
    assert ana.post("/processes/enrollment/try/save", given).status_code == 422


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"start": "[]"}, "This must be a record"),
        ({"start": "{"}, "This is not JSON (line 1, column 2"),
        ({"start": '{"typename": 1}'}, "start.typename is a reserved name"),
        ({"example": "examples/none.json"}, "There is no such example"),
        ({"start": '{"__class__": 1}'}, "start.__class__ is a reserved name"),
        ({"start": "[" * 10_000}, "it is nested too deeply"),
    ],
)
def test_inputs_that_cannot_be_are_refused(ana, fields, reason):
    answer = begin(ana, **fields)
    assert answer.status_code == 422
    assert reason in answer.text


@pytest.mark.parametrize("run", ["", "[]", "{", '{"do": 1}', '{"do": [1]}', '{"services": {"patient/load": 1}}'])
def test_a_run_that_was_tampered_with_is_refused(ana, run):
    given = {"try.source": "1", "try.run": run, "try.act": "complete", "try.element": "EnrollNow"}
    assert ana.post("/processes/enrollment/try", given).status_code == 422


def test_a_broken_draft_says_why_it_cannot_be_tried(house, ana):
    engine = house.enrollment.engine
    files = dict(engine.versions.package("enrollment").files)
    files["enrollment.bpmn"] = files["enrollment.bpmn"].replace(b"patient/load", b"patient/lost")
    from usher_engine import Actor
    from usher_engine.definitions import Package

    engine.drafts.start("enrollment", actor=Actor(name="ana", role="analyst"), package=Package(files))
    page = ana.get("/processes/enrollment/try")
    assert "This cannot be tried yet" in page.text
    assert "Load patient" in page.text
    assert ana.get("/processes/enrollment/try?source=1").status_code == 200
    assert ana.get("/processes/enrollment/try?source=x").status_code == 404
