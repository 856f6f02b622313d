"""The comparison of two versions in a real browser: marks in both diagrams, and ways between list and diagram."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from browser.clinic import Clinic
from playwright.sync_api import Page, expect
from usher_engine import Actor
from usher_engine.definitions import Package

Desk = Callable[..., Page]
ANA = Actor(name="ana", role="analyst")
ADDRESS = "/processes/enrollment/compare?from=1&to=2"
OLD_FLOW = b'<bpmn:sequenceFlow id="Flow_update" sourceRef="UpdateNow" targetRef="SavePatient" />'
NEW_TASK = b"""<bpmn:scriptTask id="CountUpdate" name="Count the update"><bpmn:incoming>Flow_update</bpmn:incoming>
<bpmn:outgoing>Flow_counted</bpmn:outgoing><bpmn:script>updates = get("updates", 0) + 1</bpmn:script></bpmn:scriptTask>
<bpmn:sequenceFlow id="Flow_counted" sourceRef="CountUpdate" targetRef="SavePatient" />
<bpmn:sequenceFlow id="Flow_update" sourceRef="UpdateNow" targetRef="CountUpdate" />"""
OLD_SHAPE = b'<bpmndi:BPMNShape id="SavePatient_di"'
NEW_SHAPE = b"""<bpmndi:BPMNShape id="CountUpdate_di" bpmnElement="CountUpdate">
<dc:Bounds x="950" y="210" width="100" height="80" /></bpmndi:BPMNShape>
<bpmndi:BPMNEdge id="Flow_counted_di" bpmnElement="Flow_counted"><di:waypoint x="1000" y="290" />
<di:waypoint x="1000" y="505" /></bpmndi:BPMNEdge>"""
OLD_WAY = b"""<di:waypoint x="1000" y="250" />
        <di:waypoint x="1000" y="505" />"""


@pytest.fixture(scope="module")
def versions(clinic: Clinic) -> Clinic:
    """Version 2: a task renamed, one put in behind it, a form and a mail changed."""
    engine = clinic.enrollment.engine
    files = dict(engine.versions.package("enrollment").files)
    drawn = files["enrollment.bpmn"].replace(b'name="Update Now"', b'name="Update Today"')
    for old, new in (
        (OLD_FLOW, NEW_TASK),
        (OLD_SHAPE, NEW_SHAPE + OLD_SHAPE),
        (OLD_WAY, b'<di:waypoint x="1050" y="250" />'),
    ):
        assert old in drawn
        drawn = drawn.replace(old, new, 1)
    files["enrollment.bpmn"] = drawn
    form = json.loads(files["update-now.form"])
    form["components"][1]["label"] = "Another label"
    files["update-now.form"] = json.dumps(form).encode()
    files["mail/invitation.en.md"] += b"\nOne more line.\n"
    engine.deploy(Package(files), actor=ANA, note="one task more")
    return clinic


def opened(page: Page) -> Page:
    page.goto(ADDRESS)
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("[data-diagram][data-drawn] svg").first).to_be_visible()
    return page


@pytest.mark.parametrize("width", [1440, 360])
def test_it_reads_and_looks_right(
    versions: Clinic, desk: Desk, day_and_night: Callable[[Page, str], None], width: int
) -> None:
    page = opened(desk("audrey", viewport={"width": width, "height": 900}, reduced_motion="reduce"))
    expect(page.locator(".notice .say")).to_contain_text("element")
    expect(page.locator("[data-side=before] .change-mark-changed").first).to_be_attached()
    expect(page.locator("[data-side=after] .change-mark-changed").first).to_be_attached()
    left, right = (page.locator(f"[data-side={side}]").bounding_box() for side in ("before", "after"))
    assert left is not None and right is not None
    assert (left["x"] < right["x"]) == (width > 1000) and (left["y"] < right["y"]) == (width < 1000)
    day_and_night(page, f"compare-{width}")


def test_a_change_leads_to_its_element_and_an_element_to_its_change(versions: Clinic, desk: Desk) -> None:
    page = opened(desk("ana", viewport={"width": 1440, "height": 900}))
    link = page.get_by_role("link", name="User task “Update Today”")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-side=after] .djs-element.change-here[data-element-id=UpdateNow]")).to_be_visible()
    expect(page.locator("[data-side=before] .djs-element.change-here[data-element-id=UpdateNow]")).to_be_visible()
    expect(page.locator("[data-said]")).to_contain_text("Diagram of version 1 and Diagram of version 2")
    expect(link).to_be_focused()
    page.locator("[data-side=after] .djs-element[data-element-id=UpdateNow] > .djs-hit").first.click()
    expect(page.locator("#change-UpdateNow")).to_be_focused()


def test_both_open_at_the_first_difference_and_move_as_one(versions: Clinic, desk: Desk) -> None:
    """At one scale, at one spot, large enough to read; “Whole diagram” goes out, and what one shows the other shows."""
    page = opened(desk("ana", viewport={"width": 1440, "height": 900}))
    scale = _together(page)
    assert scale >= 0.45
    changed = page.locator("[data-side=after] .djs-element[data-element-id=UpdateNow] > .djs-visual").bounding_box()
    canvas = page.locator("[data-side=after]").bounding_box()
    assert changed and canvas
    assert canvas["x"] <= changed["x"] and changed["x"] + changed["width"] <= canvas["x"] + canvas["width"]
    assert canvas["y"] <= changed["y"] and changed["y"] + changed["height"] <= canvas["y"] + canvas["height"]
    page.locator("[data-side=before]").get_by_role("button", name="Smaller").click()
    assert _together(page) < scale
    page.locator("[data-side=after]").get_by_role("button", name="Whole diagram").click()
    _together(page)
    inner = page.locator("[data-side=after] .djs-element[data-element-id=TriggerSelected]").bounding_box()
    assert inner and inner["x"] >= canvas["x"]


def _together(page: Page) -> float:
    """The scale of both diagrams, which show the same spot to a pixel or two."""
    sides = [page.locator(f"[data-side={side}] .viewport").get_attribute("transform") for side in ("before", "after")]
    one, other = ([float(number) for number in re.findall(r"-?[\d.]+", str(matrix))] for matrix in sides)
    assert one[0] == pytest.approx(other[0], abs=0.01)
    assert one[4:] == pytest.approx(other[4:], abs=3)
    return one[0]


def test_another_pair_is_chosen_and_the_same_is_said_to_be_the_same(versions: Clinic, desk: Desk) -> None:
    page = opened(desk("ana", viewport={"width": 1440, "height": 900}))
    page.get_by_label("From").select_option("2")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".notice .say")).to_have_text("The two are the same.")


def test_the_process_page_leads_here(versions: Clinic, desk: Desk, accessible: Callable[[Page], None]) -> None:
    page = desk("audrey", viewport={"width": 360, "height": 800})
    page.goto("/processes/enrollment")
    page.wait_for_selector("body[data-ready]")
    accessible(page)
    page.get_by_role("link", name="What changed in version 2").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("version 1 and version 2")


LETTER = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="l" targetNamespace="t"
    xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC">
  <process id="letter" name="A letter"><userTask id="Write" name="Write a letter" /></process>
  <bpmndi:BPMNDiagram id="ld"><bpmndi:BPMNPlane id="lp" bpmnElement="letter"><bpmndi:BPMNShape id="ls"
    bpmnElement="Write"><dc:Bounds x="100" y="100" width="100" height="80" /></bpmndi:BPMNShape></bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram></definitions>"""


def test_a_package_of_several_diagrams_shows_the_one_that_is_chosen(
    versions: Clinic, desk: Desk, accessible: Callable[[Page], None], shot: Callable[[Page, str], None]
) -> None:
    files = {**versions.enrollment.engine.versions.package("enrollment", 2).files, "letter.bpmn": LETTER}
    versions.enrollment.engine.drafts.start("enrollment", actor=ANA, package=Package(files))
    page = desk("ana", viewport={"width": 1440, "height": 900})
    page.goto("/processes/enrollment/compare?from=1&to=draft")
    page.wait_for_selector("body[data-ready]")
    which = page.get_by_role("navigation", name="Which diagram")
    expect(which.locator("[aria-current]")).to_contain_text("Portal enrolment")
    page.get_by_role("link", name="User task “Write a letter”").click()  # is drawn in the other one
    page.wait_for_selector("body[data-ready]")
    expect(which.locator("[aria-current]")).to_contain_text("A letter")
    expect(page.locator("[data-side=after] .djs-element.change-here[data-element-id=Write]")).to_be_visible()
    expect(page.locator("figure").first).to_contain_text("“A letter” is not in this version.")
    accessible(page)
    shot(page, "compare-several")
    page.get_by_role("link", name="User task “Update Today”").click()
    page.wait_for_selector("body[data-ready]")
    expect(page.locator("[data-side=before] .djs-element.change-here[data-element-id=UpdateNow]")).to_be_visible()
