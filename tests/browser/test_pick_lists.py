"""What an element names is chosen from what there is, by its name."""

from __future__ import annotations

from browser.analyst import drawn, opened, saved, select
from browser.clinic import Clinic
from browser.scenes_workbench import draft
from playwright.sync_api import Page, expect
from usher_engine import Engine

CONTACT = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">
  <process id="contact" name="Contact the patient" isExecutable="true">
    <startEvent id="Begin"><outgoing>f</outgoing></startEvent><sequenceFlow id="f" sourceRef="Begin" targetRef="Done" />
    <endEvent id="Done"><incoming>f</incoming></endEvent></process></definitions>"""


def test_a_called_process_is_chosen_by_name(clinic: Clinic, engine: Engine, ana: Page) -> None:
    draft(clinic, **{"contact.bpmn": CONTACT})
    opened(ana)
    flow = select(ana, "SavePatient").get_by_role("button", name="→ Check mandatory fields")
    flow.click()
    ana.get_by_label("Put a step here").select_option(label="Called process")
    ana.locator("[data-field=insert] button").click()
    called = ana.get_by_label("Process", exact=True)
    expect(called.locator("option")).to_have_text(["Choose…", "Contact the patient (contact)"])  # never itself
    called.select_option("contact")
    expect(ana.get_by_role("link", name="Open its diagram")).to_have_attribute(
        "href", "/processes/enrollment/files/contact.bpmn"
    )
    saved(ana)
    assert 'calledElement="contact"' in drawn(engine)
