"""The comparison of two versions over HTTP: one sentence, both diagrams, every change, and what is not there."""

from __future__ import annotations

import json
import re

import pytest
from usher_engine import Actor
from usher_engine.definitions import Package

ANA = Actor(name="ana", role="analyst")
SHOWN = {"ana": 200, "audrey": 200, "adam": 200, "alice": 403}


@pytest.fixture
def versions(house):
    """Version 2 of the enrolment renames a task, changes a condition, a form and a mail, and adds a file."""
    engine = house.enrollment.engine
    files = dict(engine.versions.package("enrollment").files)
    files["enrollment.bpmn"] = files["enrollment.bpmn"].replace(b'name="Update Now"', b'name="Update Today"')
    form = json.loads(files["update-now.form"])
    form["components"][-1]["label"] = "Something else"
    files["update-now.form"] = json.dumps(form).encode()
    files["mail/invitation.en.md"] += b"\nNew <b>line</b>\n"
    engine.deploy(Package(files), actor=ANA, note="second")
    return house


@pytest.mark.parametrize(("name", "status"), SHOWN.items())
def test_who_may_compare(versions, name, status):
    assert versions.visitor(name).get("/processes/enrollment/compare").status_code == status
    assert versions.visitor(name).get("/processes/enrollment/compare/1/diagram.bpmn").status_code == status


def test_the_page_says_what_changed_in_one_sentence_and_in_a_list(versions):
    page = versions.visitor("ana").get("/processes/enrollment/compare?from=1&to=2").text
    assert "1 element changed, 1 form field changed and 1 file changed." in page
    assert 'data-show="UpdateNow"' in page and "User task “Update Today”" in page
    assert '<del><span class="value">Update Now</span></del>' in page
    assert "New &lt;b&gt;line&lt;/b&gt;" in page
    marks = json.loads(re.search(r'id="comparison-marks">(.*?)</script>', page)[1])
    assert marks == {"before": {"changed": ["UpdateNow"]}, "after": {"changed": ["UpdateNow"]}}


def test_without_a_choice_the_newest_is_compared_with_the_one_before(versions):
    page = versions.visitor("audrey").get("/processes/enrollment/compare").text
    assert "version 1 and version 2" in page
    assert "The two are the same." in versions.visitor("audrey").get("/processes/enrollment/compare?from=2&to=2").text


def test_a_draft_is_compared_also_when_it_is_broken(versions):
    engine, ana = versions.enrollment.engine, versions.visitor("ana")
    assert ana.get("/processes/enrollment/compare?to=draft").status_code == 404
    files = {**engine.versions.package("enrollment").files, "enrollment.bpmn": b"<oops"}
    engine.drafts.start("enrollment", actor=ANA, package=Package(files))
    page = ana.get("/processes/enrollment/compare?to=draft").text
    assert "version 2 and draft" in page and "1 file changed" in page
    assert ana.get("/processes/enrollment/compare/draft/diagram.bpmn").data == b"<oops"


@pytest.mark.parametrize("address", ["?from=9", "?to=9", "?from=x&to=1", "?from=-1", f"?from={9**20}", "?to=²"])
def test_missing_versions_and_diagrams_are_reported(versions, address):
    assert versions.visitor("ana").get(f"/processes/enrollment/compare{address}").status_code == 404
    assert versions.visitor("ana").get("/processes/nothing/compare").status_code == 404


def test_the_process_page_leads_to_the_comparison(versions):
    page = versions.visitor("audrey").get("/processes/enrollment").text
    assert "/processes/enrollment/compare?from=1&amp;to=2" in page
