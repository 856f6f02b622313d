"""One button mends what a finding says, in one step of Undo."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser.analyst import drawn, opened, saved
from browser.clinic import Clinic
from browser.drawing import faults
from browser.scenes_workbench import draft
from playwright.sync_api import Page, expect
from usher_engine import Engine

SEND = r'(<bpmn:serviceTask id="SendInvitation".*?)<spiffworkflow:parameter id="patient_id"[^>]*/>'
CATCH = r'<bpmn:boundaryEvent id="SendingRefused".*?</bpmn:boundaryEvent>'
SENT_TO = r'id="SendInvitation"(?:(?!</bpmn:serviceTask>).)*id="patient_id" type="any" value="patient_id"'
#: The line of a flow.
LINE = r"<bpmndi:BPMNEdge [^>]*bpmnElement=\"%s\".*?</bpmndi:BPMNEdge>"
#: What is broken, by a pattern and its replacement; what the finding says; the button; what stands in the file then.
SLIPS = {
    "parameter missing": (
        [(SEND, r"\1")],
        "Parameter “patient_id” of invitation/send is missing",
        "Add it: the case's “patient_id”",
        SENT_TO,
    ),
    "parameter misspelt": (
        [(SEND, r'\1<spiffworkflow:parameter id="pateint_id" type="any" value="patient_id" />')],
        "has no parameter “pateint_id”",
        "Rename it to “patient_id”",
        SENT_TO,
    ),
    "parameter unknown": (
        [(SEND, r'\g<0><spiffworkflow:parameter id="colour" type="any" value="1" />')],
        "has no parameter “colour”",
        "Remove “colour”",
        r'^(?!.*id="colour")',
    ),
    "error uncaught": (
        [(CATCH, ""), (r"<bpmndi:BPMNShape [^>]*bpmnElement=\"SendingRefused\".*?</bpmndi:BPMNShape>", ""),
         (r'<bpmn:sequenceFlow id="Flow_sending_refused"[^>]*/>', ""),
         (LINE % "Flow_sending_refused", ""),
         (r"<bpmn:incoming>Flow_sending_refused</bpmn:incoming>", ""),
         (r"<bpmn:flowNodeRef>SendingRefused</bpmn:flowNodeRef>", "")],
        "may refuse with “not-eligible”",
        "Catch “not-eligible”",
        r'name="Not eligible" attachedToRef="SendInvitation"',
    ),
    "no default": (
        [(r' default="Flow_nothing_missing"', "")],
        "has no condition. Write one, or make it the default.",
        "Make it the default",
        r'default="Flow_nothing_missing"',
    ),
    "no end": (
        [(r'<bpmn:sequenceFlow id="Flow_recorded"[^>]*/>', ""),
         (r"<bpmn:(incoming|outgoing)>Flow_recorded</bpmn:\1>", ""),
         (LINE % "Flow_recorded", "")],
        "Nothing follows. Draw a flow to what comes next",
        "Draw an end event after it",
        r'<bpmn:sequenceFlow id="Flow_\w{7}" sourceRef="RecordPending"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_a_button_mends_it(name: str, clinic: Clinic, engine: Engine, ana: Page) -> None:
    changes, words, label, after = SLIPS[name]
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, flags=re.DOTALL)
        assert count > 0, pattern
    draft(clinic, **{"enrollment.bpmn": text.encode()})
    opened(ana)
    finding = ana.locator("[data-findings] li", has_text=words).first
    button = finding.get_by_role("button", name=label, exact=True)
    button.focus()
    ana.keyboard.press("Enter")
    expect(button).to_have_count(0)
    saved(ana)
    assert re.search(after, drawn(engine), re.DOTALL)
    assert faults(drawn(engine)) == []
    ana.locator("body").press("Control+z")
    expect(button).to_have_count(1)
    saved(ana)
    assert not re.search(after, drawn(engine), re.DOTALL)


def test_after_the_last_finding_the_focus_is_at_the_heading(
    clinic: Clinic, engine: Engine, ana: Page, accessible: Callable
) -> None:
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    draft(clinic, **{"enrollment.bpmn": text.replace(' default="Flow_nothing_missing"', "").encode()})
    opened(ana)
    expect(ana.locator("[data-findings] li")).to_have_count(2)  # of the gateway and of its flow
    accessible(ana)
    ana.get_by_role("button", name="Make it the default", exact=True).focus()
    ana.keyboard.press("Enter")
    expect(ana.get_by_role("heading", name="Findings")).to_be_focused()


def test_no_finding_names_an_id(clinic: Clinic, engine: Engine, ana: Page) -> None:
    """What is not drawn, and the elements of a loop, are named as people know them."""
    text = engine.drafts.package("enrollment").text("enrollment.bpmn")
    hidden = re.sub(LINE % "Flow_recorded", "", text, flags=re.DOTALL)
    draft(clinic, **{"enrollment.bpmn": hidden.encode()})
    opened(ana)
    finding = ana.locator("[data-findings] li", has_text="Not drawn in the diagram")
    expect(finding).to_contain_text("“Record status Pending → Invitation sent”")
    expect(finding).not_to_contain_text("Flow_recorded")
