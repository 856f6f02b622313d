"""A package of several diagrams over HTTP: the main one by default, whatever its file is called, the others by key."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from acceptance.conftest import House
from called_packages import CONTACT, LETTER, MAIN, ask, call, chain, package
from usher_engine import SYSTEM
from usher_engine.definitions import Package

NAMES = {"main-last": ("a_contact", "b_letter", "z_main"), "main-first": ("m_contact", "z_letter", "a_main")}
PROCESS = "/processes/middle"
ORDER = ["Look after somebody", "Reach the patient", "Send a letter"]


@pytest.fixture(params=NAMES)
def named(request: pytest.FixtureRequest) -> Package:
    return package(**dict(zip(NAMES[request.param], (CONTACT, LETTER, MAIN), strict=True)))


@pytest.fixture
def case(house: House, named: Package) -> str:
    engine = house.enrollment.engine
    engine.deploy(named, actor=SYSTEM)
    engine.drafts.start("middle", actor=SYSTEM, package=named)
    return engine.starts.start("middle", {}, actor=SYSTEM).id


def pages(case: str) -> dict[str, tuple[str, str]]:
    """Each page with diagrams: who looks, and its address."""
    return {
        "process": ("ana", PROCESS),
        "case": ("alice", f"/cases/{case}"),
        "replay": ("audrey", f"/cases/{case}/replay"),
        "tryout": ("ana", f"{PROCESS}/try?source=draft"),
        "reports": ("audrey", "/reports?process=middle"),
    }


def listed(text: str) -> list[dict]:
    return json.loads(re.search(r'<script type="application/json" id="[\w-]+-drawings">(.*?)</script>', text)[1])


def first(text: str) -> str:
    return re.search(r'data-diagram-url="([^"]*)"', text)[1].replace("&amp;", "&")


@pytest.mark.parametrize("page", ["process", "case", "replay", "tryout", "reports"])
def test_a_page_shows_the_main_diagram_and_offers_the_called_ones(house: House, case: str, page: str) -> None:
    who, path = pages(case)[page]
    visitor = house.visitor(who)
    text = visitor.get(path).text
    assert b'<process id="middle"' in visitor.get(first(text)).data
    drawings = listed(text)
    assert [one["name"] for one in drawings] == ORDER
    for one, process in zip(drawings, ("middle", "contact", "letter"), strict=True):
        answer = visitor.get(one["url"])
        assert f'<process id="{process}"'.encode() in answer.data
        assert answer.headers["Content-Disposition"] == "attachment"
    main, contact, letter = drawings
    assert main["calls"] == {"First": contact["key"], "Second": contact["key"]}
    assert contact["calls"] == {"Post": letter["key"]}
    bare = urlsplit(drawings[0]["url"]).path
    assert b'<process id="middle"' in visitor.get(bare).data
    assert visitor.get(f"{bare}?diagram=nothing.bpmn").status_code == 404
    assert visitor.get(f"{bare}?diagram=../z.bpmn").status_code == 404


def test_a_comparison_shows_the_main_diagram_by_its_name(house: House, case: str) -> None:
    ana = house.visitor("ana")
    text = ana.get(f"{PROCESS}/compare?from=1&to=draft").text
    assert re.findall(r'aria-current="true">\s*(\w[\w ]*\w)\s*</a>', text) == ["Look after somebody"]
    assert b'<process id="middle"' in ana.get(first(text)).data


def test_the_editor_opens_the_main_diagram(house: House, case: str) -> None:
    facts = re.search(r'"file": "([^"]*)"', house.visitor("ana").get(f"{PROCESS}/edit").text)
    assert facts[1].endswith("main.bpmn")


@pytest.mark.parametrize("broken", ["contact", "letter"])
def test_a_broken_diagram_of_a_draft_hides_no_other(house: House, named: Package, case: str, broken: str) -> None:
    engine = house.enrollment.engine
    path = next(path for path in named.files if broken in path)
    file = engine.drafts.find("middle").file(path)
    engine.drafts.save_file("middle", path, b"<definitions", etag=file.etag, actor=SYSTEM)
    ana = house.visitor("ana")
    text = ana.get(f"{PROCESS}/compare?from=1&to=draft").text
    assert "Look after somebody" in text
    diagram = f"{PROCESS}/compare/draft/diagram.bpmn"
    assert b'<process id="middle"' in ana.get(diagram).data
    assert ana.get(f"{diagram}?diagram={path}").data == b"<definitions"
    assert b'<process id="middle"' in ana.get(f"{PROCESS}/try/draft/diagram.bpmn").data
    tried = ana.get(f"{PROCESS}/try?source=draft")
    assert (tried.status_code, "This cannot be tried yet." in tried.text) == (200, True)


def test_the_evidence_bundle_draws_the_main_diagram(house: House, case: str, tmp_path: Path) -> None:
    audrey = house.visitor("audrey")
    audrey.get(f"/cases/{case}/replay")
    page = audrey.post(f"/cases/{case}/evidence").text
    assert 'process id=\\"middle\\"' in page.replace("\\u003c", "<").replace("\\u0022", '\\"')


def test_the_tryout_of_a_draft_draws_the_elements_that_its_way_names(house: House) -> None:
    """Two new files of the editor use the same ids; the translation tells them apart, in the drawing too."""
    main = chain("main", call("Call", "other"), ask("Ask")).replace(b'"main_begin"', b'"Start"')
    other = chain("other", ask("Other")).replace(b'"other_begin"', b'"Start"')
    engine = house.enrollment.engine
    engine.drafts.start("main", actor=SYSTEM, package=package(a=other, m=main))
    ana = house.visitor("ana")
    sent = {"try.source": "draft", "try.act": "begin", "start": "{}", "services": "{}"}
    text = ana.post("/processes/main/try", {**sent, "csrf_token": ana.csrf}).text
    way = json.loads(re.search(r'id="diagram-path">(.*?)</script>', text)[1])
    drawings = listed(text)
    elements = {element for one in drawings for element in one["elements"]}
    assert {one["element"] for one in way["visited"]} < elements
    starts = [re.findall(rb'<startEvent id="(\w+)"', ana.get(one["url"]).data) for one in drawings]
    assert starts in ([[b"Start"], [b"other_Start"]], [[b"main_Start"], [b"Start"]])


def test_a_report_names_the_diagram_of_each_element(house: House, case: str) -> None:
    text = house.visitor("audrey").get("/reports/elements.csv?process=middle").text
    rows = [line.split(",")[:3] for line in text.splitlines()]
    assert rows[0] == ["Element", "Diagram", "Visits"]
    assert ["Call the patient", "Reach the patient", "1"] in rows
    assert ["Call contact at First", "Look after somebody", "1"] in rows
